"""Questions about tablets: which one asks, who is on it, and what it is offered."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, select, true
from sqlalchemy.orm import Session

from pillweb.accounts.queries import client_index
from pillweb.base.crypto import blind_index
from pillweb.base.db import UTCDateTime, ask
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.base.viewer import Tablet
from pillweb.devices.models import (
    Device,
    DevicePairing,
    DevicePlace,
    DeviceTry,
    PatientPhoto,
)
from pillweb.devices.rules import (
    TABLET_LASTS,
    TRIES_COUNTED_FOR,
    TRIES_KEPT_FOR,
    TRIES_OF_ALL,
    TRIES_PER_CLIENT,
)
from pillweb.patients.models import Patient
from pillweb.patients.queries import shares

_TABLET = (
    select(
        Device.id.label("device_id"),
        Device.last_seen_at,
        Device.chosen_id,
        Device.chosen_until,
        DevicePlace.id.label("place_id"),
        DevicePlace.patient_id,
        DevicePlace.pin_hash.is_not(None).label("has_pin"),
    )
    .join(DevicePlace, DevicePlace.device_id == Device.id)
    .join(Patient, Patient.id == DevicePlace.patient_id)
    .where(
        shares(is_own=true()),
        Device.token_hash == bindparam("hash"),
        Device.last_seen_at > bindparam("since", type_=UTCDateTime()),
        DevicePlace.ended_at.is_(None),
    )
    .order_by(DevicePlace.id)
)


class Face(NamedTuple):
    """One of those who are on a tablet; without a photo there is no key."""

    place_id: int
    patient_id: int
    name: str
    has_pin: bool
    photo_key: str | None


def tablet_of(session: Session, secret: str, *, now: datetime) -> Tablet | None:
    """Return the tablet with a cookie's secret, while anybody is on it.

    It is open for the only one without a PIN; else for whom somebody chose, until
    nobody pressed anything for ten minutes.
    """
    asked = {"hash": token_hash(secret), "since": now - TABLET_LASTS}
    with seeing_everybody(session):
        rows = ask(session, _TABLET, asked).all()
    if not rows:
        return None
    for row in rows:
        let_see(session, row.patient_id)
    first = rows[0]
    places = {row.patient_id: row.place_id for row in rows}
    is_shared = len(rows) > 1 or first.has_pin
    open_for = None if is_shared else first.patient_id
    is_chosen = first.chosen_until is not None and now < first.chosen_until
    if is_shared and is_chosen and first.chosen_id in places:
        open_for = first.chosen_id
    return Tablet(
        device_id=first.device_id,
        places=places,
        patient_id=open_for,
        is_shared=is_shared,
        at=now,
        seen_at=first.last_seen_at,
        open_until=first.chosen_until if is_shared and open_for else None,
    )


def faces_of(session: Session, tablet: Tablet) -> list[Face]:
    """Return who is on a tablet, first come first."""
    rows = session.execute(
        select(
            DevicePlace.id,
            Patient.id,
            Patient.name,
            DevicePlace.pin_hash.is_not(None),
            PatientPhoto.key,
        )
        .join(Patient, Patient.id == DevicePlace.patient_id)
        .outerjoin(PatientPhoto, PatientPhoto.patient_id == Patient.id)
        .where(DevicePlace.id.in_(tablet.places.values()))
        .order_by(DevicePlace.id)
    )
    return [Face(*row) for row in rows]


def face_of(session: Session, tablet: Tablet, place_id: int) -> Face:
    """Return one of those who are on a tablet.

    Raises:
        NotFoundError: that place is not on this tablet, or nobody's any more.
    """
    for face in faces_of(session, tablet):
        if face.place_id == place_id:
            return face
    raise NotFoundError


def tablets_of(
    session: Session, patient_id: int
) -> Sequence[tuple[DevicePlace, datetime]]:
    """Return where a patient is on a tablet, and when that was last used."""
    rows = session.execute(
        select(DevicePlace, Device.last_seen_at)
        .join(Device, Device.id == DevicePlace.device_id)
        .where(DevicePlace.patient_id == patient_id, DevicePlace.ended_at.is_(None))
        .order_by(DevicePlace.id)
    )
    return [(place, seen_at) for place, seen_at in rows]


def place_of(session: Session, patient_id: int, place_id: int) -> DevicePlace:
    """Return the place of a patient on one tablet.

    Raises:
        NotFoundError: there is none, or they were taken off.
    """
    row = session.get(DevicePlace, place_id)
    if row is None or row.patient_id != patient_id or row.ended_at is not None:
        raise NotFoundError
    return row


def code_index(code: str) -> bytes:
    """Return the keyed hash by which an offer is found: six digits are soon tried."""
    return blind_index(code, purpose="device_pairing.code")


def is_live(*, at: datetime) -> ColumnElement[bool]:
    """Return that an offer to connect a tablet still works."""
    return DevicePairing.ended_at.is_(None) & (DevicePairing.expires_at > at)


def pairing_by_token(session: Session, token: str, *, now: datetime) -> DevicePairing:
    """Return the offer whose picture a tablet looked at.

    Raises:
        LinkGoneError: it is wrong, used or too old.
    """
    with seeing_everybody(session):
        row = session.scalar(
            select(DevicePairing).where(
                DevicePairing.token_hash == token_hash(token), is_live(at=now)
            )
        )
    if row is None:
        raise LinkGoneError
    let_see(session, row.patient_id)
    return row


def pairing_of(session: Session, patient_id: int, pairing_id: int) -> DevicePairing:
    """Return an offer to connect a tablet for this patient, whatever became of it.

    Raises:
        NotFoundError: the patient has no such offer.
    """
    row = session.get(DevicePairing, pairing_id)
    if row is None or row.patient_id != patient_id:
        raise NotFoundError
    return row


def is_tried_too_often(session: Session, *, client: str, now: datetime) -> bool:
    """Say whether a visitor, or all together, typed enough wrong codes."""
    recent = DeviceTry.at > now - TRIES_COUNTED_FOR
    mine = DeviceTry.client_index == client_index(client)
    asked = select(func.count(), func.count().filter(mine)).where(recent)
    of_all, of_client = session.execute(asked).one()
    return bool(of_all >= TRIES_OF_ALL or of_client >= TRIES_PER_CLIENT)


def photo_of(session: Session, patient_id: int) -> PatientPhoto | None:
    """Return the photo of a patient, if there is one."""
    mine = PatientPhoto.patient_id == patient_id
    return session.scalar(select(PatientPhoto).where(mine))


def photo_by_key(session: Session, patient_id: int, key: str) -> PatientPhoto:
    """Return a photo of this patient.

    Raises:
        NotFoundError: there is none, or another one by now.
    """
    found = photo_of(session, patient_id)
    if found is None or found.key != key:
        raise NotFoundError
    return found


def oldest_offer(session: Session, *, now: datetime) -> datetime | None:
    """Return since when an offer or a wrong code is older than it is kept."""
    found = (
        session.scalar(select(func.min(DevicePairing.expires_at))),
        session.scalar(select(func.min(DeviceTry.at))),
    )
    over = [at + TRIES_KEPT_FOR for at in found if at is not None]
    return min((at for at in over if at <= now), default=None)
