"""A FHIR file: its text, its entries, and what their references mean."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple, NoReturn

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.elements import Element

LONGEST = 20_000_000
DEEPEST = 100
KINDS = ("MedicationRequest", "MedicationStatement")
_MOST_DIGITS = 40


class Entry(NamedTuple):
    """A resource of a file, and the address it has there."""

    resource: Element
    address: str


def read_document(text: str) -> Element:
    """Return the resource that a JSON text holds; fractions are exact decimals.

    Raises:
        ValueError: too long or deep, no JSON, a key twice, NaN, or no object.
    """
    if len(text) > LONGEST:
        raise ValueError(
            _("The file is longer than %(size)s MB.", size=LONGEST // 10**6)
        )
    try:
        found = json.loads(
            text,
            parse_float=_a_number,
            parse_int=_a_number,
            parse_constant=_refuse,
            object_pairs_hook=_an_object,
        )
    except json.JSONDecodeError as problem:
        told = _(
            "The file is not JSON: %(problem)s at line %(line)s, column %(column)s.",
            problem=problem.msg,
            line=problem.lineno,
            column=problem.colno,
        )
        raise ValueError(told) from problem
    except RecursionError as problem:
        raise ValueError(_("The file is nested too deeply.")) from problem
    if not isinstance(found, Mapping):
        raise ValueError(_("The file holds no FHIR resource: it is not an object."))  # noqa: TRY004 - one kind for whoever reads a file
    if _is_deep(found):
        raise ValueError(_("The file is nested too deeply."))
    return found


def _a_number(text: str) -> int | Decimal:
    if len(text) > _MOST_DIGITS:
        raise ValueError(_("The file holds a number with too many digits."))
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _refuse(word: str) -> NoReturn:
    raise ValueError(_("The file holds %(word)s, which is not a number.", word=word))


def _an_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(
                _('The file says "%(key)s" twice in one place.', key=key[:40])
            )
        found[key] = value
    return found


def _is_deep(value: object) -> bool:
    return any(depth > DEEPEST for depth, _, _ in _walk(value))


def _walk(value: object) -> Iterator[tuple[int, str, object]]:
    """Yield (depth, key, value) of everything inside, the value itself first."""
    waiting: list[tuple[int, str, object]] = [(0, "", value)]
    while waiting:
        depth, key, one = waiting.pop()
        yield depth, key, one
        if depth > DEEPEST:
            return
        if isinstance(one, Mapping):
            waiting += [(depth + 1, str(name), inner) for name, inner in one.items()]
        elif isinstance(one, list):
            waiting += [(depth + 1, "", inner) for inner in one]


def holds(value: object, key: str) -> bool:
    """Say whether an object anywhere inside has this key."""
    return any(name == key for _, name, _ in _walk(value))


def entries_of(document: Element) -> tuple[Entry, ...]:
    """Return every resource of a Bundle, or the one resource.

    Raises:
        ValueError: another kind of resource, or a Bundle without entries.
    """
    kind = document.get("resourceType")
    if kind in KINDS:
        return (Entry(document, ""),)
    if kind != "Bundle":
        shown = kind[:40] if isinstance(kind, str) else ""
        raise ValueError(
            _(
                "Give a MedicationRequest, a MedicationStatement or a Bundle. "
                "This file is: %(kind)s.",
                kind=shown or _("nothing we know"),
            )
        )
    entries = document.get("entry", [])
    if not isinstance(entries, list):
        raise ValueError(_("The Bundle's entry is not a list."))  # noqa: TRY004 - one kind for whoever reads a file
    return tuple(
        Entry(entry["resource"], _text(entry.get("fullUrl")))
        for entry in entries
        if isinstance(entry, Mapping) and isinstance(entry.get("resource"), Mapping)
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class References:
    """Finds the resource that a reference names, inside one file."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self._by_address: dict[str, Element | None] = {}
        for resource, address in entries:
            name = f"{_text(resource.get('resourceType'))}/{_text(resource.get('id'))}"
            for key in {address, name} - {""}:
                known = key in self._by_address  # two of one name: neither is meant
                self._by_address[key] = None if known else resource

    def find(self, reference: str, entry: Entry) -> Element | None:
        """Return the resource meant, None where the file has none or two of it."""
        if reference.startswith("#"):
            return _contained(entry.resource, reference[1:])
        plain = reference.partition("/_history/")[0]
        base = "/".join(entry.address.split("/")[:-2])
        for key in (f"{base}/{plain}" if base else plain, plain):
            if key in self._by_address:
                return self._by_address[key]
        return None


def _contained(resource: Element, name: str) -> Element | None:
    contained = resource.get("contained")
    found = [
        one
        for one in (contained if isinstance(contained, list) else [])
        if isinstance(one, Mapping) and one.get("id") == name
    ]
    return found[0] if len(found) == 1 else None
