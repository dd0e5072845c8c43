"""Questions about reports."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.adherence.queries import outcomes_of
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import pgettext
from pillweb.base.mail_address import email_key
from pillweb.base.zones import zone
from pillweb.channels import Attachment
from pillweb.medications.rules import unit_of
from pillweb.patients.models import Patient
from pillweb.patients.queries import shares
from pillweb.reports.models import Report, ReportOrder
from pillweb.reports.rules import MedicineFacts, ReportPage, report_page
from pillweb.schedules.queries import medicines_of
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.words import in_words

FILE_NAME = "medicine-record-{last}.pdf"
NEWEST = 20


def gather_report(
    session: Session, patient_id: int, *, first: date, last: date, now: datetime
) -> ReportPage:
    """Return everything the page says about a patient's days first to last."""
    patient = session.get_one(Patient, patient_id)
    facts = {}
    for found in medicines_of(session, patient_id):
        row, unit = found.medication, unit_of(found.medication.form)
        words = [in_words(line_from_json(rule), unit) for rule in found.rules]
        facts[row.id] = MedicineFacts(
            name=row.name,
            strength=row.strength,
            plan_words="; ".join(words) or pgettext("plan", "stopped"),
        )
    return report_page(
        outcomes_of(session, patient_id, first=first, last=last),
        facts,
        patient_name=patient.name,
        place=zone(patient.zone),
        first=first,
        last=last,
        as_of=now,
    )


def report_attachments(session: Session, report_id: int | None) -> list[Attachment]:
    """Return the file that goes with a report's mail."""
    report = session.get_one(Report, report_id)
    name = FILE_NAME.format(last=report.last_on.isoformat())
    return [Attachment(name, "application/pdf", report.pdf or b"")]


def orders_of(session: Session, patient_id: int) -> Sequence[ReportOrder]:
    """Return who gets reports about a patient."""
    return session.scalars(
        select(ReportOrder)
        .where(ReportOrder.patient_id == patient_id, ReportOrder.ended_at.is_(None))
        .order_by(ReportOrder.id)
    ).all()


def order_to(session: Session, patient_id: int, email: str) -> ReportOrder | None:
    """Return the standing order to an address, in whatever spelling."""
    orders = orders_of(session, patient_id)
    key = email_key(email)
    return next((order for order in orders if email_key(order.email) == key), None)


def order_of(session: Session, patient_id: int, order_id: int) -> ReportOrder:
    """Return one who gets reports about this patient.

    Raises:
        NotFoundError: nobody such.
    """
    row = session.get(ReportOrder, order_id)
    if row is None or row.patient_id != patient_id or row.ended_at is not None:
        raise NotFoundError
    return row


def reports_of(
    session: Session, patient_id: int
) -> Sequence[tuple[int, datetime, str, str]]:
    """Return (id, wanted at, state, doctor's name) of the newest reports."""
    rows = session.execute(
        select(Report.id, Report.created_at, Report.state, ReportOrder.doctor_name)
        .join(ReportOrder, ReportOrder.id == Report.order_id)
        .where(Report.patient_id == patient_id)
        .order_by(Report.id.desc())
        .limit(NEWEST)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def report_file(session: Session, patient_id: int, report_id: int) -> tuple[str, bytes]:
    """Return name and content of a finished report of this patient.

    Raises:
        NotFoundError: there is none, or it is not finished.
    """
    report = session.get(Report, report_id)
    if report is None or report.patient_id != patient_id or report.pdf is None:
        raise NotFoundError
    return FILE_NAME.format(last=report.last_on.isoformat()), report.pdf


def oldest_order_due(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a regular report waits to be ordered; None when none does."""
    since: datetime | None = session.scalar(
        select(func.min(ReportOrder.next_at))
        .join(Patient, Patient.id == ReportOrder.patient_id)
        .where(ReportOrder.next_at <= now, ReportOrder.ended_at.is_(None), shares())
    )
    return since
