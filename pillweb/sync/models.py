"""The rows of what devices sent after they had no connection."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id


class Replay(Base):
    """One answer that a device kept and sent: the same `key` is the same press.

    It is kept with what became of it, so that sent again it gets the same answer. It is
    an account's, or a tablet's (`device_id`).
    """

    __tablename__ = "replay"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    device_id: Mapped[int | None] = mapped_column(
        ForeignKey("device.id", ondelete="CASCADE")
    )
    key: Mapped[str] = mapped_column(String(36))
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    dose_id: Mapped[int] = mapped_column(
        ForeignKey("dose.id", ondelete="CASCADE"), index=True
    )
    deed: Mapped[str] = mapped_column(String(8))
    pressed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(10))
    __table_args__: Any = (
        UniqueConstraint("account_id", "key"),
        UniqueConstraint("device_id", "key"),
    )
