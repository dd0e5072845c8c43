"""Since when something waits to be said, and whether it is still to be said."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from pillweb.base.db import UTCDateTime, ask
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import CANCELLED, HELD, OPEN
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery, Incident
from pillweb.reminders.models import DeliveryDose, Reminder
from pillweb.reminders.rules.course import (
    A_ROUND,
    COULD_NOT_REMIND,
    DOSE_ALERT,
    DOSE_DUE,
    GATHERED,
)
from pillweb.sharing.models import Grant, HiddenMedication
from pillweb.sharing.rules import ACCEPTED

IS_OF_REMINDER = and_(
    Reminder.patient_id == Dose.patient_id, Reminder.due_at == Dose.due_at
)
# The kind of incident that tells of a patient whose rows cannot be worked with.
PASSED_OVER = "unfired"
# So many of the newest things said are looked through for what was taken back.
NEWEST = 2000
_newer = aliased(Dose)
_IS_SUPERSEDED = exists().where(
    _newer.patient_id == Dose.patient_id,
    _newer.medication_id == Dose.medication_id,
    _newer.state.not_in((CANCELLED, HELD)),
    _newer.due_at > Dose.due_at,
    _newer.due_at <= bindparam("now", type_=UTCDateTime()),
)
_IS_GRANTED = exists().where(
    Grant.patient_id == Dose.patient_id,
    Grant.account_id == Delivery.account_id,
    Grant.status == ACCEPTED,
    Grant.ladder_place.is_not(None),
)
_IS_TOLD = exists().where(
    Grant.patient_id == Dose.patient_id,
    Grant.account_id == Delivery.account_id,
    Grant.status == ACCEPTED,
    or_(Grant.ladder_place.is_not(None), Grant.alerts.is_(True)),
)
_hidden_told, _hidden_dose = aliased(DeliveryDose), aliased(Dose)
# Hidden since it was posted; what else it told of is told at the next step.
_NAMES_HIDDEN = exists().where(
    _hidden_told.delivery_id == Delivery.id,
    _hidden_dose.id == _hidden_told.dose_id,
    HiddenMedication.account_id == Delivery.account_id,
    HiddenMedication.medication_id == _hidden_dose.medication_id,
)
_STILL_WANTED = (
    select(DeliveryDose.delivery_id)
    .join(Delivery, Delivery.id == DeliveryDose.delivery_id)
    .join(Dose, Dose.id == DeliveryDose.dose_id)
    .join(Reminder, IS_OF_REMINDER)
    .join(Medication, Medication.id == Dose.medication_id)
    .where(
        DeliveryDose.delivery_id.in_(bindparam("ids", expanding=True)),
        Dose.state == OPEN,
        Medication.stopped_at.is_(None),
        # What was put off since it was posted speaks when it is wanted again.
        DeliveryDose.step >= Reminder.round * A_ROUND,
        or_(
            and_(DeliveryDose.kind == DOSE_ALERT, _IS_GRANTED, ~_NAMES_HIDDEN),
            and_(
                DeliveryDose.kind == COULD_NOT_REMIND,
                Reminder.acknowledged_at.is_(None),
                _IS_TOLD,
                ~_NAMES_HIDDEN,
            ),
            and_(
                DeliveryDose.kind == DOSE_DUE,
                Dose.due_at <= bindparam("soon", type_=UTCDateTime()),
                ~_IS_SUPERSEDED,
            ),
        ),
    )
    # Whoever records a dose meanwhile waits until its message has begun.
    .with_for_update(read=True, of=Dose)
)
_SAID_FIRST = select(DeliveryDose.delivery_id).where(
    DeliveryDose.delivery_id.in_(bindparam("ids", expanding=True)),
    DeliveryDose.step % A_ROUND == 0,
)


def oldest_unfired(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a reminder waits to be said; None when none does."""
    since: datetime | None = session.scalar(
        select(func.min(Reminder.next_at)).where(
            Reminder.state == "open", Reminder.next_at <= now
        )
    )
    return since


def waiting_patients(
    session: Session,
    state: str,
    *,
    now: datetime,
    limit: int,
    besides: Collection[int] = (),
) -> set[int]:
    """Return patients whose reminders of a state wait the longest."""
    rows = session.scalars(
        select(Reminder.patient_id)
        .where(
            Reminder.state == state,
            Reminder.next_at <= now,
            Reminder.patient_id.not_in(besides),
        )
        .order_by(Reminder.next_at)
        .limit(limit)
    )
    return set(rows)


def undone(session: Session) -> dict[int, datetime]:
    """Return the reminders that were done when something of theirs was taken back.

    With the instant of that; those of which helpers were told are followed as alerts.
    """
    newest = (
        select(DoseEvent.dose_id, DoseEvent.what, DoseEvent.entered_at)
        .order_by(DoseEvent.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    rows = session.execute(
        select(Reminder.id, func.min(newest.c.entered_at).label("at"))
        .select_from(newest)
        .join(Dose, Dose.id == newest.c.dose_id)
        .join(Reminder, IS_OF_REMINDER)
        .where(
            newest.c.what == "undone",
            newest.c.entered_at > Reminder.next_at,
            Dose.state == OPEN,
            Reminder.state == "done",
            Reminder.alerted_at.is_(None),
        )
        .group_by(Reminder.id)
    )
    return {row.id: row.at for row in rows}


def oldest_undone(session: Session, *, now: datetime) -> datetime | None:
    """Return since when something taken back waits to be looked at again."""
    return min((at for at in undone(session).values() if at <= now), default=None)


def passed_over(session: Session) -> set[int]:
    """Return the patients for whom it failed to tell them anything."""
    rows = session.scalars(
        select(Incident.about).where(
            Incident.kind == PASSED_OVER, Incident.closed_at.is_(None)
        )
    )
    return {int(about[1:]) for about in rows}


def still_wanted(
    session: Session, delivery_ids: Collection[int], *, now: datetime
) -> set[int]:
    """Return of these messages those that still have somebody to tell something.

    That is: a dose nobody recorded, put off, or took the next one of since; and for
    helpers that they are still to be told. That we could not remind is not said of what
    somebody sees to.
    """
    values = {"ids": list(delivery_ids), "now": now, "soon": now + GATHERED}
    return set(ask(session, _STILL_WANTED, values).scalars())


def said_first(session: Session, delivery_ids: Collection[int]) -> set[int]:
    """Return of these messages those that tell of a dose for the first time."""
    return set(ask(session, _SAID_FIRST, {"ids": list(delivery_ids)}).scalars())


def late_wanted(
    session: Session, delivery_ids: Collection[int], *, now: datetime
) -> set[int]:
    """Return of these messages that we were late those to who still waits for it.

    That is: something nobody reminded them of, and nobody recorded, by `now` either.
    """
    reminded = aliased(Delivery)
    was_reminded = exists().where(
        DeliveryDose.dose_id == Dose.id,
        DeliveryDose.kind == DOSE_DUE,
        reminded.id == DeliveryDose.delivery_id,
        reminded.accepted_at.is_not(None),
        reminded.state != "dead",
    )
    untold = (
        select(Dose.id)
        .join(Reminder, IS_OF_REMINDER)
        .where(
            Dose.patient_id == Delivery.patient_id,
            Dose.state == OPEN,
            Dose.due_at <= now,
            Reminder.last_fired_at <= Delivery.created_at,
            ~was_reminded,
        )
    )
    wanted = select(Delivery.id).where(Delivery.id.in_(delivery_ids), untold.exists())
    return set(session.scalars(wanted))
