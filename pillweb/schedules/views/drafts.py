"""The questions of a plan, one a page; their answers are kept as a draft."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.viewer import Viewer
from pillweb.base.words import units_name
from pillweb.medications.queries import medication_of
from pillweb.schedules.actions import begin_draft, close_draft, keep_answers
from pillweb.schedules.forms.asking import answer, ask, is_first_time, unit_in
from pillweb.schedules.forms.describe import NameForm, facts_of
from pillweb.schedules.forms.reading import range_example
from pillweb.schedules.models import PlanDraft
from pillweb.schedules.queries import (
    answers_in,
    current_plan,
    draft_of,
    drafts_of,
    life_with,
    standing_lines,
)
from pillweb.schedules.rules.draft import (
    QUESTIONS,
    Answers,
    Question,
    answers_of,
    known_lines,
    next_question,
    question_at,
    question_before,
    with_new_part,
    without_part,
)
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.views.telling import days_of, plan_words, step_words, today_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import Form, form_key
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

drafts = Blueprint("drafts", __name__, url_prefix="/patients/<int:patient_id>")
DRAFT = "/medicines/drafts/<int:draft_id>"
KEY_LENGTH = 43
ROW_BUTTONS = {"add", "remove"}
ANOTHER_WAY = gettext_noop(
    "This was answered in another way by now. Please look again."
)


def medicines_url(door: Door) -> str:
    """Return where the list of medicines is."""
    return f"{door.base_url}/medicines"


def draft_url(door: Door, draft: PlanDraft, asked: tuple[int, Question] | None) -> str:
    """Return where a question of a draft is, or the page that checks the answers."""
    here = f"{medicines_url(door)}/drafts/{draft.id}"
    return here if asked is None else f"{here}/{asked[0]}/{asked[1]}"


def open_draft(patient_id: int, draft_id: int) -> tuple[Viewer, Door, PlanDraft]:
    """Return a draft to who may manage the patient.

    Raises:
        NotFoundError: not for this viewer, or there is no such draft.
    """
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    to_write = request.method == "POST"
    draft = draft_of(session(), door.patient_id, draft_id, to_write=to_write)
    return viewer, door, draft


def _new_page(door: Door, form: NameForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "question": "medicine",
        "action": f"{medicines_url(door)}/new",
        "back_url": medicines_url(door),
        "key": form_key(KEY_LENGTH),
    }


@drafts.get("/medicines/new")
def show_new(patient_id: int) -> ResponseReturnValue:
    """Ask the first question about a new medicine: what it is."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("schedules/question.html", **_new_page(door, NameForm()))


