"""Signs of life: each worker and clock writes when it last was well."""

from datetime import datetime, timedelta

from sqlalchemy import String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pillweb.base.db import Base, upsert

STALE_AFTER = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(days=1)


class Heartbeat(Base):
    """When one instance of a component was last well."""

    __tablename__ = "heartbeat"
    component: Mapped[str] = mapped_column(String(20), primary_key=True)
    instance: Mapped[str] = mapped_column(String(80), primary_key=True)
    beat_at: Mapped[datetime]


def beat(session: Session, *, component: str, instance: str, now: datetime) -> None:
    """Write that this instance is well, and forget those long gone."""
    session.execute(
        delete(Heartbeat).where(Heartbeat.beat_at < now - FORGOTTEN_AFTER)
    )
    upsert(
        session,
        Heartbeat,
        {"component": component, "instance": instance, "beat_at": now},
    )


def last_beats(session: Session) -> dict[str, datetime]:
    """Return the newest sign of life of each component."""
    rows = session.execute(
        select(Heartbeat.component, func.max(Heartbeat.beat_at)).group_by(
            Heartbeat.component
        )
    )
    return {component: at for component, at in rows}
