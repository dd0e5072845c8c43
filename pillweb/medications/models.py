"""The rows of a medicine, and of what it looks like."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedBytes, SealedText


class Medication(Base):
    """One medicine that a patient takes, or took.

    `codes` is a JSON list of FHIR Codings; `ingredients` a JSON list of what one unit
    holds, each with `name` and `amount` ("500 mg"); `missed_text` what its leaflet says
    to do about a forgotten dose. `looks` describes one unit in words ("small, white");
    `picture_key` names its MedicationPicture, kept here so that a page of doses knows
    it without another question. `ladder` is the JSON of `reminders.rules.ladder`, None
    where its class says when who is told.
    """

    __tablename__ = "medication"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(SealedText("medication.name"))
    strength: Mapped[str] = mapped_column(SealedText("medication.strength"))
    form: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(SealedText("medication.reason"))
    instruction: Mapped[str] = mapped_column(SealedText("medication.instruction"))
    category: Mapped[str] = mapped_column(String(16))
    codes: Mapped[str | None] = mapped_column(SealedText("medication.codes"))
    ingredients: Mapped[str | None] = mapped_column(
        SealedText("medication.ingredients")
    )
    missed_text: Mapped[str | None] = mapped_column(
        SealedText("medication.missed_text")
    )
    looks: Mapped[str | None] = mapped_column(SealedText("medication.looks"))
    picture_key: Mapped[str | None] = mapped_column(String(43))
    ladder: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]


class MedicationPicture(Base):
    """What one unit of a medicine looks like: a photo without anything but pixels.

    `whole` and `small` are JPEGs; `small` is the square that `crop` cut of `whole`. A
    new photo or crop has a new key, so an address never shows another picture.
    """

    __tablename__ = "medication_picture"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    medication_id: Mapped[int] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE"), unique=True
    )
    key: Mapped[str] = mapped_column(String(43), unique=True)
    crop: Mapped[str] = mapped_column(String(8))
    whole: Mapped[bytes] = mapped_column(SealedBytes("medication_picture.whole"))
    small: Mapped[bytes] = mapped_column(SealedBytes("medication_picture.small"))
    made_at: Mapped[datetime]
