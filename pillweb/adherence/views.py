"""The calendar: a month as a table or as a list, or a week; a shape and a word each."""

import calendar as months
import re
from collections.abc import Sequence
from datetime import date, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.adherence.queries import outcomes_of
from pillweb.adherence.rules.calendar import (
    WORDS,
    Day,
    Parts,
    month_calendar,
    week_calendar,
)
from pillweb.adherence.rules.lately import LOOK_BACK, lately_words, summary_words
from pillweb.adherence.rules.outcome import Outcome
from pillweb.adherence.rules.tally import tally
from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speech
from pillweb.base.words import (
    date_words,
    digits,
    month_words,
    weekday_name,
    weekday_short,
)
from pillweb.base.zones import local, zone
from pillweb.doses.rules.days import REPLAN_BEFORE, read_day
from pillweb.doses.rules.sentences import PART_NAMES
from pillweb.sharing.queries.doors import open_door, open_shared_door
from pillweb.sharing.rules import CALENDAR, HISTORY, Door, Level, nav_of
from pillweb.web.htmx import page
from pillweb.web.transaction import session
from pillweb.web.viewer import opened_shares, who_asks

adherence = Blueprint("adherence", __name__)

MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
FIRST_MONTH = date(2000, 1, 1)
A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
TABLE, LIST = "table", "list"


def _month_asked(today: date) -> date:
    text = request.args.get("month")
    if text is None:
        return today.replace(day=1)
    found = MONTH.fullmatch(text)
    if found is None:
        raise NotFoundError
    return date(int(found[1]), int(found[2]), 1)


def _week_asked(text: str) -> date:
    """Return the first day of the week of a day, as the language has weeks."""
    on = read_day(text)
    if on is None:
        raise NotFoundError
    return on - A_DAY * ((on.weekday() - speech().first_weekday) % 7)


def _cell(day: Day, door: Door, *, today: date, parts: Parts = ()) -> dict[str, object]:
    # What lies beyond the days surely planned is not known, which is not "nothing due".
    unknown = day.state == "not_due" and day.on >= today + REPLAN_BEFORE
    own = f"{door.base_url}/days/{day.on.isoformat()}"
    return {
        "number": digits(str(day.on.day)),
        "date_words": date_words(day.on),
        "is_today": day.is_today,
        "url": None if door.is_shared or day.state == "not_due" else own,
        "state": None if unknown else day.state,
        "state_words": day.word,
        "parts": [(_(PART_NAMES[part]), state) for part, state in parts],
    }


def _month_url(door: Door, first: date, shape: str) -> str:
    more = "&as=list" if shape == LIST else ""
    return f"{door.base_url}/calendar?month={first:%Y-%m}{more}"


def _week_url(door: Door, on: date) -> str:
    return f"{door.base_url}/calendar?week={on}"


def _lately(door: Door, outcomes: Sequence[Outcome], *, today: date) -> str:
    """Return how the last days went, where they are what is looked at."""
    if not outcomes:
        return ""
    found = outcomes_of(session(), door.patient_id, first=today - LOOK_BACK, last=today)
    return lately_words(found, today, now())


def _shared_parts(
    door: Door, outcomes: Sequence[Outcome], *, first: date, last: date, today: date
) -> dict[str, object]:
    """Return what a month and a week say alike."""
    is_now = first <= today <= last
    return {
        "summary": summary_words(tally(outcomes, now())),
        "lately": _lately(door, outcomes, today=today) if is_now else "",
        "today_words": date_words(today),
    }


def _month(door: Door, *, today: date, shape: str) -> dict[str, object]:
    first = _month_asked(today)
    last = first.replace(day=months.monthrange(first.year, first.month)[1])
    outcomes = outcomes_of(session(), door.patient_id, first=first, last=last)
    start = speech().first_weekday
    weeks = month_calendar(
        outcomes, first.year, first.month, today, now(), first_weekday=start
    )
    cells = [
        [_cell(day, door, today=today) if day.in_month else None for day in week]
        for week in weeks
    ]
    states = {cell["state"] for week in cells for cell in week if cell}
    before, after = (first - A_DAY).replace(day=1), last + A_DAY
    here = today if first <= today <= last else first
    return _shared_parts(door, outcomes, first=first, last=last, today=today) | {
        "shape": shape,
        "words": month_words(first),
        "previous": (_month_url(door, before, shape), month_words(before))
        if first > FIRST_MONTH
        else None,
        "next": (_month_url(door, after, shape), month_words(after))
        if last < today
        else None,
        "views": [
            (_month_url(door, first, TABLE), _("Month"), shape == TABLE),
            (_month_url(door, first, LIST), _("Month as a list"), shape == LIST),
            (_week_url(door, here), _("Week"), False),
        ],
        "weekdays": [
            (weekday_short(day % 7), weekday_name(day % 7))
            for day in range(start, start + 7)
        ],
        "weeks": cells,
        "days": [cell for week in cells for cell in week if cell],
        "legend": [state for state in WORDS if state in states],
        "unplanned": None in states,
    }


def _week(door: Door, first: date, *, today: date) -> dict[str, object]:
    last = first + A_WEEK - A_DAY
    outcomes = outcomes_of(session(), door.patient_id, first=first, last=last)
    days = week_calendar(outcomes, first, today, now())
    before, after = first - A_WEEK, first + A_WEEK
    here = min(today, last) if first <= today else last
    return _shared_parts(door, outcomes, first=first, last=last, today=today) | {
        "shape": "week",
        "words": _("Week of %(date)s", date=date_words(first)),
        "previous": (_week_url(door, before), _("Week before"))
        if before >= FIRST_MONTH
        else None,
        "next": (_week_url(door, after), _("Week after")) if last < today else None,
        "views": [
            (_month_url(door, here, TABLE), _("Month"), False),
            (_month_url(door, here, LIST), _("Month as a list"), False),
            (_week_url(door, first), _("Week"), True),
        ],
        "days": [_cell(day, door, today=today, parts=parts) for day, parts in days],
    }


def _calendar(door: Door) -> dict[str, object]:
    today = local(now(), zone(door.zone)).date()
    week = request.args.get("week")
    if week is not None:
        return _week(door, _week_asked(week), today=today)
    shape = LIST if request.args.get("as") == LIST else TABLE
    return _month(door, today=today, shape=shape)


def _show(door: Door) -> ResponseReturnValue:
    return page(
        "adherence/calendar.html",
        nav=nav_of(door),
        base_url=door.base_url,
        calendar=_calendar(door),
    )


@adherence.get("/patients/<int:patient_id>/calendar")
def show_calendar(patient_id: int) -> ResponseReturnValue:
    """Show a month, or a week."""
    viewer = who_asks()
    return _show(
        open_door(session(), viewer, patient_id, need=Level.VIEW, shows=(HISTORY,))
    )


@adherence.get("/shared/<int:link_id>/calendar")
def show_shared_calendar(link_id: int) -> ResponseReturnValue:
    """Show a month or a week to somebody who opened a link."""
    return _show(
        open_shared_door(
            session(), link_id, page=CALENDAR, opened=opened_shares(), now=now()
        )
    )
