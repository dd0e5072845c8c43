"""The rows about backups."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id, index_where


class BackupRun(Base):
    """One backup, or one test that a backup can be restored; at most one of each runs.

    `kind` is backup or restore. `outcome` is empty while it runs, then ok, failed (see
    `reason`) or cannot (nothing is wrong with the backup, but here it cannot be
    tested). `file` is the name of the backup and `size` its bytes.
    """

    __tablename__ = "backup_run"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(8), default="")
    reason: Mapped[str] = mapped_column(String(40), default="")
    file: Mapped[str] = mapped_column(String(60), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    __table_args__: Any = (
        index_where(
            "uq_backup_run_open", "kind", unique=True, where="finished_at is null"
        ),
    )
