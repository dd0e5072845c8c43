"""PDFs that are kept in rows: wanted, built under a lease, then ready."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Index, String, func, select, update
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from pillweb.base.crypto import EncryptedBytes
from pillweb.base.db import Base, Id, index_where

LEASE = timedelta(minutes=2)
MOST_TRIES = 3


class PdfRow(Base):
    """A row whose PDF is wanted, built under a lease, then ready; or given up.

    The PDF stands in the row, encrypted, so that every host finds it, one backup
    holds it and erasing the patient erases it.
    """

    __abstract__ = True
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    built_at: Mapped[datetime | None]

    @declared_attr
    def pdf(cls) -> Mapped[bytes | None]:  # noqa: N805 - it is given the class
        """Return the column of the file, encrypted for this table alone."""
        return mapped_column(EncryptedBytes(f"{cls.__tablename__}.pdf"))


def waiting_index(table: str) -> Index:
    """Return the index by which waiting rows of such a table are found."""
    return index_where(f"ix_{table}_waiting", "created_at", where="state = 'wanted'")


def _waits(kind: type[PdfRow], now: datetime) -> ColumnElement[bool]:
    free = kind.lease_until.is_(None) | (kind.lease_until <= now)
    return (kind.state == "wanted") & free


def oldest_pdf_wanted(
    session: Session, kind: type[PdfRow], *, now: datetime
) -> datetime | None:
    """Return since when a PDF waits to be built; None when none does."""
    waiting = select(func.min(kind.created_at)).where(_waits(kind, now))
    since: datetime | None = session.scalar(waiting)
    return since


def claim_pdf(session: Session, kind: type[PdfRow], *, now: datetime) -> PdfRow | None:
    """Lease one wanted PDF to the caller for two minutes; fail it after 3 tries."""
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
    row.lease_until = now + LEASE
    if row.tries > MOST_TRIES:
        row.state = "failed"
    return row


def keep_pdf(
    session: Session, kind: type[PdfRow], row_id: int, *, pdf: bytes, now: datetime
) -> bool:
    """Keep a built PDF; say whether it was still wanted."""
    kept = session.execute(
        update(kind)
        .where(kind.id == row_id, kind.state == "wanted")
        .values(state="ready", pdf=pdf, built_at=now, lease_until=None)
        .returning(kind.id),
        execution_options={"synchronize_session": False},
    ).first()
    return kept is not None
