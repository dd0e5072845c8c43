"""Pages about a patient's own clock and meals."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.medications.models import Medication
from pillweb.patients.actions import cancel_zone_change, change_zone
from pillweb.patients.forms import zone_words
from pillweb.patients.queries import zone_changes_of
from pillweb.portals.actions import keep_meals, keep_policy
from pillweb.portals.forms import (
    HOME,
    LATER,
    TRAVEL,
    ClockForm,
    MealsForm,
    journey_form,
    meals_form,
)
from pillweb.schedules.queries import lives_of, medicines_of
from pillweb.schedules.rules.journey import (
    hours_apart,
    pharmacist_words,
    policy_of,
    with_policy,
)
from pillweb.schedules.rules.life import USUAL_MEALS, Life
from pillweb.schedules.rules.line import Line, ZoneChange, ZonePolicy
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import Form
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

times = Blueprint("times", __name__)

CRITICAL = "time_critical"
POLICY_WORDS = {
    "follow": gettext_noop("Use local times."),
    "home": gettext_noop("Keep home times."),
}
NEXT_WORDS = {
    "follow": gettext_noop("Use local times. Next: %(when)s."),
    "home": gettext_noop("Keep home times. Next: %(when)s."),
}
CARRIED = ("why", "zone", "when", "on", "at")


def _life(door: Door) -> Life:
    return lives_of(session(), [door.patient_id])[door.patient_id]


def _meals_page(door: Door, form: MealsForm, life: Life) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "action": f"{door.base_url}/meals",
        "guessed": life.meals == USUAL_MEALS,
    }


@times.get("/patients/<int:patient_id>/meals")
def show_meals(patient_id: int) -> ResponseReturnValue:
    """Show when a patient eats and sleeps."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    life = _life(door)
    return page("portals/meals.html", **_meals_page(door, meals_form(life.meals), life))


@times.post("/patients/<int:patient_id>/meals")
def post_meals(patient_id: int) -> ResponseReturnValue:
    """Keep the meals; doses to come follow them from now on."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    form = MealsForm()
    if not form.validate():
        context = _meals_page(door, form, _life(door))
        return bad_form("portals/meals.html", **context)
    keep_meals(session(), door.patient_id, form.meals(), now=now())
    wake_after_commit("plan_doses")
    return go(f"{door.base_url}/medicines", notice=_("Saved."))


def _when_words(at: datetime, place: str) -> str:
    shown = local(at, zone(place))
    return _(
        "%(time)s on %(date)s",
        time=time_words(shown.time()),
        date=date_words(shown.date()),
    )


def _clock_page(door: Door, form: ClockForm) -> dict[str, object]:
    here = f"{door.base_url}/travel"
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "action": here,
        "zone_words": zone_words(door.zone),
        "home_words": zone_words(door.home_zone),
        "home_zone": door.home_zone,
        "away": door.zone != door.home_zone,
        "planned": [
            {
                "words": _(
                    "From %(when)s: the time of %(place)s",
                    when=_when_words(one.at, one.zone),
                    place=zone_words(one.zone),
                ),
                "url": f"{here}/{one.id}/cancel",
            }
            for one in zone_changes_of(session(), [door.patient_id])
            if one.at > now()
        ],
    }


@times.get("/patients/<int:patient_id>/travel")
def show_travel(patient_id: int) -> ResponseReturnValue:
    """Show by which clock a patient lives, and ask where the journey goes."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("portals/travel.html", **_clock_page(door, ClockForm()))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A medicine whose doses move with the clock."""

    medication: Medication
    lines: tuple[Line, ...]
    policy: ZonePolicy


def _asked_of(door: Door) -> list[_Asked]:
    found = []
    for one in medicines_of(session(), door.patient_id):
        lines = tuple(line_from_json(rule) for rule in one.rules)
        policy = policy_of(lines)
        if policy is not None:
            critical = one.medication.category == CRITICAL
            found.append(_Asked(one.medication, lines, "home" if critical else policy))
    return found


def _policy_words(life: Life, asked: _Asked, policy: ZonePolicy, at: datetime) -> str:
    dues = [
        life.next_after(line, at) for line in with_policy(list(asked.lines), policy)
    ]
    known = [due for due in dues if due is not None]
    if not known:
        return _(POLICY_WORDS[policy])
    first = min(known, key=lambda due: due.due_at)
    when = _when_words(first.due_at, first.zone)
    return _(NEXT_WORDS[policy], when=when)


def _journey(door: Door, asked: list[_Asked], clock: ClockForm) -> Form:
    life, at = _life(door), clock.begins_at(now=now())
    new = ZoneChange(at, clock.zone.data)
    changes = (*(one for one in life.changes if one.at < at), new)
    there = replace(life, changes=changes)
    made = journey_form(
        [
            (
                one.medication.id,
                f"{one.medication.name} {one.medication.strength}".strip(),
                _policy_words(there, one, "follow", at),
                _policy_words(there, one, "home", at),
            )
            for one in asked
        ]
    )
    return made(data={f"times_{one.medication.id}": one.policy for one in asked})


def _check_page(
    door: Door, clock: ClockForm, journey: Form, asked: list[_Asked]
) -> dict[str, Any]:
    at, there = clock.begins_at(now=now()), clock.zone.data
    names = [one.medication.name for one in asked]
    travels = clock.why.data == TRAVEL
    later = travels and clock.when.data == LATER
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": journey,
        "action": f"{door.base_url}/travel",
        "carried": {name: request.form.get(name, "") for name in CARRIED},
        "travels": travels,
        "zone_words": zone_words(there),
        "begins_words": _when_words(at, there) if later else "",
        "critical": [
            one.medication.name for one in asked if one.medication.category == CRITICAL
        ],
        "pharmacist": pharmacist_words(names, hours_apart(door.zone, there, at))
        if travels
        else "",
    }


@times.post("/patients/<int:patient_id>/travel")
def post_travel(patient_id: int) -> ResponseReturnValue:
    """Ask of each medicine by which clock it goes; keep the answers when they come."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    clock = ClockForm()
    if not clock.validate():
        return bad_form("portals/travel.html", **_clock_page(door, clock))
    away = clock.why.data == TRAVEL and clock.zone.data != door.home_zone
    asked = _asked_of(door) if away else []
    journey = _journey(door, asked, clock)
    context = _check_page(door, clock, journey, asked)
    if "decided" not in request.form:
        return page("portals/travel_check.html", **context)
    if not journey.validate():
        return bad_form("portals/travel_check.html", **context)
    for one in asked:
        keep_policy(
            session(),
            one.medication,
            journey[f"times_{one.medication.id}"].data,
            author_id=viewer.account_id,
            now=now(),
        )
    change_zone(
        session(),
        door.patient_id,
        clock.zone.data,
        at=clock.begins_at(now=now()),
        is_travel=clock.why.data != HOME,
        account_id=viewer.account_id,
        now=now(),
    )
    wake_after_commit("plan_doses")
    return go(f"{door.base_url}/travel", notice=_("Saved."))


@times.post("/patients/<int:patient_id>/travel/<int:change_id>/cancel")
def post_cancel(patient_id: int, change_id: int) -> ResponseReturnValue:
    """Take back a change of clock that has not come yet."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    if not cancel_zone_change(session(), door.patient_id, change_id, now=now()):
        raise NotFoundError
    wake_after_commit("plan_doses")
    return go(f"{door.base_url}/travel", notice=_("Saved."))
