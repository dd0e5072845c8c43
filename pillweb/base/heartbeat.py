"""Signs of life: each worker and clock writes when it last was well."""

from datetime import datetime, timedelta

from sqlalchemy import String, bindparam, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pillweb.base.db import Base, ask, upsert

STALE_AFTER = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(days=1)
# What stands for the database's clock when it jumped: when, and by how many seconds.
JUMP = "clock_jump"
JUMP_HELD = timedelta(minutes=10)


class Heartbeat(Base):
    """When one instance of a component was last well."""

    __tablename__ = "heartbeat"
    component: Mapped[str] = mapped_column(String(20), primary_key=True)
    instance: Mapped[str] = mapped_column(String(80), primary_key=True)
    beat_at: Mapped[datetime]
    lag_s: Mapped[int] = mapped_column(default=0)


def beat(
    session: Session, *, component: str, instance: str, now: datetime, lag_s: int = 0
) -> None:
    """Write that this instance is well, and forget others of its kind long gone.

    `lag_s` is for how many seconds the oldest due work has waited.
    """
    session.execute(
        delete(Heartbeat).where(
            Heartbeat.component == component,
            Heartbeat.beat_at < now - FORGOTTEN_AFTER,
        )
    )
    upsert(
        session,
        Heartbeat,
        [
            {
                "component": component,
                "instance": instance,
                "beat_at": now,
                "lag_s": lag_s,
            }
        ],
    )


def last_beats(session: Session) -> dict[str, tuple[datetime, int]]:
    """Return the newest sign of life of each component, and the lag it told."""
    rows = session.execute(
        select(Heartbeat.component, Heartbeat.beat_at, Heartbeat.lag_s).order_by(
            Heartbeat.beat_at
        )
    )
    return {component: (at, lag_s) for component, at, lag_s in rows}


def waits_since(
    session: Session, component: str, *, every: timedelta, now: datetime
) -> datetime | None:
    """Return since when something is to be done again that is done every so often.

    Its doer beats as this component when it begins. None while it was done lately.
    """
    newest = session.scalar(
        select(func.max(Heartbeat.beat_at)).where(Heartbeat.component == component)
    )
    if newest is None:
        return now
    return newest + every if newest + every <= now else None


_JUMP_OF = select(Heartbeat.lag_s).where(
    Heartbeat.component == JUMP,
    Heartbeat.instance == JUMP,
    Heartbeat.beat_at.between(bindparam("since"), bindparam("until")),
)


def disbelieved(session: Session, shown: datetime) -> timedelta:
    """Return by how much the database's clock is ahead of the time all go by.

    It is nothing but for ten minutes after a jump: then the new time holds.
    """
    around = {"since": shown - JUMP_HELD, "until": shown + JUMP_HELD}
    return timedelta(seconds=ask(session, _JUMP_OF, around).scalar() or 0)


def disbelieve(session: Session, by: timedelta, *, shown: datetime) -> None:
    """Let everybody go on by the time before a jump of the database's clock.

    `shown` is what the clock shows since. Nothing by nothing: its time holds again.
    """
    beat(
        session,
        component=JUMP,
        instance=JUMP,
        now=shown,
        lag_s=round(by.total_seconds()),
    )
