"""Builds the doctor's PDF: claim, gather, print, keep and post."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.pdfs import build_pdfs
from jobs.runtime import transaction
from pillweb.audit.actions import append_entry
from pillweb.base.built_rows import oldest_wanted
from pillweb.base.i18n import speaking
from pillweb.base.pdf import to_pdf
from pillweb.base.queue import wake
from pillweb.base.render import render, report_css
from pillweb.base.visits import JOB, Visit
from pillweb.reports.actions import mail_report
from pillweb.reports.models import Report, ReportOrder
from pillweb.reports.queries import gather_report
from pillweb.reports.rules import ReportPage
from pillweb.sharing.queries.hiding import see_as

# With more medicines than these a page is set closer from the beginning.
MANY, MOST = 8, 12
CLOSEST = 2


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a report waits to be built."""
    return oldest_wanted(session, Report, now=now)


def run() -> int:
    """Build every wanted report; return how many were built."""
    done = build_pdfs(Report, _make, then=_send)
    if done:
        wake("deliver")
    return done


def _send(session: Session, report_id: int, *, now: datetime) -> None:
    mail_report(session, report_id, now=now)
    report = session.get_one(Report, report_id)
    append_entry(
        session,
        Visit(report.patient_id, JOB),
        act="jobs.build_reports",
        ids={"report_id": report_id, "order_id": report.order_id},
        now=now,
    )


def _make(report_id: int) -> bytes:
    with transaction() as (session, now):
        report = session.get_one(Report, report_id)
        order = session.get_one(ReportOrder, report.order_id)
        how = order.speech
        see_as(session, order.made_by_id, report.patient_id)
        with speaking(how):
            page = gather_report(
                session,
                report.patient_id,
                first=report.first_on,
                last=report.last_on,
                now=now,
            )
    with speaking(how):
        return print_report(page)


def print_report(page: ReportPage) -> bytes:
    """Return the one-page PDF of a report, set as close as one page needs."""
    count = len(page.rows)
    closer = range((count > MANY) + (count > MOST), CLOSEST + 1)
    pages = [
        render("reports/adherence.html", report=page, closer=how) for how in closer
    ]
    return to_pdf(*pages, css=report_css())
