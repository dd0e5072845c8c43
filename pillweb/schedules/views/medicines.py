"""Medicines: what is taken and when, in words."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.tokens import new_token
from pillweb.medications.actions import describe_medication
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of
from pillweb.schedules.forms.describe import DescriptionForm, description_form
from pillweb.schedules.models import PlanDraft
from pillweb.schedules.queries import (
    ListedMedication,
    answers_in,
    drafts_of,
    life_with,
    medicines_of,
    standing_lines,
)
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.views.telling import (
    medication_words,
    paused_words,
    until_words,
)
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

schedules = Blueprint("schedules", __name__)
NEW_MEDICINE = gettext_noop("A new medicine")


def _listed(found: ListedMedication, door: Door, life: Life) -> dict[str, object]:
    row = found.medication
    lines = [line_from_json(rule) for rule in found.rules]
    return {
        "id": row.id,
        "name": row.name,
        "strength": row.strength,
        "instruction": row.instruction,
        "reason": row.reason,
        "looks": row.looks,
        "picture_key": row.picture_key,
        "plan_words": medication_words(row, lines),
        "until_words": until_words(row, lines, door, life),
        "paused_words": paused_words(lines, door),
    }


def _listed_draft(row: PlanDraft, door: Door) -> dict[str, object]:
    here = f"{door.base_url}/medicines/drafts/{row.id}"
    return {
        "id": row.id,
        "name": answers_in(row).medicine.get("name", "") or _(NEW_MEDICINE),
        "needs_checking": row.source == "import",
        "url": here,
        "throw_url": f"{here}/throw-away",
    }


@schedules.get("/patients/<int:patient_id>/medicines")
def show_medicines(patient_id: int) -> ResponseReturnValue:
    """Show every medicine with its plan in one sentence, and what is not finished."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    found = medicines_of(session(), door.patient_id)
    life = life_with(session(), door.patient_id)
    unfinished = (
        drafts_of(session(), door.patient_id, now=now()) if door.may_manage else []
    )
    return page(
        "schedules/medicines.html",
        nav=nav_of(door),
        base_url=door.base_url,
        drafts=[_listed_draft(row, door) for row in unfinished],
        medicines=[
            _listed(one, door, life) for one in found if not one.medication.stopped_at
        ],
        stopped=[
            _listed(one, door, life) for one in found if one.medication.stopped_at
        ],
        add_url=f"{door.base_url}/medicines/new" if door.may_manage else None,
    )


def _medicine_page(
    door: Door, medication: Medication, form: DescriptionForm
) -> dict[str, object]:
    lines = standing_lines(session(), medication.id)
    life = life_with(session(), door.patient_id)
    here = f"{door.base_url}/medicines/{medication.id}"
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "here": here,
        "who_sees_url": f"{here}/who-sees" if door.is_self else None,
        "key": new_token(),
        "form": form,
        "medicine": medication,
        "plan_words": medication_words(medication, lines),
        "until_words": until_words(medication, lines, door, life),
        "paused_words": paused_words(lines, door),
    }


@schedules.get("/patients/<int:patient_id>/medicines/<int:medication_id>")
def show_edit(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show one medicine: how it is taken, and what can be done with it."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    form = description_form(medication)
    return page("schedules/medicine.html", **_medicine_page(door, medication, form))


@schedules.post("/patients/<int:patient_id>/medicines/<int:medication_id>")
def post_edit(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Correct what is said of a medicine; how it is taken stays as it is."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    form = DescriptionForm()
    if not form.validate():
        context = _medicine_page(door, medication, form)
        return bad_form("schedules/medicine.html", **context)
    describe_medication(medication, **form.facts())
    return go(f"{door.base_url}/medicines", notice=_("Saved."))
