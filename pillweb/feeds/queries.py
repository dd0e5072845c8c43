"""Questions of private calendars."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.base.errors import LinkGoneError
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.base.zones import day_bounds, local, zone
from pillweb.doses.actions.wanted import wanted_of
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.queries.days import horizons_of
from pillweb.doses.rules.days import CANCELLED, HELD, OPEN
from pillweb.feeds.models import FeedLink
from pillweb.feeds.rules import DAYS_AHEAD, DAYS_BACK, FeedDose, Moment, moments_of
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.patients.queries import shares, zone_at
from pillweb.schedules.queries import life_with, planned_lines
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.queries.hiding import see_as
from pillweb.sharing.rules import SELF, Level


class Feed(NamedTuple):
    """A live link, and whose times it tells."""

    link: FeedLink
    patient: Patient


def feeds_of(session: Session, patient_id: int) -> Sequence[FeedLink]:
    """Return the patient's calendars that still work, newest first."""
    return session.scalars(
        select(FeedLink)
        .where(FeedLink.patient_id == patient_id, FeedLink.revoked_at.is_(None))
        .order_by(FeedLink.id.desc())
    ).all()


def feed_behind(session: Session, token: str, *, now: datetime) -> Feed:
    """Return the calendar with this secret.

    Raises:
        LinkGoneError: it is wrong or stopped, or who made it may no longer; or nothing
            is shared now, and it is not the patient's own.
    """
    with seeing_everybody(session):
        row = session.execute(
            select(FeedLink, Patient)
            .join(Patient, Patient.id == FeedLink.patient_id)
            .join(
                Grant,
                (Grant.patient_id == FeedLink.patient_id)
                & (Grant.account_id == FeedLink.made_by_id),
            )
            .where(
                FeedLink.token_hash == token_hash(token),
                FeedLink.revoked_at.is_(None),
                holds(now),
                Grant.level >= int(Level.MANAGE),
                shares(is_own=Grant.role == SELF),
            )
        ).first()
    if row is None:
        raise LinkGoneError
    let_see(session, row.FeedLink.patient_id)
    see_as(session, row.FeedLink.made_by_id, row.FeedLink.patient_id)
    return Feed(*row)


def feed_moments(session: Session, feed: Feed, *, now: datetime) -> list[Moment]:
    """Return what the calendar holds: a week that was, and sixty days to come.

    As far as doses are planned they are as they stand; beyond, as the plans want them.
    """
    patient_id = feed.patient.id
    place = zone(zone_at(session, patient_id, at=now))
    today = local(now, place).date()
    start = day_bounds(today - DAYS_BACK, place)[0]
    end = day_bounds(today + DAYS_AHEAD, place)[1]
    horizon = next(iter(horizons_of(session, [patient_id])), None)
    planned_until = horizon.planned_until if horizon else now
    planned_at = horizon.planned_at if horizon else feed.link.created_at
    doses = _planned(session, patient_id, start=start, end=planned_until)
    doses += _to_come(session, patient_id, start=planned_until, end=end)
    return moments_of(doses, planned_at=planned_at)


def _planned(
    session: Session, patient_id: int, *, start: datetime, end: datetime
) -> list[FeedDose]:
    changed = (
        select(DoseEvent.dose_id, func.max(DoseEvent.entered_at).label("at"))
        .join(Dose, Dose.id == DoseEvent.dose_id)
        .where(Dose.patient_id == patient_id, Dose.due_at >= start, Dose.due_at < end)
        .group_by(DoseEvent.dose_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Dose.due_at,
            Dose.nominal_date,
            Dose.local_label,
            Dose.zone,
            Dose.zone_epoch,
            Medication.name,
            (Dose.state != OPEN).label("is_recorded"),
            changed.c.at,
        )
        .join(Medication, Medication.id == Dose.medication_id)
        .outerjoin(changed, changed.c.dose_id == Dose.id)
        .where(
            Dose.patient_id == patient_id,
            Dose.due_at >= start,
            Dose.due_at < end,
            Dose.state.not_in((CANCELLED, HELD)),
        )
        .order_by(Dose.due_at, Dose.id)
    )
    return [FeedDose._make(row) for row in rows]


def _to_come(
    session: Session, patient_id: int, *, start: datetime, end: datetime
) -> Iterator[FeedDose]:
    lines = planned_lines(session, [patient_id], since=start)
    life = life_with(session, patient_id)
    names = {
        row.id: row.name
        for row in session.execute(
            select(Medication.id, Medication.name).where(
                Medication.patient_id == patient_id
            )
        )
    }
    for line in lines:
        for dose in wanted_of(line, life, window=(start, end)):
            if dose.state == OPEN:
                yield FeedDose(
                    due_at=dose.due_at,
                    nominal_date=dose.nominal_date,
                    local_label=dose.local_label,
                    zone=dose.zone,
                    zone_epoch=dose.zone_epoch,
                    name=names[dose.medication_id],
                )
