"""Medicines: what is taken, when, and how to change it."""

from collections.abc import Sequence
from datetime import date

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.words import date_words, long_date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.medications.actions import add_medication, describe_medication
from pillweb.medications.models import Medication
from pillweb.medications.queries import just_added, medication_of
from pillweb.medications.rules import unit_of
from pillweb.patients.actions import note_plan_change
from pillweb.schedules.actions import set_plan, stop_medication
from pillweb.schedules.forms import (
    DescriptionForm,
    MedicineForm,
    description_form,
    empty_form,
    filled_form,
    fits_form,
)
from pillweb.schedules.queries import (
    REACHES_BACK,
    ListedMedication,
    current_plan,
    lines_of,
    lives_of,
    medicines_of,
)
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.slots import is_same
from pillweb.schedules.rules.words import in_words
from pillweb.sharing.queries import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

schedules = Blueprint("schedules", __name__)


def _today(door: Door) -> date:
    return local(now(), zone(door.zone)).date()


def _plan_words(row: Medication, lines: Sequence[Line]) -> str:
    plan = [in_words(line, unit_of(row.form)) for line in lines]
    return "; ".join(words[:1].upper() + words[1:] for words in plan)


def _until_words(row: Medication, lines: Sequence[Line], door: Door, life: Life) -> str:
    if row.stopped_at:
        stopped = local(row.stopped_at, zone(door.zone)).date()
        return f"Stopped on {long_date_words(stopped)}"
    starts = [line.start_date for line in lines if line.start_date]
    if starts and min(starts) > _today(door):
        return f"Starts on {long_date_words(min(starts))}"
    return _next_words(lines, door, life)


def _next_words(lines: Sequence[Line], door: Door, life: Life) -> str:
    """Return when the next dose is due, so that nobody waits for one this morning."""
    place = zone(door.zone)
    dues = [life.next_after(line, now() - REACHES_BACK) for line in lines]
    coming = min((due.due_at for due in dues if due is not None), default=None)
    if coming is None:
        return ""
    at = local(coming, place)
    return f"Next: {time_words(at.time())} on {date_words(at.date())}"


def _life(door: Door) -> Life:
    return lives_of(session(), [door.patient_id])[door.patient_id]


def _listed(found: ListedMedication, door: Door, life: Life) -> dict[str, object]:
    row = found.medication
    lines = [line_from_json(rule) for rule in found.rules]
    return {
        "id": row.id,
        "name": row.name,
        "strength": row.strength,
        "instruction": row.instruction,
        "reason": row.reason,
        "plan_words": _plan_words(row, lines),
        "until_words": _until_words(row, lines, door, life),
    }


@schedules.get("/patients/<int:patient_id>/medicines")
def show_medicines(patient_id: int) -> ResponseReturnValue:
    """Show every medicine with its plan in one sentence."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    found = medicines_of(session(), door.patient_id)
    life = _life(door)
    return page(
        "schedules/medicines.html",
        nav=nav_of(door),
        base_url=door.base_url,
        medicines=[
            _listed(one, door, life) for one in found if not one.medication.stopped_at
        ],
        stopped=[
            _listed(one, door, life) for one in found if one.medication.stopped_at
        ],
        add_url=f"{door.base_url}/medicines/new" if door.may_manage else None,
    )


def _edit_page(door: Door, form: DescriptionForm, **more: object) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "action": f"{door.base_url}/medicines/new",
        **more,
    }


@schedules.get("/patients/<int:patient_id>/medicines/new")
def show_new(patient_id: int) -> ResponseReturnValue:
    """Show the form of a new medicine."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("schedules/edit.html", **_edit_page(door, empty_form(_today(door))))


@schedules.post("/patients/<int:patient_id>/medicines/new")
def post_new(patient_id: int) -> ResponseReturnValue:
    """Add a medicine and plan its doses; pressing twice adds one."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = MedicineForm()
    if not form.validate():
        return bad_form("schedules/edit.html", **_edit_page(door, form))
    if not _pressed_twice(door, form):
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


def _pressed_twice(door: Door, form: MedicineForm) -> bool:
    """Say whether just this was saved a moment ago: nobody takes it twice over."""
    # Writing first lets two presses at once wait for each other.
    note_plan_change(session(), door.patient_id)
    twins = just_added(session(), door.patient_id, now=now(), **form.facts())
    return any(is_same(_newest_lines(twin)[0], form.line()) for twin in twins)


def _newest_lines(medication: Medication) -> list[Line]:
    plan = current_plan(session(), medication.id)
    rows = lines_of(session(), plan.id) if plan else []
    return [line_from_json(row.rule) for row in rows]


def _change_page(
    door: Door, form: DescriptionForm, medication: Medication, lines: Sequence[Line]
) -> dict[str, object]:
    here = f"{door.base_url}/medicines/{medication.id}"
    running = medication.stopped_at is None
    return _edit_page(
        door,
        form,
        action=here,
        medicine=medication,
        stop_url=f"{here}/stop" if running else None,
        stopped_words=""
        if running
        else _until_words(medication, lines, door, _life(door)),
        plan_words="" if fits_form(lines) else _plan_words(medication, lines),
    )


@schedules.get("/patients/<int:patient_id>/medicines/<int:medication_id>")
def show_edit(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show the form of a medicine as it is taken now.

    A plan that the form cannot show is told in words; then only the rest is asked.
    """
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    lines = _newest_lines(medication)
    form = (
        filled_form(medication, lines[0])
        if fits_form(lines)
        else description_form(medication)
    )
    context = _change_page(door, form, medication, lines)
    return page("schedules/edit.html", **context)


@schedules.post("/patients/<int:patient_id>/medicines/<int:medication_id>")
def post_edit(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Replace the plan from now on; what was recorded stays as it is."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    lines = _newest_lines(medication)
    form = MedicineForm() if fits_form(lines) else DescriptionForm()
    if not form.validate():
        context = _change_page(door, form, medication, lines)
        return bad_form("schedules/edit.html", **context)
    describe_medication(medication, **form.facts())
    set_plan(
        session(),
        medication,
        lines=[form.line()] if isinstance(form, MedicineForm) else lines,
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
