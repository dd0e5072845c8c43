"""Medicines: what is taken, when, and how to change it."""

from datetime import date

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.words import long_date_words
from pillweb.base.zones import local, zone
from pillweb.medications.actions import add_medication, describe_medication
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of
from pillweb.medications.rules import unit_of
from pillweb.schedules.actions import set_plan, stop_medication
from pillweb.schedules.forms import MedicineForm, empty_form, filled_form
from pillweb.schedules.queries import (
    ListedMedication,
    current_plan,
    lines_of,
    medicines_of,
)
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.words import in_words
from pillweb.sharing.queries import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

schedules = Blueprint("schedules", __name__)


def _today(door: Door) -> date:
    return local(now(), zone(door.zone)).date()


def _listed(found: ListedMedication) -> dict[str, object]:
    row = found.medication
    unit = unit_of(row.form)
    plan = [in_words(line_from_json(rule), unit) for rule in found.rules]
    stopped = row.stopped_at
    return {
        "id": row.id,
        "name": row.name,
        "strength": row.strength,
        "instruction": row.instruction,
        "reason": row.reason,
        "plan_words": "; ".join(words[:1].upper() + words[1:] for words in plan),
        "until_words": f"Stopped on {long_date_words(stopped.date())}"
        if stopped
        else "",
    }


@schedules.get("/patients/<int:patient_id>/medicines")
def show_medicines(patient_id: int) -> ResponseReturnValue:
    """Show every medicine with its plan in one sentence."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    found = medicines_of(session(), door.patient_id)
    return page(
        "schedules/medicines.html",
        nav=nav_of(door),
        base_url=door.base_url,
        medicines=[_listed(one) for one in found if not one.medication.stopped_at],
        stopped=[_listed(one) for one in found if one.medication.stopped_at],
        add_url=f"{door.base_url}/medicines/new" if door.may_manage else None,
    )


def _edit_page(
    door: Door, form: MedicineForm, medication: Medication | None = None
) -> dict[str, object]:
    where = f"{door.base_url}/medicines"
    here = f"{where}/{medication.id}" if medication else f"{where}/new"
    running = medication is not None and medication.stopped_at is None
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "action": here,
        "medicine": medication,
        "stop_url": f"{here}/stop" if running else None,
    }


@schedules.get("/patients/<int:patient_id>/medicines/new")
def show_new(patient_id: int) -> ResponseReturnValue:
    """Show the form of a new medicine."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("schedules/edit.html", **_edit_page(door, empty_form(_today(door))))


@schedules.post("/patients/<int:patient_id>/medicines/new")
def post_new(patient_id: int) -> ResponseReturnValue:
    """Add a medicine and plan its doses."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = MedicineForm()
    if not form.validate():
        return bad_form("schedules/edit.html", **_edit_page(door, form))
    medication = add_medication(
        session(), patient_id=door.patient_id, now=now(), **form.facts()
    )
    set_plan(
        session(),
        medication,
        lines=[form.line()],
        author_id=viewer.account_id,
        now=now(),
    )
    wake_after_commit("plan_doses")
    return go(f"{door.base_url}/medicines")


def _current_line(medication: Medication) -> Line | None:
    plan = current_plan(session(), medication.id)
    lines = lines_of(session(), plan.id) if plan else []
    return line_from_json(lines[0].rule) if lines else None


@schedules.get("/patients/<int:patient_id>/medicines/<int:medication_id>")
def show_edit(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show the form of a medicine as it is taken now."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    form = filled_form(medication, _current_line(medication), _today(door))
    return page("schedules/edit.html", **_edit_page(door, form, medication))


@schedules.post("/patients/<int:patient_id>/medicines/<int:medication_id>")
def post_edit(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Replace the plan from now on; what was recorded stays as it is."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    form = MedicineForm()
    if not form.validate():
        return bad_form("schedules/edit.html", **_edit_page(door, form, medication))
    describe_medication(medication, **form.facts())
    set_plan(
        session(),
        medication,
        lines=[form.line()],
        author_id=viewer.account_id,
        now=now(),
    )
    wake_after_commit("plan_doses")
    return go(f"{door.base_url}/medicines")


@schedules.post("/patients/<int:patient_id>/medicines/<int:medication_id>/stop")
def post_stop(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """End a medicine from now on."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    stop_medication(session(), medication, now=now())
    wake_after_commit("plan_doses")
    return go(f"{door.base_url}/medicines")
