"""Reminders are armed with the doses, and put off."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, case, delete, literal, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import UTCDateTime, insert_new_from
from pillweb.base.links import link
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import DOSES, chosen_points
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN
from pillweb.reminders.models import DeliveryDose, Reminder
from pillweb.reminders.rules.course import GATHERED


def arm_reminders(
    session: Session, patient_ids: Collection[int], *, now: datetime
) -> None:
    """Give every moment its reminder at which something is due and not yet missed.

    What was planned only after it was due waits since now, and nobody was late with it.
    What was told a little early, and was then moved to later, is as if never told.
    """
    at = literal(now, UTCDateTime())
    first_at = case((Dose.due_at < at, at), else_=Dose.due_at)
    moments = (
        select(Dose.patient_id, Dose.due_at, first_at, literal("open", String(6)))
        .where(
            Dose.patient_id.in_(patient_ids), Dose.state == OPEN, Dose.missed_at > now
        )
        .distinct()
    )
    insert_new_from(
        session, Reminder, ["patient_id", "due_at", "next_at", "state"], moments
    )
    to_come = select(Dose.id).where(
        Dose.patient_id.in_(patient_ids),
        Dose.state == OPEN,
        Dose.due_at > now + GATHERED,
    )
    session.execute(
        delete(DeliveryDose).where(DeliveryDose.dose_id.in_(to_come)),
        execution_options={"synchronize_session": False},
    )


def hold_reminders(
    session: Session,
    patient_id: int,
    moments: Collection[datetime],
    *,
    until: datetime,
) -> None:
    """Say nothing of these moments until then; their ladders begin anew there.

    What was posted of them and has not left yet is not sent any more.
    """
    session.execute(
        update(Reminder)
        .where(Reminder.patient_id == patient_id, Reminder.due_at.in_(moments))
        .values(
            state="open", snoozed_until=until, next_at=until, round=Reminder.round + 1
        ),
        execution_options={"synchronize_session": False},
    )


def tell_of_new_clock(
    session: Session, patient_id: int, *, version: str, now: datetime
) -> bool:
    """Post once for a version of the zone data that the clocks changed."""
    person = patients_to_tell(session, [patient_id], now=now)[patient_id]
    posted = [
        post_message(
            session,
            person,
            point,
            kind="clock_changed",
            about=f"{patient_id}:{version}",
            context={
                "first_name": person.name,
                "link": link(f"/patients/{patient_id}/today"),
            },
            now=now,
        )
        for point in chosen_points(person, DOSES)
    ]
    return any(posted)
