"""A database that was put back from a backup: it must not say anything twice."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.high_water import high_water
from pillweb.outbox.actions import open_incident
from pillweb.outbox.models import Delivery
from pillweb.watch.queries import last_clock_beat
from pillweb.watch.rules.alarm import RESTORED, is_behind


def note_restore(session: Session, *, now: datetime) -> bool:
    """Hold everything back where the database is older than it was; say if it is.

    A database without any message is a new one: it has nothing to say twice.
    """
    beaten = last_clock_beat(session)
    if not is_behind(beaten, high_water()):
        return False
    if beaten is None and session.scalar(select(Delivery.id).limit(1)) is None:
        return False
    open_incident(session, kind=RESTORED, opened_at=beaten or now)
    return True
