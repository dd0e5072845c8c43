"""The calendar: a month, a shape and a word for each day."""

import calendar as months
import re
from datetime import date, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.adherence.queries import outcomes_of
from pillweb.adherence.rules.calendar import WORDS, Day, month_calendar
from pillweb.adherence.rules.tally import Tally, tally
from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import ngettext
from pillweb.base.words import (
    MONTH_NAMES,
    WEEKDAY_NAMES,
    date_words,
    number_words,
)
from pillweb.base.zones import local, zone
from pillweb.doses.rules.days import REPLAN_BEFORE
from pillweb.sharing.queries import open_door, open_shared_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import page
from pillweb.web.transaction import session
from pillweb.web.viewer import opened_shares, signed_in

adherence = Blueprint("adherence", __name__)

MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
FIRST_MONTH = date(2000, 1, 1)


def _month_asked(today: date) -> date:
    text = request.args.get("month")
    if text is None:
        return today.replace(day=1)
    found = MONTH.fullmatch(text)
    if found is None:
        raise NotFoundError
    return date(int(found[1]), int(found[2]), 1)


def _cell(day: Day, door: Door, *, today: date) -> dict[str, object] | None:
    if not day.in_month:
        return None
    # What lies beyond the days surely planned is not known, which is not "nothing due".
    unknown = day.state == "not_due" and day.on >= today + REPLAN_BEFORE
    own = f"{door.base_url}/days/{day.on.isoformat()}"
    return {
        "number": day.on.day,
        "is_today": day.is_today,
        "url": None if door.is_shared or day.state == "not_due" else own,
        "state": None if unknown else day.state,
        "state_words": day.word,
    }


def _step(door: Door, first: date) -> dict[str, str]:
    return {
        "url": f"{door.base_url}/calendar?month={first:%Y-%m}",
        "words": f"{MONTH_NAMES[first.month - 1]} {first.year}",
    }


def _summary(counts: Tally) -> str:
    if not counts.due_days:
        return ""
    return ngettext(
        "All was taken on %(full)s of %(num)s day.",
        "All was taken on %(full)s of %(num)s days.",
        counts.due_days,
        full=number_words(counts.full_days),
    )


def _calendar(door: Door) -> dict[str, object]:
    at = now()
    today = local(at, zone(door.zone)).date()
    first = _month_asked(today)
    last = first.replace(day=months.monthrange(first.year, first.month)[1])
    outcomes = outcomes_of(session(), door.patient_id, first=first, last=last)
    weeks = month_calendar(outcomes, first.year, first.month, today, at)
    cells = [[_cell(day, door, today=today) for day in week] for week in weeks]
    states = {cell["state"] for week in cells for cell in week if cell}
    counts = tally(outcomes, at)
    return {
        "month_words": f"{MONTH_NAMES[first.month - 1]} {first.year}",
        "summary": _summary(counts),
        "previous": _step(door, (first - timedelta(days=1)).replace(day=1))
        if first > FIRST_MONTH
        else None,
        "next": _step(door, last + timedelta(days=1)) if last < today else None,
        "weekdays": [(name[:3], name) for name in WEEKDAY_NAMES],
        "weeks": cells,
        "legend": [state for state in WORDS if state in states],
        "unplanned": None in states,
        "today_words": date_words(today),
    }


def _show(door: Door) -> ResponseReturnValue:
    return page(
        "adherence/calendar.html",
        nav=nav_of(door),
        base_url=door.base_url,
        calendar=_calendar(door),
    )


@adherence.get("/patients/<int:patient_id>/calendar")
def show_calendar(patient_id: int) -> ResponseReturnValue:
    """Show a month."""
    return _show(open_door(session(), signed_in(), patient_id, need=Level.VIEW))


@adherence.get("/shared/<int:link_id>/calendar")
def show_shared_calendar(link_id: int) -> ResponseReturnValue:
    """Show a month to somebody who opened a link."""
    return _show(
        open_shared_door(session(), link_id, opened=opened_shares(), now=now())
    )