@drafts.post("/medicines/new")
def post_new(patient_id: int) -> ResponseReturnValue:
    """Begin a draft; pressing twice begins one."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = NameForm()
    if not form.validate():
        return bad_form("schedules/question.html", **_new_page(door, form))
    draft = begin_draft(
        session(),
        patient_id=door.patient_id,
        account_id=viewer.account_id,
        answers=answer(form, Answers(), 0, "medicine", today=today_of(door)),
        key=form_key(KEY_LENGTH),
        now=now(),
    )
    return go(_next_url(door, draft))


def _next_url(door: Door, draft: PlanDraft) -> str:
    if draft.closed_at is not None:
        return medicines_url(door)
    return draft_url(door, draft, next_question(answers_in(draft)))


@drafts.post("/medicines/<int:medication_id>/change")
def post_change(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Begin to change a plan from what holds now, or go on where somebody began."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    medication = medication_of(session(), door.patient_id, medication_id)
    plan = current_plan(session(), medication.id)
    base = plan.version if plan else 0
    for begun in drafts_of(session(), door.patient_id, now=now()):
        if begun.medication_id == medication.id and answers_in(begun).base == base:
            return go(_next_url(door, begun))
    lines = [line_to_json(line) for line in standing_lines(session(), medication.id)]
    draft = begin_draft(
        session(),
        patient_id=door.patient_id,
        account_id=viewer.account_id,
        medication_id=medication.id,
        answers=answers_of(lines, facts_of(medication), base=base),
        key=form_key(KEY_LENGTH),
        now=now(),
    )
    return go(_next_url(door, draft))


def _asked(answers: Answers, number: int, name: str) -> Question | None:
    """Return the question, None where another tab has made it one no more."""
    question = question_at(answers, number, name)
    if question is None and (name not in QUESTIONS or number >= len(answers.parts)):
        raise NotFoundError
    return question


def _question_page(
    door: Door, draft: PlanDraft, number: int, question: Question, form: Form
) -> dict[str, object]:
    answers = answers_in(draft)
    part = answers.parts[number]
    unit, lines = unit_in(answers), known_lines(answers)
    is_checked = next_question(answers) is None
    before = None if is_checked else question_before(answers, number, question)
    is_first = before is None and not is_checked
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "question": question,
        "part": part,
        "parts": len(answers.parts),
        "name": answers.medicine.get("name", ""),
        "units": units_name(unit),
        "a_range": range_example(),
        "step_words": step_words(part, unit),
        "action": draft_url(door, draft, (number, question)),
        "back_url": medicines_url(door) if is_first else draft_url(door, draft, before),
        "asks_span": question == "times" and is_first_time(part),
        "plan_words": plan_words(lines, unit),
        "days": days_of(lines, door, life_with(session(), door.patient_id), unit),
        "is_checked": is_checked,
    }


@drafts.get(f"{DRAFT}/<int:part>/<question>")
def show_question(
    patient_id: int, draft_id: int, part: int, question: str
) -> ResponseReturnValue:
    """Ask one question, with the answer that was given before."""
    _viewer, door, draft = open_draft(patient_id, draft_id)
    if draft.closed_at is not None:
        return go(medicines_url(door))
    answers = answers_in(draft)
    asked = _asked(answers, part, question)
    if asked is None:
        return go(_next_url(door, draft))
    form = ask(answers, part, asked, today=today_of(door))
    context = _question_page(door, draft, part, asked, form)
    return page("schedules/question.html", **context)


@drafts.post(f"{DRAFT}/<int:part>/<question>")
def post_question(
    patient_id: int, draft_id: int, part: int, question: str
) -> ResponseReturnValue:
    """Keep an answer and go on to what is still open."""
    _viewer, door, draft = open_draft(patient_id, draft_id)
    if draft.closed_at is not None:
        return go(medicines_url(door))
    answers, today = answers_in(draft), today_of(door)
    # A part that another tab removed is not mistaken for the one that followed it.
    if request.form.get("parts", str(len(answers.parts))) != str(len(answers.parts)):
        return go(_next_url(door, draft))
    asked = _asked(answers, part, question)
    if asked is None:
        return go(_next_url(door, draft), notice=_(ANOTHER_WAY))
    form = ask(answers, part, asked, today=today, posted=request.form)
    if ROW_BUTTONS & request.form.keys():
        context = _question_page(door, draft, part, asked, form)
        return page("schedules/question.html", **context)
    if not form.validate():
        context = _question_page(door, draft, part, asked, form)
        return bad_form("schedules/question.html", **context)
    keep_answers(draft, answer(form, answers, part, asked, today=today), now=now())
    return go(_next_url(door, draft))


@drafts.post(f"{DRAFT}/parts")
def post_part(patient_id: int, draft_id: int) -> ResponseReturnValue:
    """Begin one more part of a plan; pressing twice begins one."""
    _viewer, door, draft = open_draft(patient_id, draft_id)
    if draft.closed_at is None:
        keep_answers(draft, with_new_part(answers_in(draft)), now=now())
    return go(_next_url(door, draft))


@drafts.post(f"{DRAFT}/<int:part>/remove")
def post_remove_part(patient_id: int, draft_id: int, part: int) -> ResponseReturnValue:
    """Take a part out of a plan; pressing twice takes out one."""
    _viewer, door, draft = open_draft(patient_id, draft_id)
    answers = answers_in(draft)
    is_there = request.form.get("parts") == str(len(answers.parts))
    if draft.closed_at is None and is_there:
        if part >= len(answers.parts):
            raise NotFoundError
        keep_answers(draft, without_part(answers, part), now=now())
    return go(_next_url(door, draft))


@drafts.post(f"{DRAFT}/throw-away")
def post_throw_away(patient_id: int, draft_id: int) -> ResponseReturnValue:
    """Forget what was answered; nothing of it ever held."""
    _viewer, door, draft = open_draft(patient_id, draft_id)
    close_draft(draft, now=now())
    return go(medicines_url(door), notice=_("Thrown away."))
