"""What is wrong is noted, and that it is well again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import true, update
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.outbox.models import Incident


def open_incident(
    session: Session, *, kind: str, opened_at: datetime, about: str = ""
) -> bool:
    """Note that something is wrong since then; say whether that was not known yet."""
    row = {"kind": kind, "about": about, "opened_at": opened_at, "closed_at": None}
    return insert_new(session, Incident, [row]) > 0


def close_incidents(
    session: Session,
    *,
    kind: str,
    now: datetime,
    about: str | None = None,
    besides: Collection[str] = (),
) -> None:
    """Note that all is well again with everything of a kind, or what is `about` alone.

    But for what is about one of `besides`.
    """
    is_meant = Incident.about == about if about is not None else true()
    session.execute(
        update(Incident)
        .where(
            Incident.kind == kind,
            Incident.closed_at.is_(None),
            is_meant,
            Incident.about.not_in(besides),
        )
        .values(closed_at=now),
        execution_options={"synchronize_session": False},
    )
