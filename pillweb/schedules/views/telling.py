"""What the pages of medicines say in words."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import reduce

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import pgettext
from pillweb.base.words import date_words, full_date_words, long_date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.medications.models import Medication
from pillweb.medications.rules import unit_of
from pillweb.schedules.queries import REACHES_BACK
from pillweb.schedules.rules.draft import Part, line_of, problem_in
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.pausing import pause_to_come
from pillweb.schedules.rules.two_weeks import PreviewDay, preview
from pillweb.schedules.rules.words import in_words
from pillweb.sharing.rules import Door


def today_of(door: Door) -> date:
    """Return the day it is where the patient lives."""
    return local(now(), zone(door.zone)).date()


def listed(words: Iterable[str | None]) -> str:
    """Return what is not empty side by side: "Amlodipine, 5 mg, tablet"."""
    return reduce(_after_comma, filter(None, words), "")


def _after_comma(before: str, after: str) -> str:
    pair = {"before": before, "after": after}
    return pgettext("list", "%(before)s, %(after)s", **pair) if before else after


def listed_apart(words: Iterable[str | None]) -> str:
    """Return what is not empty, further apart: "1 tablet at 8am; 2 at bedtime"."""
    return reduce(_after_semicolon, filter(None, words), "")


def _after_semicolon(before: str, after: str) -> str:
    pair = {"before": before, "after": after}
    return pgettext("list", "%(before)s; %(after)s", **pair) if before else after


def plan_words(lines: Sequence[Line], unit: str) -> str:
    """Return a plan as one sentence without a full stop."""
    said = [in_words(line, unit) for line in lines]
    return listed_apart(words[:1].upper() + words[1:] for words in said)


def until_words(row: Medication, lines: Sequence[Line], door: Door, life: Life) -> str:
    """Return when a medicine starts, when it was stopped, or when the next dose is."""
    if row.stopped_at:
        stopped = local(row.stopped_at, zone(door.zone)).date()
        return _("Stopped on %(date)s", date=long_date_words(stopped))
    starts = [line.start_date for line in lines if line.start_date]
    if starts and min(starts) > today_of(door):
        return _("Starts on %(date)s", date=long_date_words(min(starts)))
    return next_words(lines, door, life, now() - REACHES_BACK)


def next_words(lines: Sequence[Line], door: Door, life: Life, after: datetime) -> str:
    """Return when the next dose is due, so that nobody waits for one this morning."""
    dues = [life.next_after(line, after) for line in lines]
    coming = min((due.due_at for due in dues if due is not None), default=None)
    if coming is None:
        return ""
    at = local(coming, zone(door.zone))
    is_near = at.year == today_of(door).year
    day = date_words(at.date()) if is_near else full_date_words(at.date())
    return _("Next: %(time)s on %(date)s", time=time_words(at.time()), date=day)


def paused_words(lines: Sequence[Line], door: Door) -> str:
    """Return how a plan is paused now or later, nothing where it is not."""
    today = today_of(door)
    pauses = [pause_to_come(line, today) for line in lines]
    found = next((pause for pause in pauses if pause is not None), None)
    if found is None:
        return ""
    start, end = found.start, found.end
    if start > today and end:
        return _(
            "Paused from %(start)s to %(end)s",
            start=long_date_words(start),
            end=long_date_words(end),
        )
    if start > today:
        return _("Paused from %(start)s", start=long_date_words(start))
    return _("Paused to %(end)s", end=long_date_words(end)) if end else _("Paused")


def when_words(moment: datetime, door: Door) -> str:
    """Return an instant by the patient's clock: "8.05am on 20 November 2026"."""
    shown = local(moment, zone(door.zone))
    return _(
        "%(time)s on %(date)s",
        time=time_words(shown.time()),
        date=long_date_words(shown.date()),
    )


def days_of(
    lines: Sequence[Line], door: Door, life: Life, unit: str
) -> list[PreviewDay]:
    """Return two weeks of a plan, from today or its first day; none without lines."""
    if not lines:
        return []
    today = today_of(door)
    starts = [line.start_date or (line.at or line.first) for line in lines]
    days = [one.date() if isinstance(one, datetime) else one for one in starts if one]
    first = max(today, min(days, default=today))
    since = now() - REACHES_BACK
    place = zone(door.zone)
    return preview(lines, life.occurrences, place, first, unit, since=since)


def medication_words(row: Medication, lines: Sequence[Line]) -> str:
    """Return the standing plan of a medicine as one sentence."""
    return plan_words(lines, unit_of(row.form))


def step_words(part: Part, unit: str) -> list[str]:
    """Return each step of a taper in words; none where the part is not complete."""
    whole = replace(part, open=())
    lines = [] if problem_in(whole) else [line_of(whole)]
    return [
        in_words(replace(line, steps=(step,), end_date=None, count=None), unit)
        for line in lines
        for step in line.steps
    ]
