"""Builds sheets and cards to print: claim, gather, print, keep."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.log import log
from pillweb.base.look import read_look
from pillweb.base.pdf import to_pdf
from pillweb.base.render import paper_css, render
from pillweb.papers.actions import claim_paper, finish_paper
from pillweb.papers.models import Paper
from pillweb.papers.queries import (
    codes_of,
    gather_card,
    gather_sheet,
    oldest_paper_wanted,
)
from pillweb.papers.rules.card import Card
from pillweb.papers.rules.sheet import WEEK, Sheet


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a paper waits to be built."""
    return oldest_paper_wanted(session, now=now)


def run() -> int:
    """Build every wanted paper; return how many were built."""
    done = 0
    while (claimed := _claim()) is not None:
        paper_id, given_up = claimed
        if given_up:
            log.error("paper_failed", paper=paper_id)
            continue
        done += _build(paper_id)
    return done


def _claim() -> tuple[int, bool] | None:
    """Lease one paper; return its id and whether it was tried often enough."""
    with transaction() as (session, now):
        paper = claim_paper(session, now=now)
        return None if paper is None else (paper.id, paper.state == "failed")


def _build(paper_id: int) -> bool:
    """Build one paper; one that cannot be built must not stop the others."""
    try:
        with transaction() as (session, _now):
            how = read_look(session.get_one(Paper, paper_id).look).speech
        with speaking(how):
            with transaction() as (session, now):
                told = _gather(session, session.get_one(Paper, paper_id), now=now)
            pdf = print_paper(told)
        with transaction() as (session, now):
            kept = finish_paper(session, paper_id, pdf=pdf, now=now)
    except Exception:  # noqa: BLE001 - it is leased, and tried again after that
        log.exception("paper_unbuilt", paper=paper_id)
        return False
    log.info("paper_built", paper=paper_id, bytes=len(pdf), kept=kept)
    return kept


def _gather(session: Session, paper: Paper, *, now: datetime) -> Sheet | Card:
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
