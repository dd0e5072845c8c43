"""The days to come of a plan, as a person looks them through before it starts."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import Zone, day_bounds, local
from pillweb.schedules.rules.day_words import minutes_words
from pillweb.schedules.rules.days import is_paused
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.occurrence import Occurrence
from pillweb.schedules.rules.words import intake_words

Occur = Callable[[Line, tuple[datetime, datetime]], Sequence[Occurrence]]

PREVIEW_DAYS = 14
A_DAY = timedelta(days=1)
TAKE = "take"


class PreviewDay(NamedTuple):
    """One day: its doses as (time, amount) in words, and what is special about it."""

    day: str
    doses: tuple[tuple[str, str], ...]
    note: str


def preview(
    lines: Sequence[Line],
    occur: Occur,
    place: Zone,
    first: date,
    unit: str = "",
    *,
    since: datetime | None = None,
) -> list[PreviewDay]:
    """Return two weeks of a plan by the patient's own clock, days without doses too.

    What was due before `since` is over, and told so.

    Raises:
        ValueError: a line cannot be planned; the field is named.
    """
    days = [first + number * A_DAY for number in range(PREVIEW_DAYS)]
    window = day_bounds(first, place)[0], day_bounds(days[-1], place)[1]
    doses: dict[date, list[tuple[datetime, str]]] = {day: [] for day in days}
    notes = {day: [_clocks(day, place), _pauses(lines, day)] for day in days}
    for one in (dose for line in lines for dose in occur(line, window)):
        shown = local(one.due_at, place)
        if since is not None and one.due_at < since:
            notes[shown.date()][0] = _("Earlier times of this day are over.")
            continue
        doses[shown.date()].append((shown, _words_of(one, unit)))
    return [
        PreviewDay(
            day=date_words(day),
            doses=tuple((time_words(at.time()), said) for at, said in sorted(found)),
            note=" ".join(note for note in notes[day] if note),
        )
        for day, found in doses.items()
    ]


def _words_of(one: Occurrence, unit: str) -> str:
    action = "" if one.action == TAKE else one.action
    return intake_words(one.dose, action, unit)


def _pauses(lines: Sequence[Line], day: date) -> str:
    return _("Paused.") if any(is_paused(line, day) for line in lines) else ""


def _clocks(day: date, place: Zone) -> str:
    start, end = day_bounds(day, place)
    if start == end:
        return _("This day is left out of the calendar.")
    change = A_DAY - (end - start)
    if not change:
        return ""
    length = minutes_words(int(abs(change) / timedelta(minutes=1)))
    if change > timedelta(0):
        return _("The clocks go forward %(length)s.", length=length)
    return _("The clocks go back %(length)s.", length=length)
