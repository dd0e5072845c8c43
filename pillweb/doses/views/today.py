"""Today: what to take now, and what was taken."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.tokens import new_token
from pillweb.base.viewer import Asker
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import Zone, local, zone
from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.queries.days import dose_facts, doses_on, is_planned, notes_of
from pillweb.doses.queries.intakes import (
    Shelf,
    intakes_on,
    today_and_shelf,
    who_recorded,
)
from pillweb.doses.rules.days import (
    OPEN,
    DoseFacts,
    answered_until,
    is_late_entry,
    may_be_another,
    read_day,
    told_here,
    without_names,
)
from pillweb.doses.rules.intakes import intake_cards
from pillweb.doses.rules.pages import DayPage, Today, day_page, said_of, today_page
from pillweb.doses.views.notes import notes_on_today
from pillweb.patients.queries import zone_at
from pillweb.schedules.rules.guard_words import moment_words
from pillweb.schedules.rules.needed import needed_cards
from pillweb.sharing.queries.doors import open_door, open_shared_door
from pillweb.sharing.rules import HISTORY, TODAY, Door, Level, nav_of
from pillweb.web.htmx import fragment, go, is_htmx, page
from pillweb.web.numbers import row_number, row_numbers
from pillweb.web.transaction import session
from pillweb.web.viewer import opened_shares, who_asks

doses = Blueprint("doses", __name__)

A_DAY = timedelta(days=1)


def _today(door: Door, *, said: Collection[int] = ()) -> dict[str, object]:
    """Return today; `said` are the doses of which a press is to be told on top."""
    at = now()
    place = zone(door.zone)
    here = local(at, place)
    found, shelf = today_and_shelf(session(), door.patient_id, place=place, now=at)
    found = told_here(_as_seen(door, found), place)

    def clock(instant: datetime) -> str:
        return time_words(local(instant, place).time())

    today = today_page(
        found,
        who="" if door.is_self else door.patient_name,
        here=here,
        now=at,
        clock=clock,
        may_mark=door.may_mark,
    )
    pressed = [dose for dose in found if door.may_mark and dose.id in said]
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "today": today,
        "as_of": (time_words(here.time()), date_words(here.date())),
        "until": answered_until(found, place=place, now=at),
        "said": said_of(pressed, now=at, clock=clock),
        "form_id": "today",
        "hides_more": not door.shows_names,
        "notes_on_today": notes_on_today(door, found, now=at),
        "other_days": _other_days(door, here.date()),
        **_as_needed(door, shelf, here=here, now=at),
        "take_all_url": f"{door.base_url}/today",
        "settling": not found and not is_planned(session(), door.patient_id),
        "add_url": f"{door.base_url}/medicines/new" if door.may_manage else None,
    }


def _as_seen(door: Door, doses: Sequence[DoseFacts]) -> Sequence[DoseFacts]:
    return doses if door.shows_names else without_names(doses)


def _other_days(door: Door, today: date) -> list[tuple[str, str]]:
    if door.is_shared or HISTORY not in door.sees:
        return []
    days = f"{door.base_url}/days"
    return [
        (f"{days}/{today - A_DAY}", _("Yesterday")),
        (f"{days}/{today + A_DAY}", _("Tomorrow")),
    ]


def _as_needed(
    door: Door, shelf: Shelf, *, here: datetime, now: datetime
) -> dict[str, object]:
    """Return what is taken as needed, and what was recorded today beside the plan.

    Its sentences name medicines, so whoever may not see names sees none of it.
    """
    if not door.shows_names:
        return {"needed": (), "intakes": ()}
    place = zone(door.zone)

    def when(moment: datetime) -> str:
        return moment_words(local(moment, place), here)

    return {
        "needed": needed_cards(
            shelf.needed, shelf.taken, today=here.date(), now=now, when=when
        ),
        "intakes": intake_cards(
            [
                i
                for i in shelf.intakes
                if local(i.taken_at, place).date() == here.date()
            ],
            now=now,
            when=when,
            may_mark=door.may_mark,
        ),
        "may_mark": door.may_mark,
        "key": new_token(),
    }


@doses.get("/patients/<int:patient_id>/today")
def show_today(patient_id: int) -> ResponseReturnValue:
    """Show what to take now, and on top what a press did, or who was before it."""
    door = open_door(session(), who_asks(), patient_id, need=Level.VIEW, shows=())
    asked = request.args.get("already", type=row_number)
    already = _already(door, asked) if asked else ""
    notices = [("info", already)] if already else []
    return page("doses/today.html", notices=notices, **_today(door, said=_said_asked()))


def _said_asked() -> list[int]:
    return request.args.getlist("said", type=row_number)


def _said_url(where: str, dose_ids: Iterable[int]) -> str:
    asked = "&".join(f"said={dose_id}" for dose_id in dose_ids)
    return f"{where}?{asked}" if asked else where


def _already(door: Door, dose_id: int) -> str:
    """Return who recorded a dose, and when; nothing where nobody did."""
    dose = dose_facts(session(), door.patient_id, dose_id)
    if dose is None or dose.recorded_at is None:
        return ""
    name = who_recorded(session(), dose_id)
    clock = time_words(local(dose.recorded_at, zone(door.zone)).time())
    if name:
        return _("Already recorded at %(time)s by %(name)s.", time=clock, name=name)
    return _("Already recorded at %(time)s.", time=clock)


@doses.get("/shared/<int:link_id>/today")
def show_shared_today(link_id: int) -> ResponseReturnValue:
    """Show today to somebody who opened a link."""
    door = open_shared_door(
        session(), link_id, page=TODAY, opened=opened_shares(), now=now()
    )
    return page("doses/today.html", **_today(door))


def _day_asked(text: str) -> date:
    on = read_day(text)
    if on is None:
        raise NotFoundError
    return on


def _day(door: Door, on: date, *, said: Collection[int] = ()) -> dict[str, object]:
    at = now()
    noon = datetime.combine(on, time(12), UTC)
    place = zone(zone_at(session(), door.patient_id, at=min(noon, at)))

    def clock(instant: datetime) -> str:
        here = local(instant, place)
        at_time = time_words(here.time())
        if here.date() == on:
            return at_time
        return _("%(time)s on %(date)s", time=at_time, date=date_words(here.date()))

    found = _as_seen(door, doses_on(session(), door.patient_id, on))
    today = local(at, zone(door.zone)).date()
    pressed = [dose for dose in found if door.may_mark and dose.id in said]
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "on": on,
        "said": said_of(pressed, now=at, clock=clock),
        "form_id": "day",
        "hides_more": not door.shows_names,
        "notes": {},
        "intakes": (),
        "day": day_page(
            found,
            on=on,
            today=today,
            now=at,
            clock=clock,
            may_mark=door.may_mark,
        ),
        "steps": _steps(door, on, today=today),
        **(_named(door, found, on, place, clock) if door.shows_names else {}),
    }


def _named(
    door: Door,
    found: Sequence[DoseFacts],
    on: date,
    place: Zone,
    clock: Callable[[datetime], str],
) -> dict[str, object]:
    """Return what a day says beside its plan, in words that may name medicines."""
    return {
        "notes": notes_of(session(), [dose.id for dose in found]),
        "intakes": intake_cards(
            intakes_on(session(), door.patient_id, on, place=place),
            now=now(),
            when=clock,
            may_mark=door.may_mark,
        ),
    }


def _steps(door: Door, on: date, *, today: date) -> list[tuple[str, str]]:
    return [
        _step(door, day, today=today)
        for day in (on - A_DAY, on + A_DAY)
        if read_day(day.isoformat())
    ]


def _step(door: Door, day: date, *, today: date) -> tuple[str, str]:
    if day == today:
        return f"{door.base_url}/today", _("Today")
    return f"{door.base_url}/days/{day}", date_words(day)


@doses.get("/patients/<int:patient_id>/days/<day>")
def show_day(patient_id: int, day: str) -> ResponseReturnValue:
    """Show one day, past or planned, and let open doses of the past be recorded."""
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.VIEW, shows=(HISTORY,))
    return page("doses/day.html", **_day(door, _day_asked(day), said=_said_asked()))


def _mark(
    door: Door, dose_ids: Collection[int], viewer: Asker, *, just_now: bool = True
) -> list[int]:
    return mark_taken(
        session(),
        dose_ids,
        patient_id=door.patient_id,
        account_id=viewer.account_id,
        channel=viewer.channel,
        now=now(),
        just_now=just_now,
    )


@doses.post("/patients/<int:patient_id>/today")
def post_take_all(patient_id: int) -> ResponseReturnValue:
    """Record as taken everything the page listed as due, and nothing else."""
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.MARK, shows=())
    listed = request.form.getlist("dose", type=row_number)
    # What somebody else recorded meanwhile is not this press's to undo.
    marked = _mark(door, listed, viewer)
    if is_htmx():
        context = _today(door, said=marked)
        return fragment("doses/all.html", swapped=True, **context)
    return go(_said_url(f"{door.base_url}/today", marked))


@doses.post("/patients/<int:patient_id>/doses/<int:dose_id>/take")
def post_take(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Record one dose as taken; from the page of a past day without a time.

    Of a dose that was recorded within minutes, on another device or by an old page,
    the answer says by whom; of one recorded earlier it asks whether it was one more.
    """
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.MARK, shows=())
    late = "day" in request.form and _is_late(door, dose_id)
    if _mark(door, [dose_id], viewer, just_now=not late):
        return _answer(door, dose_id)
    dose = dose_facts(session(), patient_id, dose_id)
    if dose and door.shows_names and may_be_another(dose, now=now()):
        return go(f"{door.base_url}/doses/{dose_id}/again")
    if "day" in request.form or not dose or dose.state == OPEN:
        return _answer(door, dose_id)
    if is_htmx():
        return _answer(door, dose_id, already=_already(door, dose_id))
    return go(f"{door.base_url}/today?already={dose_id}#dose-{dose_id}")


