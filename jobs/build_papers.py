"""Builds sheets and cards to print: claim, gather, print, keep."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.pdfs import build_pdfs
from jobs.runtime import transaction
from pillweb.base.built_rows import oldest_wanted
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.look import read_look
from pillweb.base.pdf import to_pdf
from pillweb.base.render import paper_css, render
from pillweb.papers.models import Paper
from pillweb.papers.queries import (
    codes_of,
    gather_card,
    gather_sheet,
)
from pillweb.papers.rules.card import Card
from pillweb.papers.rules.sheet import WEEK, Sheet
from pillweb.sharing.queries.hiding import see_as


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a paper waits to be built."""
    return oldest_wanted(session, Paper, now=now)


def run() -> int:
    """Build every wanted paper; return how many were built."""
    return build_pdfs(Paper, _make)


def _make(paper_id: int) -> bytes:
    with transaction() as (session, _now):
        how = read_look(session.get_one(Paper, paper_id).look).speech
    with speaking(how):
        with transaction() as (session, now):
            told = _gather(session, session.get_one(Paper, paper_id), now=now)
        return print_paper(told)


def _gather(session: Session, paper: Paper, *, now: datetime) -> Sheet | Card:
    see_as(session, paper.made_by_id, paper.patient_id)
    if paper.kind != WEEK:
        return gather_card(session, paper.patient_id, now=now)
    codes = codes_of(session, paper, now=now)
    first = paper.first_on
    return gather_sheet(session, paper.patient_id, first=first, now=now, codes=codes)


def print_paper(told: Sheet | Card) -> bytes:
    """Return the PDF of a sheet or a card, in the language that is spoken now."""
    name = told.patient_name
    if isinstance(told, Sheet):
        title = _("Medicines of %(name)s, %(week)s", name=name, week=told.period_words)
        html = render("papers/paper.html", sheet=told, title=title)
    else:
        title = _("Medicines of %(name)s", name=name)
        html = render("papers/paper.html", card=told, title=title)
    return to_pdf(html, css=paper_css())
