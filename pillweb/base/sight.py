"""Whose rows a session of a page may see: Postgres itself keeps it to that.

The doors decide, in code, on both databases. This is the second lock behind them, for
the query that forgets to ask for one patient's rows alone: policies of the tables
(migration b2d8f647a2e8) heed what is told here. It is told for one transaction only,
so that a connection of the pool carries nothing to the next request.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from pillweb.base.db import GUARDED
from pillweb.base.viewer import Viewer

_KEPT = "sight"
_TELL = (
    "select set_config('app.account', %s, true), set_config('app.at', %s, true),"
    " set_config('app.patients', %s, true), set_config('app.everybody', %s, true)"
)

_NEXT_PATIENT = text("select nextval(pg_get_serial_sequence('patient', 'id'))")


@dataclass
class _Sight:
    account_id: int | None = None
    at: datetime | None = None
    patients: set[int] = field(default_factory=set)
    sees_everybody: bool = False

    def values(self) -> tuple[str, str, str, str]:
        """Return the settings as Postgres reads them; an empty one says nothing."""
        patients = ",".join(map(str, sorted(self.patients)))
        return (
            str(self.account_id or ""),
            self.at.isoformat() if self.at else "",
            f"{{{patients}}}" if patients else "",
            "yes" if self.sees_everybody else "",
        )


def let_see(session: Session, patient_id: int) -> None:
    """Let a session see and change a patient's rows from now on."""
    sight = _sight(session)
    if patient_id not in sight.patients:
        sight.patients.add(patient_id)
        _tell_now(session)


def let_see_as(session: Session, viewer: Viewer) -> None:
    """Let a session see and change the rows of all whom this account was granted."""
    sight = _sight(session)
    sight.account_id, sight.at = viewer.account_id, viewer.at
    _tell_now(session)


def see_everybody(session: Session) -> None:
    """Let a session see everybody's rows from now on.

    For what providers report, and for pages about all messages.
    """
    _sight(session).sees_everybody = True
    _tell_now(session)


def new_patient_id(session: Session) -> int | None:
    """Return the key of a patient yet to be added, whom the session then may see.

    None where the database gives the key and keeps no rows back.
    """
    if not session.connection().get_execution_options().get(GUARDED):
        return None
    patient_id: int = session.scalar(_NEXT_PATIENT)
    let_see(session, patient_id)
    return patient_id


@contextmanager
def seeing_everybody(session: Session) -> Iterator[None]:
    """Let a session see everybody's rows inside the block.

    For finding whose a secret is; a `let_see` follows.
    """
    sight = _sight(session)
    before = sight.sees_everybody
    sight.sees_everybody = True
    if not before:
        _tell_now(session)
    try:
        yield
        session.flush()
    finally:
        sight.sees_everybody = before
        if not before and session.is_active:
            _tell_now(session)


def _sight(session: Session) -> _Sight:
    sight: _Sight = session.info.setdefault(_KEPT, _Sight())
    return sight


def _tell_now(session: Session) -> None:
    if session.in_transaction() and session.get_bind().dialect.name == "postgresql":
        _tell(session, None, session.connection())


@event.listens_for(Session, "after_begin")
def _tell(session: Session, _transaction: object, connection: Connection) -> None:
    """Say at the begin of each transaction what this one may see."""
    if connection.get_execution_options().get(GUARDED) and _KEPT in session.info:
        # Not a statement of the session: it is neither counted nor logged.
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        driver.execute(_TELL, session.info[_KEPT].values())
