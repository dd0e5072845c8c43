"""The rows of tablets, of who is on them, and of how they are connected."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedBytes, SealedText


class Device(Base):
    """One browser that stays signed in to the patients it is for.

    Its cookie's secret is kept as a hash only. `chosen_id` is the patient whose pages a
    tablet of several shows until `chosen_until`. `last_seen_at` may be a quarter of an
    hour behind.
    """

    __tablename__ = "device"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    chosen_id: Mapped[int | None] = mapped_column(
        ForeignKey("patient.id", ondelete="SET NULL")
    )
    chosen_until: Mapped[datetime | None]


class DevicePlace(Base):
    """That a patient is on a tablet: until somebody takes them off it.

    `name` is what their side calls the tablet. `pin_hash` is of the digits it asks
    before it shows their pages; `wrong_pins` counts, and after five none is heeded
    before `pin_pause_until`. `contact_id` is where its open page is told things.
    """

    __tablename__ = "device_place"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    name: Mapped[str] = mapped_column(SealedText("device_place.name"))
    pin_hash: Mapped[str | None] = mapped_column(String(200))
    wrong_pins: Mapped[int] = mapped_column(default=0, server_default="0")
    pin_pause_until: Mapped[datetime | None]
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_point.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__: Any = (UniqueConstraint("device_id", "patient_id"),)


class DevicePairing(Base):
    """An offer to connect one tablet: a link for its camera, and six digits.

    It works once, for ten minutes, until a newer one is made for the same patient.
    """

    __tablename__ = "device_pairing"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    made_by_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    code_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    place_id: Mapped[int | None] = mapped_column(
        ForeignKey("device_place.id", ondelete="SET NULL")
    )


class DeviceTry(Base):
    """One wrong code that a visitor typed."""

    __tablename__ = "device_try"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    client_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(index=True)
    __table_args__: Any = (
        Index("ix_device_try_client_index_at", "client_index", "at"),
    )


class PatientPhoto(Base):
    """What a patient looks like: a photo without anything but pixels, as a JPEG.

    A new photo has a new key, so an address never shows another one.
    """

    __tablename__ = "patient_photo"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), unique=True
    )
    key: Mapped[str] = mapped_column(String(43), unique=True)
    photo: Mapped[bytes] = mapped_column(SealedBytes("patient_photo.photo"))
    made_at: Mapped[datetime]
