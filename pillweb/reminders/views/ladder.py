"""The ladder of one medicine: shown in sentences, changed, back to the usual."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.zones import local, zone
from pillweb.medications.actions import keep_ladder
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of
from pillweb.reminders.forms import LadderForm, ladder_form
from pillweb.reminders.queries.moments import coming_doses
from pillweb.reminders.rules.ladder import (
    Ladder,
    read_ladder,
    usual_ladder,
    write_ladder,
)
from pillweb.reminders.rules.ladder_words import ladder_sentences
from pillweb.sharing.queries.access import helpers_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

ladders = Blueprint("ladders", __name__)
HERE = "/patients/<int:patient_id>/medicines/<int:medication_id>/ladder"


def _opened(patient_id: int, medication_id: int) -> tuple[Door, Medication]:
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return door, medication_of(session(), door.patient_id, medication_id)


def _context(door: Door, medication: Medication) -> dict[str, object]:
    at = now()
    coming = coming_doses(session(), medication.id, now=at)
    apart = coming[1] - coming[0] if len(coming) > 1 else None
    due = local(coming[0] if coming else at, zone(door.zone))
    own = read_ladder(medication.ladder)
    ladder = own or usual_ladder(medication.category, due, apart)
    helpers = helpers_of(session(), door.patient_id)
    return {
        "nav": nav_of(door),
        "medicine": medication,
        "here": f"{door.base_url}/medicines/{medication.id}",
        "sharing_url": f"{door.base_url}/sharing",
        "ladder": ladder,
        "is_own": own is not None,
        "sentences": ladder_sentences(ladder, due, is_usual=own is None),
        "first": [one.name for one in helpers if one.ladder_place == 1],
        "second": [one.name for one in helpers if one.ladder_place == 2],  # noqa: PLR2004
    }


def _form(context: dict[str, object], *, filled: bool) -> LadderForm:
    ladder: Ladder = context["ladder"]  # type: ignore[assignment]  # as put there
    return ladder_form(ladder, filled=filled)


@ladders.get(HERE)
def show_ladder(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show who is told of a dose when, and let one change it."""
    door, medication = _opened(patient_id, medication_id)
    context = _context(door, medication)
    form = _form(context, filled=True)
    return page("reminders/ladder.html", form=form, **context)


@ladders.post(HERE)
def post_ladder(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Keep the ladder that was chosen; it holds from the next step on."""
    door, medication = _opened(patient_id, medication_id)
    context = _context(door, medication)
    form = _form(context, filled=False)
    if not form.validate():
        return bad_form("reminders/ladder.html", form=form, **context)
    keep_ladder(medication, write_ladder(form.ladder()))
    url = f"{door.base_url}/medicines/{medication.id}/ladder"
    return go(url, notice=_("Saved."))


@ladders.post(f"{HERE}/usual")
def post_usual(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Let the class of the medicine say again who is told when."""
    door, medication = _opened(patient_id, medication_id)
    keep_ladder(medication, None)
    url = f"{door.base_url}/medicines/{medication.id}/ladder"
    return go(url, notice=_("Saved."))
