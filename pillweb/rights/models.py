"""The rows of what was erased."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id


class Erasure(Base):
    """That something was erased: no word of what; it stays for good.

    `kind` is patient or account, `row_id` the number it had. `fingerprint` is the keyed
    hash by which it is known again when a backup brings it back.
    """

    __tablename__ = "erasure"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    row_id: Mapped[int] = mapped_column(Id)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    at: Mapped[datetime]
