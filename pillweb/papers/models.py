"""The rows of papers, and of the codes that are printed on them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.built_rows import PdfRow, waiting_index
from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText


class Paper(PdfRow):
    """A weekly sheet or a card.

    `kind` is "week" or "card"; `look` says in whose language it is. The codes of a
    sheet work until `expires_at`, and not once it is void. `plan_revision` is that of
    the plans it was made from.
    """

    __tablename__ = "paper"
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    kind: Mapped[str] = mapped_column(String(4))
    first_on: Mapped[date]
    show_names: Mapped[bool]
    look: Mapped[str] = mapped_column(String(40))
    plan_revision: Mapped[int]
    expires_at: Mapped[datetime]
    void_at: Mapped[datetime | None]
    __table_args__: Any = (waiting_index("paper"),)


class PaperCode(Base):
    """The code of one time of day on a sheet; found by its hash.

    The secret itself is kept encrypted, to print it: the sheet may be shown again.
    """

    __tablename__ = "paper_code"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    paper_id: Mapped[int] = mapped_column(
        ForeignKey("paper.id", ondelete="CASCADE"), index=True
    )
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    clock: Mapped[str] = mapped_column(String(5))
    token: Mapped[str] = mapped_column(SealedText("paper_code.token"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
