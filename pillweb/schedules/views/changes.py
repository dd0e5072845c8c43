"""A medicine is stopped, paused and taken again; and the versions of its plan."""

from collections.abc import Callable, Iterator, Sequence

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, pgettext
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of
from pillweb.medications.rules import unit_of
from pillweb.schedules.actions import change_lines, stop_medication
from pillweb.schedules.forms.describe import PauseForm, WhyForm
from pillweb.schedules.queries import Version, standing_lines, versions_of
from pillweb.schedules.rules.compare import compare
from pillweb.schedules.rules.line import Line, Pause
from pillweb.schedules.rules.pausing import paused, resumed
from pillweb.schedules.views.telling import (
    medication_words,
    plan_words,
    today_of,
    when_words,
)
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import Form, said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

changes = Blueprint("changes", __name__)
SOURCES = {
    "prescription": gettext_noop("From the prescription"),
    "import": gettext_noop("From a file"),
}
NOT_CHANGED = gettext_noop("How it is taken did not change.")


def _context(door: Door, medication: Medication, form: Form) -> dict[str, object]:
    lines = standing_lines(session(), medication.id)
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "here": f"{door.base_url}/medicines/{medication.id}",
        "medicine": medication,
        "plan_words": medication_words(medication, lines),
        "form": form,
    }


@changes.get("/patients/<int:patient_id>/medicines/<int:medication_id>/stop")
def show_stop(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Ask whether a medicine is really to be stopped, and why."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    return page("schedules/stop.html", **_context(door, medication, WhyForm()))


@changes.post("/patients/<int:patient_id>/medicines/<int:medication_id>/stop")
def post_stop(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """End a medicine from now on."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    form = WhyForm()
    if not form.validate():
        return bad_form("schedules/stop.html", **_context(door, medication, form))
    stop_medication(
        session(),
        medication,
        author_id=viewer.account_id,
        reason=said(form.why),
        now=now(),
    )
    wake_after_commit("plan_doses")
    return go(f"{door.base_url}/medicines", notice=_("Saved. It is stopped."))


@changes.get("/patients/<int:patient_id>/medicines/<int:medication_id>/pause")
def show_pause(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Ask from when to when a medicine is not taken."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    form = PauseForm({"start_on": today_of(door)})
    return page("schedules/pause.html", **_context(door, medication, form))


@changes.post("/patients/<int:patient_id>/medicines/<int:medication_id>/pause")
def post_pause(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Pause a medicine as a new version of its plan; its cycles do not shift."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    form = PauseForm()
    if not form.validate() or form.start_on.data is None:
        return bad_form("schedules/pause.html", **_context(door, medication, form))
    pause = Pause(form.start_on.data, form.end_on.data, said(form.why))
    _change_lines(medication, lambda line: paused(line, pause), said(form.why))
    return go(f"{door.base_url}/medicines", notice=_("Saved."))


@changes.post("/patients/<int:patient_id>/medicines/<int:medication_id>/resume")
def post_resume(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """End every pause of a medicine, from now on."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    today = today_of(door)
    _change_lines(medication, lambda line: resumed(line, today), "")
    return go(f"{door.base_url}/medicines", notice=_("Saved."))


def _change_lines(
    medication: Medication, change: Callable[[Line], Line], reason: str
) -> None:
    if change_lines(
        session(),
        medication,
        change,
        author_id=signed_in().account_id,
        reason=reason,
        now=now(),
    ):
        wake_after_commit("plan_doses")


@changes.get("/patients/<int:patient_id>/medicines/<int:medication_id>/history")
def show_history(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show every version of a plan: what changed, who changed it, when and why."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.VIEW)
    medication = medication_of(session(), door.patient_id, medication_id)
    versions = versions_of(session(), medication.id)
    told = _history(versions, door, unit_of(medication.form), viewer.account_id)
    return page(
        "schedules/history.html",
        nav=nav_of(door),
        base_url=door.base_url,
        medicine=medication,
        entries=list(told),
    )


def _history(
    versions: Sequence[Version], door: Door, unit: str, account_id: int
) -> Iterator[dict[str, object]]:
    """Yield what happened to a plan, newest first."""
    for place, one in enumerate(versions):
        plan = one.plan
        newer = versions[place - 1].plan if place else None
        if plan.valid_to and (newer is None or newer.valid_from > plan.valid_to):
            yield {
                "title": pgettext("plan", "Stopped"),
                "when": when_words(plan.valid_to, door),
                "who": one.ended_by,
                "by_me": plan.ended_by_id == account_id,
                "reason": plan.end_reason,
            }
        before = versions[place + 1] if place + 1 < len(versions) else None
        yield {
            "title": _title(one, before),
            "said": _said(one, before, unit),
            "when": when_words(plan.valid_from, door),
            "who": one.author,
            "by_me": plan.author_id == account_id,
            "reason": plan.reason,
            "source": _(SOURCES[plan.source]) if plan.source in SOURCES else "",
        }


def _title(one: Version, before: Version | None) -> str:
    if before is None:
        return pgettext("plan", "Started")
    was_over = before.plan.valid_to and before.plan.valid_to < one.plan.valid_from
    if was_over:
        return pgettext("plan", "Started again")
    return pgettext("plan", "Changed")


def _said(one: Version, before: Version | None, unit: str) -> list[str]:
    if before is None:
        return [
            _("%(sentence)s.", sentence=said) for said in _sentences(one.lines, unit)
        ]
    return compare(before.lines, one.lines, unit) or [_(NOT_CHANGED)]


def _sentences(lines: Sequence[Line], unit: str) -> list[str]:
    return [plan_words([line], unit) for line in lines]
