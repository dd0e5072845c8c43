"""The rows of private calendars."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText


class FeedLink(Base):
    """The secret address of a calendar with the times of one patient (RFC 5545)."""

    __tablename__ = "feed_link"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    label: Mapped[str] = mapped_column(SealedText("feed_link.label"))
    shows_names: Mapped[bool] = mapped_column(default=False)
    look: Mapped[str | None] = mapped_column(String(40))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
