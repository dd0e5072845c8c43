"""The page that shows every answer once more, and lets the plan start."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.zones import to_utc, zone
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of, running_of
from pillweb.medications.rules import same_medicine
from pillweb.schedules.actions import start_plan
from pillweb.schedules.forms.asking import unit_in
from pillweb.schedules.forms.checking import CheckForm
from pillweb.schedules.forms.describe import CLASSES, form_words
from pillweb.schedules.forms.questions import HOW_WORDS
from pillweb.schedules.models import PlanDraft
from pillweb.schedules.queries import (
    REACHES_BACK,
    answers_in,
    current_plan,
    life_with,
    standing_lines,
)
from pillweb.schedules.rules.compare import compare
from pillweb.schedules.rules.doubts import Doubt, doubts_about
from pillweb.schedules.rules.draft import (
    Answers,
    Part,
    Question,
    known_lines,
    next_question,
    problem_in,
    questions_of,
)
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.words import days_words, end_words, start_words, told
from pillweb.schedules.views.drafts import DRAFT, draft_url, medicines_url, open_draft
from pillweb.schedules.views.telling import (
    days_of,
    listed,
    listed_apart,
    next_words,
    plan_words,
)
from pillweb.sharing.rules import Door, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit

checks = Blueprint("checks", __name__, url_prefix="/patients/<int:patient_id>")
TITLES: dict[Question, str] = {
    "how": gettext_noop("How it is taken"),
    "times": gettext_noop("How much and when"),
    "steps": gettext_noop("The steps"),
    "interval": gettext_noop("How much and how often"),
    "needed": gettext_noop("How much and how far apart"),
    "once": gettext_noop("How much and when"),
    "days": gettext_noop("On which days"),
    "dates": gettext_noop("From when, until when"),
}
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Described:
    """A medicine of a draft, as it is compared with others."""

    name: str
    ingredients: str | None
    codes: str | None


def _answer_words(part: Part, line: Line, question: Question, unit: str) -> str:
    match question:
        case "how":
            return str(dict(HOW_WORDS)[part.how or "clock"])
        case "days":
            return days_words(line)
        case "dates":
            parts = (start_words(line), end_words(line))
            return listed(parts)
    return told(line, unit).intake


def _rows(
    door: Door, draft: PlanDraft, answers: Answers
) -> Iterator[list[tuple[str, str, str]]]:
    """Yield for each part what was asked, what was answered, and where to change it."""
    unit = unit_in(answers)
    lines = known_lines(answers)
    for number, part in enumerate(answers.parts):
        if problem_in(part):
            yield [(problem_in(part), "", draft_url(door, draft, (number, "how")))]
            continue
        line = lines.pop(0)
        yield [
            (
                _(TITLES[question]),
                _answer_words(part, line, question, unit),
                draft_url(door, draft, (number, question)),
            )
            for question in questions_of(part)
        ]


def twins_of(
    door: Door, draft: PlanDraft, answers: Answers
) -> Iterator[tuple[int, str]]:
    """Yield the id and name of each medicine that may be the same as a draft's."""
    facts = answers.medicine
    mine = Described(
        facts.get("name", ""), facts.get("ingredients"), facts.get("codes")
    )
    for row in running_of(session(), door.patient_id):
        if row.id != draft.medication_id and same_medicine(row, mine):
            # Nobody learns more of what is hidden than they typed.
            yield row.id, mine.name if row.is_hidden else row.name


