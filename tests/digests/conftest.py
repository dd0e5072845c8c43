"""A family that wants to hear, and the evenings on which it does."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.digests.actions.clocks import start_clocks, take_days, take_weeks
from pillweb.digests.actions.days import tell_days
from pillweb.digests.actions.weeks import tell_weeks
from pillweb.digests.models import DigestClock
from pillweb.digests.queries import patients_due
from pillweb.outbox.models import Delivery
from pillweb.sharing.models import Grant
from tests.world import World, make_world

Wants = Callable[..., None]


@pytest.fixture
def world(session: Session, now: datetime) -> World:
    """The cast, each of whom has a clock."""
    made = make_world(session, now=now)
    start_clocks(session, now=now, limit=100)
    return made


@pytest.fixture
def wants(session: Session, world: World) -> Wants:
    """Say what a helper of Rosa's wants to hear."""

    def choose(account_id: int, *groups: str) -> None:
        session.flush()
        session.scalars(
            sa.select(Grant).where(
                Grant.account_id == account_id, Grant.patient_id == world.patient
            )
        ).one().wants = [*groups]
        session.flush()

    return choose


def evening(session: Session, at: datetime) -> list[Delivery]:
    """Do what the job does; return every message so far."""
    session.flush()
    ids = patients_due(session, DigestClock.day_at, now=at, limit=100)
    tell_days(session, take_days(session, ids, now=at)[1], now=at)
    ids = patients_due(session, DigestClock.week_at, now=at, limit=100)
    tell_weeks(session, take_weeks(session, ids, now=at)[1], now=at)
    return mails(session)


def mails(session: Session) -> list[Delivery]:
    kinds: Sequence[str] = ("day_digest", "all_well", "week_digest")
    session.flush()
    return [
        *session.scalars(
            sa.select(Delivery).where(Delivery.kind.in_(kinds)).order_by(Delivery.id)
        )
    ]
