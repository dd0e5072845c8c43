"""Questions about what devices sent, and what they may need without a connection."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from pillweb.base.errors import LinkGoneError
from pillweb.base.retention import REPLAYS, kept_for
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.channels.live import LiveNote, device_index
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import address_index
from pillweb.contacts.rules import USABLE
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.queries.days import doses_between
from pillweb.doses.rules.days import OPEN
from pillweb.schedules.models import Plan
from pillweb.sync.models import Replay
from pillweb.sync.rules import Presser, Said

AHEAD = timedelta(hours=48)
JUST_BEFORE = timedelta(minutes=10)
LIVE = "live"
MOST_NOTES = 20


def oldest_replay(session: Session, *, now: datetime) -> datetime | None:
    """Return since when an answer of a device is older than it is kept."""
    # Ids go up with time.
    first = select(Replay.received_at).order_by(Replay.id).limit(1)
    received_at = session.scalar(first)
    over = received_at + kept_for(REPLAYS) if received_at else None
    return over if over and over <= now else None


def said_of(session: Session, patient_id: int, dose_id: int) -> Said | None:
    """Return how a dose of this patient stands, and the newest thing said of it."""
    newest = (
        select(DoseEvent.id)
        .where(DoseEvent.dose_id == dose_id)
        .order_by(DoseEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    row = session.execute(
        select(
            Dose.state,
            Plan.valid_from,
            Dose.nominal_date,
            Dose.due_at,
            Dose.missed_at,
            DoseEvent.what,
            DoseEvent.at,
            DoseEvent.account_id,
        )
        .join(Plan, Plan.id == Dose.plan_id)
        .outerjoin(DoseEvent, DoseEvent.id == newest)
        .where(Dose.id == dose_id, Dose.patient_id == patient_id)
    ).first()
    return None if row is None else Said(*row)


def _pressed_by(presser: Presser) -> ColumnElement[bool]:
    if presser.account_id is not None:
        return Replay.account_id == presser.account_id
    return Replay.device_id == presser.device_id


def replay_by_key(session: Session, presser: Presser, key: str) -> Replay | None:
    """Return what this press of theirs was, if it came before."""
    return session.scalar(select(Replay).where(_pressed_by(presser), Replay.key == key))


def replays_of(
    session: Session, presser: Presser, patient_id: int, keys: Collection[str]
) -> Sequence[Replay]:
    """Return what became of these presses of theirs, first pressed first."""
    return session.scalars(
        select(Replay)
        .where(
            _pressed_by(presser),
            Replay.patient_id == patient_id,
            Replay.key.in_(keys),
        )
        .order_by(Replay.pressed_at, Replay.id)
    ).all()


def moments_of(
    session: Session, patient_id: int, *, now: datetime
) -> list[tuple[datetime, list[int]]]:
    """Return when something is to be taken in the next two days: (instant, doses)."""
    doses = doses_between(session, patient_id, start=now - JUST_BEFORE, end=now + AHEAD)
    waiting = [dose for dose in doses if dose.state == OPEN]
    return [
        (due_at, [dose.id for dose in together])
        for due_at, together in groupby(waiting, key=lambda dose: dose.due_at)
    ]


def open_page(session: Session, token: str) -> bytes:
    """Return by what the notes of the open page with this secret are found.

    Raises:
        LinkGoneError: nobody is told anything there.
    """
    at_page = select(ContactPoint.patient_id).where(
        ContactPoint.channel == LIVE,
        ContactPoint.address_index == address_index(LIVE, token),
        ContactPoint.state.in_(USABLE),
    )
    with seeing_everybody(session):
        told_of = session.scalars(at_page).all()
    for patient_id in told_of:
        if patient_id is not None:
            let_see(session, patient_id)
    if not told_of:
        raise LinkGoneError
    return device_index(token)


def notes_to_show(
    session: Session, device: bytes, *, now: datetime
) -> Sequence[LiveNote]:
    """Return what an open page is to say and has not said, the oldest first."""
    return session.scalars(
        select(LiveNote)
        .where(
            LiveNote.device_index == device,
            LiveNote.shown_at.is_(None),
            LiveNote.expires_at > now,
        )
        .order_by(LiveNote.id)
        .limit(MOST_NOTES)
    ).all()
