"""What happens to reports."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.base.i18n import speaking
from pillweb.base.zones import local, to_utc, zone
from pillweb.outbox.actions.posting import post_delivery
from pillweb.patients.models import Patient
from pillweb.patients.queries import shares, stays
from pillweb.reports.models import Report, ReportOrder
from pillweb.reports.rules import SEND_HOUR, next_sending, period_ending


def order_report(
    session: Session,
    *,
    patient: Patient,
    made_by_id: int | None,
    doctor_name: str,
    email: str,
    every: str,
    now: datetime,
    language: str = "en",
) -> ReportOrder:
    """Write down who gets the report, how often, and in which language."""
    order = ReportOrder(
        patient_id=patient.id,
        made_by_id=made_by_id,
        doctor_name=doctor_name,
        email=email,
        every=every,
        language=language,
        created_at=now,
    )
    session.add(order)
    _set_next(order, patient, after=local(now, zone(patient.zone)).date())
    session.flush()
    return order


def _set_next(order: ReportOrder, patient: Patient, *, after: date) -> None:
    order.next_on = next_sending(order.every, after=after)
    order.next_at = (
        None
        if order.next_on is None
        else to_utc(order.next_on, time(SEND_HOUR), zone(patient.zone))
    )


def end_order(order: ReportOrder, *, now: datetime) -> None:
    """Send this doctor nothing more."""
    order.ended_at = now
    order.next_on = order.next_at = None


def want_report(
    session: Session, order: ReportOrder, *, last: date, occasion: str, now: datetime
) -> bool:
    """Ask for the report of the 28 days that end with `last`; say whether it is new.

    The same occasion twice is one report.
    """
    first, last = period_ending(last)
    row = {
        "patient_id": order.patient_id,
        "order_id": order.id,
        "occasion": occasion,
        "first_on": first,
        "last_on": last,
        "state": "wanted",
        "created_at": now,
        "tries": 0,
    }
    return insert_new(session, Report, [row]) == 1


def want_due_reports(session: Session, *, now: datetime, limit: int) -> int:
    """Ask for every regular report whose day has come; return how many orders.

    After a long silence one report leaves, for the days up to yesterday.
    """
    rows = session.execute(
        select(ReportOrder, Patient)
        .join(Patient, Patient.id == ReportOrder.patient_id)
        .where(ReportOrder.next_at <= now, ReportOrder.ended_at.is_(None), shares())
        .order_by(ReportOrder.next_at)
        .limit(limit)
        .with_for_update(of=ReportOrder, skip_locked=True)
    ).all()
    for order, patient in rows:
        today = local(now, zone(patient.zone)).date()
        want_report(
            session,
            order,
            last=today - timedelta(days=1),
            occasion=f"{order.every}:{order.next_on}",
            now=now,
        )
        _set_next(order, patient, after=today)
    return len(rows)


def mail_report(session: Session, report_id: int, *, now: datetime) -> None:
    """Post the mail that a built report goes with; not of who is leaving."""
    order = session.scalars(
        select(ReportOrder)
        .join(Report, Report.order_id == ReportOrder.id)
        .join(Patient, Patient.id == ReportOrder.patient_id)
        .where(Report.id == report_id, stays())
    ).one_or_none()
    if order is None:
        return
    with speaking(order.speech):
        post_delivery(
            session,
            kind="report",
            recipient=order.email,
            dedupe_key=f"report:{report_id}",
            context={"doctor_name": order.doctor_name, "link": None},
            now=now,
            patient_id=order.patient_id,
            subject_id=report_id,
        )