def _is_late(door: Door, dose_id: int) -> bool:
    dose = dose_facts(session(), door.patient_id, dose_id)
    today = local(now(), zone(door.zone)).date()
    return dose is not None and is_late_entry(dose, today=today, now=now())


@doses.post("/patients/<int:patient_id>/doses/<int:dose_id>/undo")
def post_undo(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Take back what was recorded of one dose."""
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.MARK, shows=())
    undo_marks(
        session(),
        [dose_id],
        patient_id=door.patient_id,
        account_id=viewer.account_id,
        channel=viewer.channel,
        now=now(),
    )
    return _answer(door, dose_id)


@doses.post("/patients/<int:patient_id>/undo")
def post_undo_all(patient_id: int) -> ResponseReturnValue:
    """Take back what the newest press recorded, be it of one dose or of several."""
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.MARK, shows=())
    listed = row_numbers(request.form.get("undo", ""))
    undo_marks(
        session(),
        listed,
        patient_id=patient_id,
        account_id=viewer.account_id,
        channel=viewer.channel,
        now=now(),
    )
    on = read_day(request.form.get("day", ""))
    return go(_said_url(f"{door.base_url}/{f'days/{on}' if on else 'today'}", listed))


def _answer(door: Door, dose_id: int, *, already: str = "") -> ResponseReturnValue:
    """Answer with the one card that changed, and the sentence above it on today."""
    if "day" in request.form:
        return _answer_on_day(door, dose_id, _day_asked(request.form["day"]))
    context = _today(door, said=[dose_id])
    today = context["today"]
    assert isinstance(today, Today)  # noqa: S101 - what _today put there
    card = today.card(dose_id)
    if card is None:
        raise NotFoundError
    if is_htmx():
        return fragment("doses/answer.html", card=card, already=already, **context)
    return go(_said_url(f"{door.base_url}/today", [dose_id]))


def _answer_on_day(door: Door, dose_id: int, on: date) -> ResponseReturnValue:
    context = _day(door, on, said=[dose_id])
    day = context["day"]
    assert isinstance(day, DayPage)  # noqa: S101 - what _day put there
    card = next((card for card in day.cards if card.id == dose_id), None)
    if card is None:
        raise NotFoundError
    if is_htmx():
        return fragment("doses/day_answer.html", card=card, **context)
    return go(_said_url(f"{door.base_url}/days/{on}", [dose_id]))
