"""A dose that is not taken, and why."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.words import time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import skip_dose
from pillweb.doses.forms import SkipForm
from pillweb.doses.queries.days import dose_facts
from pillweb.doses.rules.days import DoseFacts, is_late_entry, may_skip
from pillweb.doses.rules.sentences import amount_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import who_asks

skips = Blueprint("skips", __name__)


def _dose(door: Door, dose_id: int) -> DoseFacts:
    found = dose_facts(session(), door.patient_id, dose_id)
    if found is None:
        raise NotFoundError
    return found


def _where(door: Door, dose: DoseFacts) -> str:
    """Return the page the dose stands on: today's, or that of its day."""
    today = local(now(), zone(door.zone)).date()
    if is_late_entry(dose, today=today, now=now()):
        return f"{door.base_url}/days/{dose.nominal_date}"
    return f"{door.base_url}/today"


def _skip_page(door: Door, dose: DoseFacts, form: SkipForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "back_url": _where(door, dose),
        "name": dose.name,
        "strength": dose.strength,
        "amount": amount_of(dose),
        "clock": time_words(dose.clock),
        "form": form,
        "action": f"{door.base_url}/doses/{dose.id}/skip",
    }


@skips.get("/patients/<int:patient_id>/doses/<int:dose_id>/skip")
def show_skip(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Ask why a dose is not taken; nothing is recorded by looking."""
    door = open_door(session(), who_asks(), patient_id, need=Level.MARK)
    dose = _dose(door, dose_id)
    if not may_skip(dose, now=now()):
        return go(_where(door, dose))
    return page("doses/skip.html", **_skip_page(door, dose, SkipForm()))


@skips.post("/patients/<int:patient_id>/doses/<int:dose_id>/skip")
def post_skip(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Record that a dose is not taken, and why."""
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.MARK)
    dose = _dose(door, dose_id)
    form = SkipForm()
    if not form.validate():
        return bad_form("doses/skip.html", **_skip_page(door, dose, form))
    if may_skip(dose, now=now()):
        skip_dose(
            session(),
            dose_id,
            patient_id=patient_id,
            account_id=viewer.account_id,
            channel=viewer.channel,
            reason=form.reason.data,
            note=said(form.note),
            now=now(),
        )
    return go(f"{_where(door, dose)}?said={dose_id}")
