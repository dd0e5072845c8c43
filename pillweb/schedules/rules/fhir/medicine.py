"""What a resource says of the medicine: its name, and if it is being taken."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    all_words_of,
    codes_of,
    words_of,
)

Resolve = Callable[[str], Element | None]

_NONE_KNOWN = "787481004"
_ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
_TAKEN_INTENTS = frozenset(
    {"order", "original-order", "reflex-order", "filler-order", "instance-order"}
)
_NOT_TAKEN = {
    "on-hold": gettext_noop("The file says that this is on hold."),
    "stopped": gettext_noop("The file says that this was stopped."),
    "completed": gettext_noop("The file says that this is completed."),
    "cancelled": gettext_noop("The file says that this was cancelled."),
    "draft": gettext_noop("The file says that this is only a draft."),
    "intended": gettext_noop("The file says that this is only intended."),
    "not-taken": gettext_noop("The file says that this is not taken."),
}
_UNSURE = {
    "unknown": gettext_noop("The file does not know if it is being taken."),
    "entered-in-error": gettext_noop("The file says that this entry is an error."),
}
_NO_STATUS = gettext_noop("The file has no status that we know.")


class Medicine(NamedTuple):
    """The name, and every word the file uses for the medicine and its form."""

    name: str
    words: tuple[str, ...]
    is_none: bool = False


def medicine_of(resource: Element, resolve: Resolve) -> Medicine:
    """Return the medicine of a resource, with an empty name if it has none."""
    concept = resource.get("medicationCodeableConcept")
    reference = resource.get("medicationReference")
    display, found = "", None
    if isinstance(reference, Mapping):
        target, shown = reference.get("reference"), reference.get("display")
        found = resolve(target) if isinstance(target, str) else None
        display = shown.strip() if isinstance(shown, str) else ""
    newer = resource.get("medication")  # as R5 says it
    if isinstance(newer, Mapping):
        concept = concept or newer.get("concept")
    coded = found.get("code") if found else None
    form = found.get("form") if found else None
    concepts = (concept, coded)
    name = words_of(concept) or words_of(coded) or display
    words = [word for one in (*concepts, form) for word in all_words_of(one)]
    none = any(_is_none(*code) for one in concepts for code in codes_of(one))
    return Medicine(name, (name, display, *words), none)


def _is_none(system: str, code: str) -> bool:
    return code == _NONE_KNOWN or (
        system == _ABSENT and code.startswith(("no-", "absent"))
    )


class Standing(NamedTuple):
    """Whether the file says that the medicine is being taken now; else, why not."""

    is_taken: bool
    sentence: str


def standing_of(resource: Element, doubts: Doubts) -> Standing:
    """Return how the medicine stands by its status and intent."""
    status = resource.get("status")
    status = status if isinstance(status, str) else ""
    if resource.get("doNotPerform") not in (None, False):
        doubts.add("status", _("The file says not to take this."))
        return Standing(False, "")
    if status in _NOT_TAKEN:
        return Standing(False, _(_NOT_TAKEN[status]))
    if status != "active":
        doubts.add("status", _(_UNSURE.get(status, _NO_STATUS)))
        return Standing(False, "")
    if resource.get("resourceType") == "MedicationStatement":
        return Standing(True, "")
    return _ordered(resource)


def _ordered(resource: Element) -> Standing:
    intent = resource.get("intent")
    reported = resource.get("reportedBoolean") is True or isinstance(
        resource.get("reportedReference"), Mapping
    )
    if str(intent) in _TAKEN_INTENTS or (intent == "plan" and reported):
        return Standing(True, "")
    return Standing(False, _("The file does not say that this is an order."))
