"""Pages to print: the week for the fridge, the card for the purse."""

from datetime import date

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import Speech, gettext_noop, speech
from pillweb.base.i18n import gettext as _
from pillweb.base.look import Look
from pillweb.base.queue import REPORTS
from pillweb.base.words import date_words, long_date_words
from pillweb.base.zones import local, zone
from pillweb.papers.actions import void_sheets, want_paper
from pillweb.papers.forms import SheetForm, sheet_form
from pillweb.papers.models import Paper
from pillweb.papers.queries import (
    codes_of,
    gather_card,
    gather_sheet,
    is_live,
    paper_of,
    papers_of,
)
from pillweb.papers.rules.card import CARD
from pillweb.papers.rules.sheet import WEEK, clocks_of
from pillweb.patients.models import Patient
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.security import client_key, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import current_viewer, signed_in

papers = Blueprint("papers", __name__)

SHEETS = "60 per hour"

STATE_WORDS = {
    "ready": gettext_noop("The file to print is ready."),
    "wanted": gettext_noop("The file to print is being made."),
    "failed": gettext_noop("The file could not be made. Please make a new one."),
    "void": gettext_noop("This sheet is void. Its codes do not work any more."),
}


def _account() -> str:
    """Return whom a limit counts: an account, wherever it is signed in."""
    viewer = current_viewer()
    return f"account:{viewer.account_id}" if viewer else client_key()


def _today(door: Door) -> date:
    return local(now(), zone(door.zone)).date()


def _spoken(patient: Patient) -> str:
    """Return the patient's language, as a look keeps it; untold it is the viewer's."""
    how = speech()
    if patient.language not in {"", how.language}:
        how = Speech(patient.language)
    return Look(language=how.language, hours=how.hours, digits=how.digits).written


def _listed(paper: Paper, door: Door) -> dict[str, object]:
    ends = local(paper.expires_at, zone(door.zone)).date()
    until = _("Its codes work until %(date)s.", date=long_date_words(ends))
    void = STATE_WORDS["void"]
    return {
        "url": f"{door.base_url}/papers/{paper.id}",
        "words": _("Week from %(date)s", date=date_words(paper.first_on)),
        "state_words": until if is_live(paper, now=now()) else _(void),
    }


def _week(door: Door, form: SheetForm) -> dict[str, object]:
    first, mine = _today(door), {}
    if door.may_manage:
        made = papers_of(session(), door.patient_id, WEEK)
        mine = {
            "form": form,
            "made": [_listed(one, door) for one in made],
            "any_live": any(is_live(one, now=now()) for one in made),
            "only_here": settings().on_this_machine,
        }
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "sheet": gather_sheet(session(), door.patient_id, first=first, now=now()),
        **mine,
    }


@papers.get("/patients/<int:patient_id>/papers/week")
def show_week(patient_id: int) -> ResponseReturnValue:
    """Show the coming week as a sheet without codes, and let one with codes be made."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    return page("papers/week.html", **_week(door, sheet_form(_today(door))))


@papers.post("/patients/<int:patient_id>/papers/week")
@limiter.limit(SHEETS, key_func=_account)
def post_week(patient_id: int) -> ResponseReturnValue:
    """Make a sheet with a code for each time of day."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = sheet_form(_today(door))
    if not form.validate():
        return bad_form("papers/week.html", **_week(door, form))
    first = date.fromisoformat(form.first.data)
    sheet = gather_sheet(session(), patient_id, first=first, now=now())
    return _make(
        door,
        viewer.account_id,
        kind=WEEK,
        first=first,
        clocks=clocks_of(sheet),
        show_names=form.show_names.data,
    )


@papers.get("/patients/<int:patient_id>/papers/card")
def show_card(patient_id: int) -> ResponseReturnValue:
    """Show the card for the purse."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    return page(
        "papers/card.html",
        nav=nav_of(door),
        base_url=door.base_url,
        card=gather_card(session(), patient_id, now=now()),
        may_make=door.may_manage,
    )


@papers.post("/patients/<int:patient_id>/papers/card")
def post_card(patient_id: int) -> ResponseReturnValue:
    """Make the card as a file to print."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    return _make(
        door,
        viewer.account_id,
        kind=CARD,
        first=_today(door),
        clocks=[],
        show_names=False,
    )


def _make(
    door: Door,
    account_id: int,
    *,
    kind: str,
    first: date,
    clocks: list[str],
    show_names: bool,
) -> ResponseReturnValue:
    # Locked, so that two presses at once take turns.
    patient = session().get_one(Patient, door.patient_id, with_for_update=True)
    paper = want_paper(
        session(),
        patient,
        kind=kind,
        first=first,
        clocks=clocks,
        show_names=show_names,
        look=_spoken(patient),
        made_by_id=account_id,
        now=now(),
    )
    wake_after_commit("build_papers", queue=REPORTS, timeout_s=120)
    return go(f"{door.base_url}/papers/{paper.id}")


@papers.get("/patients/<int:patient_id>/papers/<int:paper_id>")
def show_paper(patient_id: int, paper_id: int) -> ResponseReturnValue:
    """Show on the screen what a made paper says, and where its file is."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    paper = paper_of(session(), patient_id, paper_id)
    patient = session().get_one(Patient, patient_id)
    here = f"{door.base_url}/papers/{paper_id}"
    told: dict[str, object] = {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "here": here,
        "pdf_url": f"{here}.pdf" if paper.state == "ready" else None,
        "waits": paper.state == "wanted",
        "state_words": _(STATE_WORDS[paper.state]),
        "is_old": patient.plan_revision != paper.plan_revision,
    }
    if paper.kind == CARD:
        card = gather_card(session(), patient_id, now=now())
        return page("papers/made.html", card=card, **told)
    codes = codes_of(session(), paper, now=now())
    sheet = gather_sheet(
        session(), patient_id, first=paper.first_on, now=now(), codes=codes
    )
    is_over = now() >= paper.expires_at
    return page("papers/made.html", sheet=sheet, is_over=is_over, **told)


@papers.get("/patients/<int:patient_id>/papers/<int:paper_id>.pdf")
def show_file(patient_id: int, paper_id: int) -> ResponseReturnValue:
    """Give out a finished paper."""
    open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    paper = paper_of(session(), patient_id, paper_id)
    if paper.pdf is None:
        raise NotFoundError
    name = f"{paper.kind}-{paper.first_on}.pdf"
    return Response(
        paper.pdf,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


@papers.post("/patients/<int:patient_id>/papers/void")
def post_void(patient_id: int) -> ResponseReturnValue:
    """Let no code on any sheet printed so far work any more."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    void_sheets(session(), patient_id=patient_id, now=now())
    return go(
        f"{door.base_url}/papers/week",
        notice=_("Done. No code on an old sheet works any more."),
    )
