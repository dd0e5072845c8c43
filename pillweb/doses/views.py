"""Today: what to take now, and what was taken."""

from collections.abc import Collection

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions import mark_taken, undo_marks
from pillweb.doses.queries import day_of, doses_on, is_planned
from pillweb.doses.rules import (
    Today,
    by_part_of_day,
    day_named,
    today_page,
    without_names,
)
from pillweb.sharing.queries import open_door, open_shared_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import fragment, go, is_htmx, page
from pillweb.web.numbers import row_number
from pillweb.web.transaction import session
from pillweb.web.viewer import opened_shares, signed_in

doses = Blueprint("doses", __name__)


def _today(door: Door) -> dict[str, object]:
    at = now()
    place = zone(door.zone)
    here = local(at, place)
    found = day_of(session(), door.patient_id, place=place, now=at)
    today = today_page(
        found if door.shows_names else without_names(found),
        who="" if door.is_self else door.patient_name,
        here=here,
        now=at,
        clock=lambda instant: time_words(local(instant, place).time()),
        may_mark=door.may_mark,
    )
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "today": today,
        "take_all_url": f"{door.base_url}/today",
        "settling": not found and not is_planned(session(), door.patient_id),
        "add_url": f"{door.base_url}/medicines/new" if door.may_manage else None,
    }


@doses.get("/patients/<int:patient_id>/today")
def show_today(patient_id: int) -> ResponseReturnValue:
    """Show what to take now."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    return page("doses/today.html", **_today(door))


@doses.get("/shared/<int:link_id>/today")
def show_shared_today(link_id: int) -> ResponseReturnValue:
    """Show today to somebody who opened a link."""
    door = open_shared_door(session(), link_id, opened=opened_shares(), now=now())
    return page("doses/today.html", **_today(door))


@doses.get("/patients/<int:patient_id>/day")
def show_day(patient_id: int) -> ResponseReturnValue:
    """Show what became of one day, to read only; of today where none is named."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    place = zone(door.zone)
    day = request.args.get("on")
    asked = local(now(), place).date() if day is None else day_named(day)
    if asked is None:
        raise NotFoundError
    return page(
        "doses/day.html",
        nav=nav_of(door),
        base_url=door.base_url,
        day_words=f"{date_words(asked)} {asked.year}",
        back_url=f"{door.base_url}/calendar?month={asked:%Y-%m}",
        groups=by_part_of_day(
            doses_on(session(), door.patient_id, asked),
            now=now(),
            clock=lambda instant: time_words(local(instant, place).time()),
            may_mark=False,
        ),
    )


def _mark(door: Door, dose_ids: Collection[int], account_id: int) -> None:
    mark_taken(
        session(),
        dose_ids,
        patient_id=door.patient_id,
        account_id=account_id,
        channel="page",
        now=now(),
    )


@doses.post("/patients/<int:patient_id>/today")
def post_take_all(patient_id: int) -> ResponseReturnValue:
    """Record as taken everything the page listed as due, and nothing else."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MARK)
    _mark(door, request.form.getlist("dose", type=row_number), viewer.account_id)
    if is_htmx():
        return fragment("doses/_today.html", swapped=True, **_today(door))
    return go(f"{door.base_url}/today")


@doses.post("/patients/<int:patient_id>/doses/<int:dose_id>/take")
def post_take(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Record one dose as taken."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MARK)
    _mark(door, [dose_id], viewer.account_id)
    return _answer(door, dose_id)


@doses.post("/patients/<int:patient_id>/doses/<int:dose_id>/undo")
def post_undo(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Take back what was recorded of one dose."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MARK)
    undo_marks(
        session(),
        [dose_id],
        patient_id=door.patient_id,
        account_id=viewer.account_id,
        channel="page",
        now=now(),
    )
    return _answer(door, dose_id)


def _answer(door: Door, dose_id: int) -> ResponseReturnValue:
    """Answer with the one card that changed, and the sentence above it."""
    context = _today(door)
    today = context["today"]
    assert isinstance(today, Today)  # noqa: S101 - what _today put there
    card = today.card(dose_id)
    if card is None:
        raise NotFoundError
    if is_htmx():
        return fragment("doses/answer.html", card=card, **context)
    return go(f"{door.base_url}/today#dose-{dose_id}")
