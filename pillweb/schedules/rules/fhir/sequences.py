"""Dosages that follow each other, or hold together."""

from collections.abc import Iterable, Sequence

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.bounds import Setting
from pillweb.schedules.rules.fhir.dosage import Found, read_dosage
from pillweb.schedules.rules.fhir.elements import Element
from pillweb.schedules.rules.fhir.moments import Moment


def read_in_sequence(dosages: Sequence[Element], setting: Setting) -> list[Found]:
    """Read the dosages of one resource; those of a later sequence start after.

    Dosages of the same sequence, or of none, hold together. Where an earlier step
    has no end, or no known one, the steps after it have no start.
    """
    numbers = [number_of(dosage) for dosage in dosages]
    order = sorted({number for number in numbers if number is not None})
    if len(order) <= 1 or None in numbers:
        found = [
            read_dosage(dosage, max(number or 1, 1), setting)
            for dosage, number in zip(dosages, numbers, strict=True)
        ]
        if None in numbers and order:
            _doubt_all(found, "timing", _("Only some of its parts are numbered."))
        if any("sequence" in dosage for dosage in dosages) and not order:
            _doubt_all(found, "timing", _("The number of a part is no whole number."))
        return found
    return _read_steps(dosages, numbers, order, setting)


def number_of(dosage: Element) -> int | None:
    """Return which one it is of several that follow each other, if it says so."""
    value = dosage.get("sequence")
    return value if type(value) is int and abs(value) < 100_000 else None  # noqa: PLR2004 - far above any


def _read_steps(
    dosages: Sequence[Element],
    numbers: Sequence[int | None],
    order: Sequence[int],
    setting: Setting,
) -> list[Found]:
    found: dict[int, Found] = {}
    start, shift = setting.start, 1 - min(order[0], 1)
    for number in order:
        places = [place for place, one in enumerate(numbers) if one == number]
        now = setting._replace(start=start, stepped=True)
        step = [read_dosage(dosages[at], number + shift, now) for at in places]
        found |= dict(zip(places, step, strict=True))
        start = _after(step)
        if number != order[-1] and any(one.is_endless for one in step):
            _doubt_all(
                found.values(), "days", _("A part has no end, but another follows it.")
            )
    return [found[place] for place in range(len(dosages))]


def _after(step: Sequence[Found]) -> Moment | None:
    starts = [one.next_start for one in step]
    known = [start for start in starts if start is not None]
    if len(known) < len(starts):
        return None
    return max(known, key=lambda start: start.wall)


def _doubt_all(found: Iterable[Found], missing: str, sentence: str) -> None:
    for one in found:
        one.soft.add(missing, sentence)
