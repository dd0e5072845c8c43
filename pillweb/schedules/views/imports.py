"""A file from a doctor or a pharmacy: read, then confirmed medicine by medicine."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.medications.queries import medication_of
from pillweb.schedules.actions import IMPORTED, change_instead, keep_imported
from pillweb.schedules.forms.asking import unit_in
from pillweb.schedules.forms.describe import facts_of
from pillweb.schedules.forms.importing import ImportForm
from pillweb.schedules.models import PlanDraft
from pillweb.schedules.queries import answers_in, current_plan, drafts_of
from pillweb.schedules.rules.draft import (
    Answers,
    Part,
    line_of,
    next_question,
    problem_in,
)
from pillweb.schedules.views.check import TITLES, twins_of
from pillweb.schedules.views.drafts import DRAFT, draft_url, medicines_url, open_draft
from pillweb.schedules.views.telling import listed, plan_words, today_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

imports = Blueprint("imports", __name__, url_prefix="/patients/<int:patient_id>")
NONE_KNOWN = gettext_noop("The file says that no medicines are known.")
NONE_FOUND = gettext_noop("We found no medicines in this file.")
HERE_ALREADY = gettext_noop("Everything in this file is in use already.")
TO_CHECK = gettext_noop(
    "Please check each medicine. Nothing of the file is in use yet."
)


def import_url(door: Door) -> str:
    """Return where files are read."""
    return f"{medicines_url(door)}/import"


def _part(part: Part, unit: str) -> dict[str, object]:
    whole = replace(part, open=())
    lines = [] if problem_in(whole) else [line_of(whole)]
    asked = [_(TITLES[one]).lower() for one in part.open if one in TITLES]
    return {
        "words": plan_words(lines, unit),
        "text": part.text,
        "asked": listed(asked),
    }


def _waiting(door: Door, draft: PlanDraft) -> dict[str, object]:
    answers = answers_in(draft)
    here = draft_url(door, draft, None)
    is_new = draft.medication_id is None
    return {
        "id": draft.id,
        "facts": answers.medicine,
        "standing": answers.standing,
        "reasons": answers.reasons,
        "parts": [_part(part, unit_in(answers)) for part in answers.parts],
        "twins": list(twins_of(door, draft, answers)) if is_new else [],
        "is_new": is_new,
        "url": _next_url(door, draft, answers),
        "belongs_url": f"{here}/belongs",
        "throw_url": f"{here}/throw-away",
    }


def _next_url(door: Door, draft: PlanDraft, answers: Answers) -> str:
    return draft_url(door, draft, next_question(answers))


def _import_page(door: Door, form: ImportForm) -> dict[str, object]:
    waiting = drafts_of(session(), door.patient_id, now=now())
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "action": import_url(door),
        "form": form,
        "drafts": list(_imported(door, waiting)),
    }


def _imported(door: Door, drafts: Sequence[PlanDraft]) -> Iterator[dict[str, object]]:
    """Yield what waits from files, in the order of the file."""
    for draft in reversed(drafts):
        if draft.source == IMPORTED:
            yield _waiting(door, draft)


@imports.get("/medicines/import")
def show_import(patient_id: int) -> ResponseReturnValue:
    """Ask for a file, and show what waits to be checked."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("schedules/import.html", **_import_page(door, ImportForm()))


@imports.post("/medicines/import")
def post_import(patient_id: int) -> ResponseReturnValue:
    """Read a file into drafts; the same file again adds none."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = ImportForm()
    found = form.read(today_of(door), door.zone)
    if found is None:
        return bad_form("schedules/import.html", **_import_page(door, form))
    if not found.medicines:
        return go(
            import_url(door), notice=_(NONE_KNOWN if found.says_none else NONE_FOUND)
        )
    kept = keep_imported(
        session(),
        door.patient_id,
        found.medicines,
        account_id=viewer.account_id,
        now=now(),
    )
    return go(import_url(door), notice=_(TO_CHECK if kept else HERE_ALREADY))


@imports.post(f"{DRAFT}/belongs/<int:medication_id>")
def post_belongs(
    patient_id: int, draft_id: int, medication_id: int
) -> ResponseReturnValue:
    """Let what a file says change a medicine that is there, once it is checked."""
    _viewer, door, draft = open_draft(patient_id, draft_id)
    medication = medication_of(session(), door.patient_id, medication_id)
    if draft.closed_at is not None:
        return go(medicines_url(door))
    plan = current_plan(session(), medication.id)
    change_instead(
        draft,
        medication,
        facts_of(medication),
        base=plan.version if plan else 0,
        now=now(),
    )
    return go(_next_url(door, draft, answers_in(draft)))
