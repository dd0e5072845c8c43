"""What helpers were told of, what became of it, and who sees to it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Exists,
    and_,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.errors import LinkGoneError
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import CANCELLED, HELD, OPEN, PART, RECORDED, TAKEN
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import DeliveryDose, Reminder, ReminderLink
from pillweb.reminders.queries.waiting import IS_OF_REMINDER
from pillweb.reminders.rules.course import A_ROUND, COULD_NOT_REMIND, DOSE_ALERT
from pillweb.reminders.rules.ladder import TIME_CRITICAL
from pillweb.sharing.models import Grant, HiddenMedication
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.queries.hiding import IS_HIDDEN
from pillweb.sharing.rules import ACCEPTED

# So long an alert is watched: is it recorded, was that taken back?
WATCHED = timedelta(days=3)
# What tells helpers that something has no record.
_TELLING = (DOSE_ALERT, COULD_NOT_REMIND)
# A message that a provider took, or may have taken.
_MAY_HAVE_LEFT = or_(
    Delivery.accepted_at.is_not(None), Delivery.state == "leased", Delivery.attempts > 0
)


def _is_alerted() -> Exists:
    return exists().where(
        DeliveryDose.dose_id == Dose.id, DeliveryDose.kind.in_(_TELLING)
    )


def has_open() -> Exists:
    """Return whether something is without a record that helpers were told of.

    Of the `Reminder` of a statement.
    """
    return (
        exists()
        .where(IS_OF_REMINDER, Dose.state == OPEN, _is_alerted())
        .correlate(Reminder)
    )


def _has_alerted() -> Exists:
    """Return whether helpers were told of anything of the `Reminder` of a statement."""
    return exists().where(IS_OF_REMINDER, _is_alerted()).correlate(Reminder)


def is_changed(now: datetime) -> ColumnElement[bool]:
    """Return whether those who were alerted by a `Reminder` know less than the rows.

    It is recorded, or what was recorded was taken back.
    """
    return and_(
        Reminder.alerted_at > now - WATCHED,
        or_(
            and_(Reminder.resolved_at.is_(None), _has_alerted(), ~has_open()),
            and_(Reminder.resolved_at.is_not(None), has_open()),
        ),
    )


def oldest_change(session: Session, *, now: datetime) -> datetime | None:
    """Return since when somebody who was alerted waits to hear what became of it."""
    found = session.execute(
        select(func.count(Reminder.id.distinct()), func.max(DoseEvent.entered_at))
        .join(Dose, IS_OF_REMINDER)
        .outerjoin(DoseEvent, DoseEvent.dose_id == Dose.id)
        .where(is_changed(now))
    ).one()
    return (found[1] or now) if found[0] else None


def resolved_wanted(
    session: Session,
    delivery_ids: Collection[int],
    *,
    now: datetime,  # noqa: ARG001 - as all are asked
) -> set[int]:
    """Return of these messages that it is recorded those of what still is."""
    wanted = (
        select(Delivery.id)
        .join(Reminder, Reminder.id == Delivery.subject_id)
        .where(
            Delivery.id.in_(delivery_ids),
            Reminder.resolved_at.is_not(None),
            ~has_open(),
        )
    )
    return set(session.scalars(wanted))


class Outcome(NamedTuple):
    """What became of doses that helpers were told of; who said it, and when.

    `is_taken` is None where the plan changed and there is nothing to record.
    """

    is_taken: bool | None
    at: datetime | None
    by: str
    is_urgent: bool


def outcome_of(
    session: Session, reminder_ids: Collection[int], *, patient_name: str
) -> Outcome:
    """Return what became of everything that helpers were told of in these reminders."""
    doses = session.execute(
        select(Dose.id, Dose.state, Dose.recorded_at, Medication.category)
        .join(Reminder, IS_OF_REMINDER)
        .join(Medication, Medication.id == Dose.medication_id)
        .where(Reminder.id.in_(reminder_ids), _is_alerted())
    ).all()
    states = {dose.state for dose in doses if dose.state in RECORDED}
    event = session.execute(
        select(DoseEvent.entered_at, Account.name)
        .outerjoin(Account, Account.id == DoseEvent.account_id)
        .where(DoseEvent.dose_id.in_([dose.id for dose in doses]))
        .order_by(DoseEvent.id.desc())
        .limit(1)
    ).first()
    return Outcome(
        is_taken=states <= {TAKEN, PART} if states else None,
        at=event.entered_at if event else None,
        by=(event.name or patient_name) if event else "",
        is_urgent=any(dose.category == TIME_CRITICAL for dose in doses),
    )


def alerted_accounts(session: Session, reminder_ids: Collection[int]) -> list[int]:
    """Return who was told that these have no record, and may still be told."""
    rows = session.scalars(
        select(Delivery.account_id)
        .join(DeliveryDose, DeliveryDose.delivery_id == Delivery.id)
        .join(Dose, Dose.id == DeliveryDose.dose_id)
        .join(Reminder, IS_OF_REMINDER)
        .join(
            Grant,
            and_(
                Grant.account_id == Delivery.account_id,
                Grant.patient_id == Reminder.patient_id,
            ),
        )
        .where(
            Reminder.id.in_(reminder_ids),
            DeliveryDose.kind.in_(_TELLING),
            Grant.status == ACCEPTED,
            _MAY_HAVE_LEFT,
            ~exists().where(
                IS_HIDDEN, HiddenMedication.medication_id == Dose.medication_id
            ),
        )
        .distinct()
    )
    return sorted(account for account in rows if account is not None)


def helpers_told(
    session: Session, reminder_ids: Collection[int]
) -> set[tuple[str, int]]:
    """Return who was told of the present round of which of these reminders.

    By the ladder, or because nobody could be reminded; as (key of a person, reminder).
    """
    rows = session.execute(
        select(DeliveryDose.recipient, Reminder.id)
        .join(Dose, Dose.id == DeliveryDose.dose_id)
        .join(Reminder, IS_OF_REMINDER)
        .where(
            Reminder.id.in_(reminder_ids),
            DeliveryDose.kind.in_(_TELLING),
            DeliveryDose.step >= Reminder.round * A_ROUND,
        )
        .distinct()
    )
    return {(row.recipient, row.id) for row in rows}


class AlertLink(NamedTuple):
    """What the link of an alert is about; who it was sent to."""

    patient_id: int
    account_id: int
    reminder_ids: list[int]
    dose_ids: list[int]
    open_ids: list[int]
    moments: list[datetime]


def alert_behind(session: Session, token: str, *, now: datetime) -> AlertLink:
    """Return what a helper's link is about.

    Raises:
        LinkGoneError: it is wrong, older than a day, or a patient's.
    """
    with seeing_everybody(session):
        link = session.scalar(
            select(ReminderLink).where(
                ReminderLink.token_hash == token_hash(token),
                ReminderLink.expires_at > now,
                ReminderLink.account_id.is_not(None),
            )
        )
    if link is None or link.account_id is None:
        raise LinkGoneError
    let_see(session, link.patient_id)
    rows = session.execute(
        select(Dose.id, Dose.state, Dose.due_at, Reminder.id.label("reminder_id"))
        .join(Reminder, IS_OF_REMINDER)
        .join(DeliveryDose, DeliveryDose.dose_id == Dose.id)
        .where(
            DeliveryDose.delivery_id == link.delivery_id,
            Dose.state.not_in((CANCELLED, HELD)),
        )
        .order_by(Dose.due_at, Dose.id)
    ).all()
    return AlertLink(
        patient_id=link.patient_id,
        account_id=link.account_id,
        reminder_ids=sorted({row.reminder_id for row in rows}),
        dose_ids=[row.id for row in rows],
        open_ids=[row.id for row in rows if row.state == OPEN],
        moments=list(dict.fromkeys(row.due_at for row in rows)),
    )


def alerted_by(session: Session, delivery_id: int, *, now: datetime) -> Sequence[int]:
    """Return the reminders an alert was about, while whom it went to still helps."""
    return session.scalars(
        select(Reminder.id)
        .join(Dose, IS_OF_REMINDER)
        .join(DeliveryDose, DeliveryDose.dose_id == Dose.id)
        .join(Delivery, Delivery.id == DeliveryDose.delivery_id)
        .join(
            Grant,
            and_(
                Grant.account_id == Delivery.account_id,
                Grant.patient_id == Reminder.patient_id,
            ),
        )
        .where(
            Delivery.id == delivery_id,
            Delivery.kind == DOSE_ALERT,
            holds(now),
        )
        .distinct()
    ).all()


class SeenTo(NamedTuple):
    """That somebody sees to what is due at a moment."""

    due_at: datetime
    name: str
    at: datetime


def seen_to(session: Session, reminder_ids: Collection[int]) -> Sequence[SeenTo]:
    """Return who sees to these reminders, and since when."""
    rows = session.execute(
        select(Reminder.due_at, Account.name, Reminder.acknowledged_at)
        .join(Account, Account.id == Reminder.acknowledged_by)
        .where(Reminder.id.in_(reminder_ids), Reminder.acknowledged_at.is_not(None))
        .order_by(Reminder.due_at)
    )
    return [SeenTo(due_at, name, at) for due_at, name, at in rows if at]


def seen_to_since(
    session: Session, patient_id: int, *, since: datetime, now: datetime
) -> Sequence[SeenTo]:
    """Return who sees to what of a patient's is still without a record."""
    rows = session.execute(
        select(Reminder.due_at, Account.name, Reminder.acknowledged_at)
        .join(Account, Account.id == Reminder.acknowledged_by)
        .where(
            Reminder.patient_id == patient_id,
            Reminder.due_at > since,
            Reminder.due_at <= now,
            has_open(),
        )
        .order_by(Reminder.due_at)
    )
    return [SeenTo(due_at, name, at) for due_at, name, at in rows if at]