def _has_doses(lines: Sequence[Line], door: Door, life: Life) -> bool:
    """Say whether anything is still to be taken, however far ahead it begins."""
    place = zone(door.zone)
    for line in lines:
        begin = line.first or line.at or line.start_date
        day = begin.date() if isinstance(begin, datetime) else begin
        after = now() - REACHES_BACK
        if day is not None:
            after = max(after, to_utc(day - A_DAY, time(), place))
        if line.kind == "prn" or life.next_after(line, after) is not None:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft as the page shows it: what stands now, what is to come, what to ask."""

    medication: Medication | None
    life: Life
    old: Sequence[Line]
    new: Sequence[Line]
    doubts: Sequence[Doubt]


def _checked(door: Door, draft: PlanDraft, answers: Answers) -> Checked:
    medication = None
    old: Sequence[Line] = ()
    version = 0
    if draft.medication_id is not None:
        medication = medication_of(session(), door.patient_id, draft.medication_id)
        old = standing_lines(session(), medication.id)
        plan = current_plan(session(), medication.id)
        version = plan.version if plan else 0
    new = known_lines(answers)
    life = life_with(session(), door.patient_id)
    doubts = doubts_about(
        old,
        new,
        unit=unit_in(answers),
        twins=twins_of(door, draft, answers),
        has_doses=_has_doses(new, door, life),
        is_outdated=version != answers.base,
        standing=answers.standing,
    )
    return Checked(medication, life, old, new, doubts)


def _medicine_words(answers: Answers) -> dict[str, object]:
    facts = answers.medicine
    category = str(dict(CLASSES).get(facts.get("category", ""), ""))
    what = (facts.get("name"), facts.get("strength"), form_words(facts.get("form", "")))
    known = (category, facts.get("reason"), facts.get("instruction"))
    return {"medicine_words": listed(what), "known_words": listed_apart(known)}


def _check_page(
    door: Door, draft: PlanDraft, answers: Answers, checked: Checked, form: CheckForm
) -> dict[str, object]:
    unit = unit_in(answers)
    medication = checked.medication
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "here": draft_url(door, draft, None),
        "form": form,
        "facts": answers.medicine,
        **_medicine_words(answers),
        "parts": list(zip(answers.parts, _rows(door, draft, answers), strict=True)),
        "plan_words": plan_words(checked.new, unit),
        "was_words": plan_words(checked.old, unit),
        "changes": compare(checked.old, checked.new, unit) if checked.old else [],
        "days": days_of(checked.new, door, checked.life, unit),
        "next_words": next_words(checked.new, door, checked.life, now()),
        "doubts": checked.doubts,
        "is_change": medication is not None,
        "is_stopped": medication is not None and medication.stopped_at is not None,
        "needs_checking": draft.source == "import",
        "is_whole": not any(problem_in(part) for part in answers.parts),
    }


@checks.get(DRAFT)
def show_check(patient_id: int, draft_id: int) -> ResponseReturnValue:
    """Show every answer once more, or lead to the question that is open."""
    _viewer, door, draft = open_draft(patient_id, draft_id)
    if draft.closed_at is not None:
        return go(medicines_url(door))
    answers = answers_in(draft)
    if (asked := next_question(answers)) is not None:
        return go(draft_url(door, draft, asked))
    checked = _checked(door, draft, answers)
    form = CheckForm.of(checked.doubts)
    context = _check_page(door, draft, answers, checked, form)
    return page("schedules/check.html", **context)


@checks.post(DRAFT)
def post_check(patient_id: int, draft_id: int) -> ResponseReturnValue:
    """Let the plan start; pressing twice starts one."""
    viewer, door, draft = open_draft(patient_id, draft_id)
    if draft.closed_at is not None:
        return go(medicines_url(door))
    answers = answers_in(draft)
    if (asked := next_question(answers)) is not None:
        return go(draft_url(door, draft, asked))
    checked = _checked(door, draft, answers)
    form = CheckForm.of(checked.doubts)
    is_whole = not any(problem_in(part) for part in answers.parts)
    if not form.validate() or not is_whole:
        context = _check_page(door, draft, answers, checked, form)
        return bad_form("schedules/check.html", **context)
    start_plan(
        session(),
        draft,
        answers,
        author_id=viewer.account_id,
        reason=said(form.why),
        now=now(),
    )
    wake_after_commit("plan_doses")
    return go(medicines_url(door), notice=_("Saved."))
