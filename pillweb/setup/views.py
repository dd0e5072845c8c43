"""The pages of guided set-up: one question each, kept as soon as it is answered."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import LANGUAGES, speech
from pillweb.base.i18n import gettext as _
from pillweb.base.viewer import Viewer
from pillweb.base.words import join_words
from pillweb.patients.actions import change_zone, choose_language, describe_patient
from pillweb.patients.forms import (
    EmailForm,
    LanguageForm,
    PersonForm,
    ZoneForm,
    zone_words,
)
from pillweb.setup.actions import (
    finish_set_up,
    keep_step,
    remind_at,
)
from pillweb.setup.queries import standing_of, unfinished_of
from pillweb.setup.rules import DONE, LATER, PRESSED, STEPS, Standing, step_before
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import Form, said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.security import limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import current_viewer, signed_in

set_up = Blueprint("set_up", __name__)

HERE = "/patients/<int:patient_id>/set-up"
TESTS = "10 per hour"


def _open(patient_id: int) -> tuple[Viewer, Door, Standing]:
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    return viewer, door, _standing(viewer, patient_id)


def _standing(viewer: Viewer, patient_id: int) -> Standing:
    return standing_of(session(), patient_id, asked_by=viewer.account_id, now=now())


def _url(door: Door, step: str = "") -> str:
    here = f"{door.base_url}/set-up"
    return f"{here}/{step}" if step else here


def _progress_words(step: str) -> str:
    return _("Step %(step)s of %(steps)s", step=STEPS.index(step) + 1, steps=len(STEPS))


def _form_of(step: str, standing: Standing) -> Form | None:
    """Return the form of a step, as what is known fills it; some have none."""
    if step == "who":
        return PersonForm(data={"name": standing.name, "born": standing.born})
    if step == "clock":
        return ZoneForm(data={"zone": standing.zone})
    if step == "language":
        known = standing.language or speech().language
        return LanguageForm(data={"language": known})
    return EmailForm(data={"email": standing.email}) if step == "reminders" else None


def _step_page(
    door: Door, step: str, standing: Standing, form: Form | None
) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "step": step,
        "is_self": door.is_self,
        "standing": standing,
        "form": form,
        "action": _url(door, step),
        "test_url": _url(door, "test"),
        "back_url": _url(door, step_before(step)),
        "next_url": _url(door, standing.next_step),
        "progress_words": _progress_words(step),
        "done_words": join_words(standing.medicines),
        "helper_words": join_words(standing.helpers),
    }


@set_up.get(f"{HERE}/<step>")
def show_step(patient_id: int, step: str) -> ResponseReturnValue:
    """Ask one question, with what is known already."""
    _viewer, door, standing = _open(patient_id)
    if step not in STEPS:
        raise NotFoundError
    context = _step_page(door, step, standing, _form_of(step, standing))
    return page(f"setup/{step}.html", **context)


@set_up.post(f"{HERE}/<step>")
def post_step(patient_id: int, step: str) -> ResponseReturnValue:
    """Keep one answer, and go on to what is still open."""
    viewer, door, standing = _open(patient_id)
    if step not in STEPS:
        raise NotFoundError
    form = _form_of(step, standing)
    if step in PRESSED or step == "reminders":
        chosen = request.form.get("answer")
        answer = DONE if chosen == DONE and step in PRESSED else LATER
        keep_step(session(), patient_id, step, answer=answer, now=now())
    elif form is None or not form.validate():
        context = _step_page(door, step, standing, form)
        return bad_form(f"setup/{step}.html", **context)
    else:
        _keep(viewer, door, form)
    return go(_url(door, _standing(viewer, patient_id).next_step))


def _keep(viewer: Viewer, door: Door, form: Form) -> None:
    if isinstance(form, LanguageForm):
        choose_language(session(), door.patient_id, language=form.language.data)
    elif isinstance(form, PersonForm):
        facts = {"name": said(form.name), "born": said(form.born)}
        describe_patient(session(), door.patient_id, **facts)
    elif isinstance(form, ZoneForm) and form.zone.data != door.home_zone:
        change_zone(
            session(),
            door.patient_id,
            form.zone.data,
            at=now(),
            is_travel=False,
            account_id=viewer.account_id,
            now=now(),
        )
        wake_after_commit("plan_doses")


@set_up.post(f"{HERE}/test")
@limiter.limit(TESTS)
def post_test(patient_id: int) -> ResponseReturnValue:
    """Keep where reminders go, and mail a test there."""
    _viewer, door, standing = _open(patient_id)
    form = EmailForm()
    if not form.validate():
        context = _step_page(door, "reminders", standing, form)
        return bad_form("setup/reminders.html", **context)
    remind_at(session(), patient_id, email=said(form.email), now=now())
    wake_after_commit("deliver")
    return go(_url(door, "reminders"))


def _answered(standing: Standing, step: str, known: str) -> str:
    if known:
        return known
    state = standing.state(step)
    done = _("Nobody for now") if step == "helpers" else _("Done")
    words = {DONE: done, LATER: _("Left for later")}
    return words.get(state, _("Not answered yet"))


def _reminder_words(standing: Standing) -> str:
    if standing.is_proven:
        return _("%(email)s. A test arrived there.", email=standing.reached)
    return _("%(email)s. No test has arrived there yet.", email=standing.email)


def _check_page(door: Door, standing: Standing) -> dict[str, object]:
    rows = (
        ("who", _("Name"), standing.name),
        ("who", _("Year of birth"), standing.born),
        ("clock", _("Time zone"), zone_words(standing.zone)),
        ("language", _("Language"), LANGUAGES.get(standing.language, "")),
        ("medicines", _("Medicines"), join_words(standing.medicines)),
        ("reminders", _("Reminders"), _reminder_words(standing)),
        ("helpers", _("Who else helps"), join_words(standing.helpers)),
        ("papers", _("On paper"), ""),
    )
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "standing": standing,
        "action": _url(door),
        "next_url": _url(door, standing.next_step) if standing.next_step else "",
        "rows": [
            (words, _answered(standing, step, known), _url(door, step))
            for step, words, known in rows
            if known or step != "who"
        ],
        "reminders_url": _url(door, "reminders"),
    }


@set_up.get(HERE)
def show_set_up(patient_id: int) -> ResponseReturnValue:
    """Show every answer, to check and to change."""
    _viewer, door, standing = _open(patient_id)
    return page("setup/check.html", **_check_page(door, standing))


@set_up.post(HERE)
def post_set_up(patient_id: int) -> ResponseReturnValue:
    """Call it done, once it is known that reminders arrive."""
    _viewer, door, standing = _open(patient_id)
    if not standing.may_finish:
        context = _check_page(door, standing)
        return bad_form("setup/check.html", refused=True, **context)
    finish_set_up(session(), patient_id, now=now())
    return go(f"{door.base_url}/today", notice=_("The set-up is finished."))


@set_up.app_template_global()
def set_up_url() -> str:
    """Return where to go on setting up the patient of this page; nothing when done."""
    viewer = current_viewer()
    patient_id = int((request.view_args or {}).get("patient_id", 0))
    if viewer is None or patient_id not in unfinished_of(session(), viewer.account_id):
        return ""
    step = _standing(viewer, patient_id).next_step
    return f"/patients/{patient_id}/set-up" + (f"/{step}" if step else "")
