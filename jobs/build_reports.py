"""Builds the doctor's PDF: claim, gather, print, keep and post."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.i18n import speaking
from pillweb.base.log import log
from pillweb.base.pdf import to_pdf
from pillweb.base.queue import wake
from pillweb.base.render import render, report_css
from pillweb.reports.actions import claim_report, finish_report
from pillweb.reports.models import Report, ReportOrder
from pillweb.reports.queries import gather_report, oldest_wanted
from pillweb.reports.rules import ReportPage

# With more medicines than these a page is set closer from the beginning.
MANY, MOST = 8, 12
CLOSEST = 2


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a report waits to be built."""
    return oldest_wanted(session, now=now)


def run() -> int:
    """Build every wanted report; return how many were built."""
    done = 0
    while (claimed := _claim()) is not None:
        report_id, given_up = claimed
        if given_up:
            log.error("report_failed", report=report_id)
            continue
        done += _build(report_id)
    if done:
        wake("deliver")
    return done


def _claim() -> tuple[int, bool] | None:
    """Lease one report; return its id and whether it was tried often enough."""
    with transaction() as (session, now):
        report = claim_report(session, now=now)
        return None if report is None else (report.id, report.state == "failed")


def _build(report_id: int) -> bool:
    """Build one report; one that cannot be built must not stop the others."""
    try:
        with transaction() as (session, now):
            report = session.get_one(Report, report_id)
            how = session.get_one(ReportOrder, report.order_id).speech
            with speaking(how):
                page = gather_report(
                    session,
                    report.patient_id,
                    first=report.first_on,
                    last=report.last_on,
                    now=now,
                )
        with speaking(how):
            pdf = print_report(page)
        with transaction() as (session, now):
            kept = finish_report(session, report_id, pdf=pdf, now=now)
    except Exception:  # noqa: BLE001 - it is leased, and tried again after that
        log.exception("report_unbuilt", report=report_id)
        return False
    log.info("report_built", report=report_id, bytes=len(pdf), kept=kept)
    return kept


def print_report(page: ReportPage) -> bytes:
    """Return the one-page PDF of a report, set as close as one page needs."""
    count = len(page.rows)
    closer = range((count > MANY) + (count > MOST), CLOSEST + 1)
    pages = [
        render("reports/adherence.html", report=page, closer=how) for how in closer
    ]
    return to_pdf(*pages, css=report_css())
