"""Read single FHIR elements: a value of the wrong kind is a doubt, never an error."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.doubts import Doubts

Element = Mapping[str, object]

NOTHING: Element = {}
HARMLESS_EXTENSIONS = (
    "http://hl7.org/fhir/StructureDefinition/translation",
    "http://hl7.org/fhir/StructureDefinition/narrativeLink",
    "http://hl7.org/fhir/StructureDefinition/rendering-",
)
_LARGEST = 9  # digits before the point of any amount or number of hours
_SMALLEST = -9
_DIGITS = 12


def object_in(holder: Element, key: str, doubts: Doubts, missing: str) -> Element:
    """Return the object under a key, an empty one if there is none."""
    value = holder.get(key)
    if isinstance(value, Mapping):
        return value
    if key in holder:
        doubts.add(
            missing, _("We cannot read %(key)s: it should be an object.", key=key)
        )
    return NOTHING


def list_in(
    holder: Element, key: str, doubts: Doubts, missing: str
) -> tuple[object, ...]:
    """Return the list under a key, empty if there is none."""
    value = holder.get(key)
    if isinstance(value, list):
        return tuple(value)
    if key in holder:
        doubts.add(missing, _("We cannot read %(key)s: it should be a list.", key=key))
    return ()


def objects_in(
    holder: Element, key: str, doubts: Doubts, missing: str
) -> tuple[Element, ...]:
    """Return the objects of the list under a key."""
    values = list_in(holder, key, doubts, missing)
    found = tuple(value for value in values if isinstance(value, Mapping))
    if len(found) < len(values):
        doubts.add(
            missing, _("We cannot read %(key)s: it should hold objects only.", key=key)
        )
    return found


def text_in(holder: Element, key: str, doubts: Doubts, missing: str) -> str:
    """Return the text under a key, "" if there is none."""
    value = holder.get(key, "")
    if isinstance(value, str):
        return value
    doubts.add(missing, _("We cannot read %(key)s: it should be text.", key=key))
    return ""


def number_in(
    holder: Element, key: str, doubts: Doubts, missing: str
) -> Decimal | None:
    """Return the exact number under a key, None if there is none or it is unusable."""
    value = holder.get(key)
    if key not in holder:
        return None
    if type(value) is int and abs(value) < 10**_LARGEST:
        return Decimal(value)
    if isinstance(value, Decimal) and _is_plain(value):
        return value
    doubts.add(missing, _("We cannot read %(key)s: it should be a number.", key=key))
    return None


def _is_plain(value: Decimal) -> bool:
    if not value.is_finite() or len(value.as_tuple().digits) > _DIGITS:
        return False
    exponent = int(value.as_tuple().exponent)
    return exponent >= _SMALLEST and value.adjusted() < _LARGEST


def whole_in(holder: Element, key: str, doubts: Doubts, missing: str) -> int | None:
    """Return the whole number above 0 under a key, None if there is none."""
    value = number_in(holder, key, doubts, missing)
    if value is None:
        return None
    if value == int(value) and value > 0:
        return int(value)
    doubts.add(missing, _("%(key)s should be a whole number above 0.", key=key))
    return None


def words_of(concept: object) -> str:
    """Return the words of a CodeableConcept: its text, or its first display."""
    if not isinstance(concept, Mapping):
        return ""
    codings = concept.get("coding")
    displays = [
        coding.get("display")
        for coding in (codings if isinstance(codings, list) else [])
        if isinstance(coding, Mapping)
    ]
    for words in (concept.get("text"), *displays):
        if isinstance(words, str) and words.strip():
            return words.strip()
    return ""


def all_words_of(concept: object) -> tuple[str, ...]:
    """Return every text and display of a CodeableConcept."""
    if not isinstance(concept, Mapping):
        return ()
    codings = concept.get("coding")
    displays = [
        coding.get("display")
        for coding in (codings if isinstance(codings, list) else [])
        if isinstance(coding, Mapping)
    ]
    found = [concept.get("text"), *displays]
    return tuple(words for words in found if isinstance(words, str) and words.strip())


def codes_of(concept: object) -> Iterator[tuple[str, str]]:
    """Yield the (system, code) pairs of a CodeableConcept."""
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    for coding in codings if isinstance(codings, list) else []:
        if isinstance(coding, Mapping):
            yield str(coding.get("system", "")), str(coding.get("code", ""))


def check_keys(
    holder: Element, known: frozenset[str], where: str, doubts: Doubts, missing: str
) -> None:
    """Doubt what stands beside the known elements, unknown extensions above all."""
    for key in holder:
        name = key.removeprefix("_") if isinstance(key, str) else ""
        if key == "id" or key in known:
            continue
        extensions = holder[key]
        if name != key and isinstance(extensions, Mapping):
            extensions = extensions.get("extension")
        if (key == "extension" or name != key) and are_harmless(extensions):
            continue
        told = _(
            "%(part)s says something we do not know: %(key)s.", part=where, key=key
        )
        doubts.add(missing, told)


def are_harmless(extensions: object) -> bool:
    """Say whether these extensions only translate or lay out what stands there."""
    return isinstance(extensions, list) and all(
        isinstance(one, Mapping)
        and str(one.get("url", "")).startswith(HARMLESS_EXTENSIONS)
        for one in extensions
    )
