"""Rows of what is built by a worker, PDFs among them: wanted, leased, then ready."""

from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, ForeignKey, Index, String, func, select, update
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from pillweb.base.db import Base, Id, index_where
from pillweb.base.sealed import SealedBytes, sealed_value

LEASE = timedelta(minutes=2)
MOST_TRIES = 3
_Built = TypeVar("_Built", bound="BuiltRow")


class BuiltRow(Base):
    """A row about something that is wanted, built under a lease, then ready.

    After three tries in vain it is given up.
    """

    __abstract__ = True
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    built_at: Mapped[datetime | None]


class PdfRow(BuiltRow):
    """A row whose PDF is wanted, built under a lease, then ready; or given up.

    The PDF stands in the row, encrypted, so that every host finds it, one backup
    holds it and erasing the patient erases it.
    """

    __abstract__ = True
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )

    @declared_attr
    def pdf(cls) -> Mapped[bytes | None]:  # noqa: N805 - it is given the class
        """Return the column of the file, encrypted for this table alone."""
        return mapped_column(SealedBytes(f"{cls.__tablename__}.pdf"))


def waiting_index(table: str) -> Index:
    """Return the index by which waiting rows of such a table are found."""
    return index_where(f"ix_{table}_waiting", "created_at", where="state = 'wanted'")


def _waits(kind: type[BuiltRow], now: datetime) -> ColumnElement[bool]:
    free = kind.lease_until.is_(None) | (kind.lease_until <= now)
    return (kind.state == "wanted") & free


def oldest_wanted(
    session: Session, kind: type[BuiltRow], *, now: datetime
) -> datetime | None:
    """Return since when such a row waits to be built; None when none does."""
    waiting = select(func.min(kind.created_at)).where(_waits(kind, now))
    since: datetime | None = session.scalar(waiting)
    return since


def claim_row(
    session: Session, kind: type[_Built], *, now: datetime, lease: timedelta = LEASE
) -> _Built | None:
    """Lease one wanted row to the caller for a while; fail it after 3 tries."""
    row = session.scalar(
        select(kind)
        .where(_waits(kind, now))
        .order_by(kind.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.tries += 1
    row.lease_until = now + lease
    if row.tries > MOST_TRIES:
        row.state = "failed"
    return row


def keep_pdf(
    session: Session, kind: type[PdfRow], row_id: int, *, pdf: bytes, now: datetime
) -> bool:
    """Keep a built PDF; say whether it was still wanted."""
    wanted = select(kind.patient_id).where(kind.id == row_id, kind.state == "wanted")
    owner = session.scalar(wanted)
    if owner is None:
        return False
    kept = session.execute(
        update(kind)
        .where(kind.id == row_id, kind.state == "wanted")
        .values(
            state="ready",
            pdf=sealed_value(session, kind, pdf, row_id=row_id, owner=owner),
            built_at=now,
            lease_until=None,
        )
        .returning(kind.id),
        execution_options={"synchronize_session": False},
    ).first()
    return kept is not None
