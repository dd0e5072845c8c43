"""What no line may say, although each of its fields may be said."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.line import EveryDays, Line, OnWeekdays, TimeOfDay


def check_line(line: Line) -> None:
    """Refuse what contradicts itself or would lose a dose without a word.

    Decided here: a line without any dose for another reason (all of it paused, a
    first day that begins after its only time) is no error, it has no doses.

    Raises:
        ValueError: names the field, and says what would be right.
    """
    _check_order(line)
    for name, times in _named_times(line):
        for place, entry in enumerate(times):
            _check_possible(line, entry, f"{name}[{place}]")
        _check_apart(times, name)


def _check_order(line: Line) -> None:
    first = line.first or line.at
    begin = first.date() if first else line.start_date
    if line.start_date and line.start_date != begin:
        raise ValueError(
            _("start_date: is not the day of the first dose; leave it out.")
        )
    if begin and line.end_date and line.end_date < begin:
        raise ValueError(_("end_date: is before the start; choose the start or later."))
    changes = [change.at for change in line.zone_changes]
    if sorted(set(changes)) != changes:
        raise ValueError(
            _(
                "zone_changes: put them in the order they happened, "
                "one for each instant."
            )
        )


def _named_times(line: Line) -> Iterator[tuple[str, Sequence[TimeOfDay]]]:
    yield "times", line.times
    for place, step in enumerate(line.steps):
        yield f"steps[{place}].times", step.times


def _check_possible(line: Line, entry: TimeOfDay, field: str) -> None:
    days = line.days
    if isinstance(days, OnWeekdays) and not _meet(entry.weekdays, days.weekdays):
        raise ValueError(
            _("%(field)s.weekdays: choose from the days.weekdays.", field=field)
        )
    if isinstance(days, EveryDays) and days.every % 2 == 0 and entry.day_parity:
        raise ValueError(
            _(
                "%(field)s.day_parity: never comes every %(days)s days; leave it out.",
                field=field,
                days=days.every,
            )
        )


def _check_apart(times: Sequence[TimeOfDay], name: str) -> None:
    """Two times at one wall time of a day are one dose (T4): one amount would go."""
    for (first, one), (second, other) in combinations(enumerate(times), 2):
        if _moment(one) == _moment(other) and _share_a_day(one, other):
            raise ValueError(
                _(
                    "%(field)s: is the same time as %(other)s. "
                    "Write one time with the whole amount.",
                    field=f"{name}[{second}]",
                    other=f"{name}[{first}]",
                )
            )


def _moment(entry: TimeOfDay) -> tuple[object, ...]:
    return entry.at, entry.meal, entry.offset_min, entry.day_offset


def _share_a_day(one: TimeOfDay, other: TimeOfDay) -> bool:
    parities = {one.day_parity, other.day_parity}
    return parities != {0, 1} and _meet(one.weekdays, other.weekdays)


def _meet(some: Sequence[int] | None, others: Sequence[int] | None) -> bool:
    return some is None or others is None or bool(set(some) & set(others))
