"""Two versions of a plan: which lines are the same one, and what is different."""

from collections.abc import Sequence

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.words import long_date_words
from pillweb.schedules.rules.line import Dose, EveryDays, Line, Pause, groups_of_times
from pillweb.schedules.rules.slots import is_same
from pillweb.schedules.rules.words import (
    Told,
    in_words,
    start_words,
    told,
)

HOURS_A_DAY = 24
NO_START = gettext_noop("from the day it was written down")
NO_END = gettext_noop("without an end")


def match_lines(old: Sequence[Line], new: Sequence[Line]) -> list[int | None]:
    """Return for each new line the place of the old line it is, None for a new one.

    Equal lines are the same; then lines at one place of one kind; then, where as many
    old lines are left as new ones, those in order. A line that only moved up because
    another was taken out keeps its identity, and so do its doses.
    """
    found: list[int | None] = [None] * len(new)
    for place, line in enumerate(new):
        found[place] = _equal(old, line, found)
    for place, line in enumerate(new[: len(old)]):
        is_free = found[place] is None and place not in found
        if is_free and old[place].kind == line.kind:
            found[place] = place
    left_new = [place for place, one in enumerate(found) if one is None]
    left_old = [place for place in range(len(old)) if place not in found]
    if len(left_new) == len(left_old):
        for place, before in zip(left_new, left_old, strict=True):
            found[place] = before
    return found


def _equal(old: Sequence[Line], line: Line, found: Sequence[int | None]) -> int | None:
    free = (place for place in range(len(old)) if place not in found)
    return next((place for place in free if is_same(old[place], line)), None)


def compare(old: Sequence[Line], new: Sequence[Line], unit: str = "") -> list[str]:
    """Return what a new version changes, as sentences; none where nothing is changed.

    "Was 5 mg at 8am, now 2.5 mg at 8am and 8pm."
    """
    matched = match_lines(old, new)
    said: list[str] = []
    for line, before in zip(new, matched, strict=True):
        if before is None:
            said.append(_("New: %(plan)s.", plan=in_words(line, unit)))
        elif not is_same(old[before], line):
            said += _changes(old[before], line, unit) or [
                _("Details changed that these words do not tell.")
            ]
    gone = [place for place in range(len(old)) if place not in matched]
    return said + [
        _("No longer: %(plan)s.", plan=in_words(old[place], unit)) for place in gone
    ]


def _changes(old: Line, new: Line, unit: str) -> list[str]:
    before, after = told(old, unit), told(new, unit)
    if old.kind != new.kind or bool(old.steps) != bool(new.steps):
        return [_was_now(in_words(old, unit), in_words(new, unit))]
    said = _of_words(before, after)
    if start_words(old) != start_words(new):
        was, now = (start_words(one) or _(NO_START) for one in (old, new))
        said.append(_was_now(was, now))
    if before.until != after.until:
        said.append(_was_now(before.until or _(NO_END), after.until or _(NO_END)))
    return said + _of_pauses(old, new) + _of_zone(old, new)


def _was_now(was: str, now: str) -> str:
    return _("Was %(was)s, now %(now)s.", was=was, now=now)


def _of_words(before: Told, after: Told) -> list[str]:
    said = []
    if before.intake != after.intake:
        said.append(_was_now(before.intake, after.intake))
    if before.days != after.days:
        was, now = (one.days or _("every day") for one in (before, after))
        if was != now:
            said.append(_was_now(was, now))
    return said


def _of_pauses(old: Line, new: Line) -> list[str]:
    said = [_paused(one) for one in new.pauses if one not in old.pauses]
    return said + [_not_paused(one) for one in old.pauses if one not in new.pauses]


def _paused(pause: Pause) -> str:
    start = long_date_words(pause.start)
    if pause.end is None:
        return _("Paused from %(start)s until further notice.", start=start)
    end = long_date_words(pause.end)
    return _("Paused from %(start)s to %(end)s.", start=start, end=end)


def _not_paused(pause: Pause) -> str:
    start = long_date_words(pause.start)
    if pause.end is None:
        return _("No longer paused from %(start)s until further notice.", start=start)
    end = long_date_words(pause.end)
    return _("No longer paused from %(start)s to %(end)s.", start=start, end=end)


def _of_zone(old: Line, new: Line) -> list[str]:
    if old.zone_policy == new.zone_policy:
        return []
    if new.zone_policy == "home":
        return [_("On a journey it now keeps the times of home.")]
    return [_("On a journey it now follows the times of the place.")]


def largest_amounts(lines: Sequence[Line], unit: str = "") -> dict[str, Dose]:
    """Return the largest single amount of a plan in each unit that it uses."""
    found: dict[str, Dose] = {}
    for line in lines:
        times = [entry for group in groups_of_times(line) for entry in group]
        for dose in (line.dose, *(entry.dose for entry in times)):
            if dose is None or dose.fraction is None:
                continue
            known = found.get(dose.unit or unit)
            if known is None or (known.fraction or 0) < dose.fraction:
                found[dose.unit or unit] = dose
    return found


def much_more(
    old: Sequence[Line], new: Sequence[Line], unit: str = ""
) -> tuple[Dose, Dose] | None:
    """Return the largest amount before and now where it is more than twice as much.

    Amounts in different units are not compared.
    """
    before, after = largest_amounts(old, unit), largest_amounts(new, unit)
    for name in before.keys() & after.keys():
        was, now = before[name].fraction, after[name].fraction
        if was and now and now > 2 * was:
            return before[name], after[name]
    return None


def is_daily(lines: Sequence[Line]) -> bool:
    """Say whether a plan has doses on every day while it holds."""
    return any(
        (line.kind == "interval" and (line.interval_hours or 0) <= HOURS_A_DAY)
        or (line.kind == "clock" and line.days == EveryDays())
        for line in lines
    )
