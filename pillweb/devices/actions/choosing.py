"""A shared tablet is opened for one of its people, with their PIN, and closed again."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.base.passwords import hash_password, password_fits
from pillweb.base.viewer import Tablet
from pillweb.base.visits import TABLET, Visit, note_visit
from pillweb.devices.models import Device, DevicePlace
from pillweb.devices.queries import place_of
from pillweb.devices.rules import OPEN_FOR, PIN_PAUSE, PINS_ALLOWED, is_paused


def open_for(
    session: Session, tablet: Tablet, patient_id: int, *, now: datetime
) -> None:
    """Let a tablet show the pages of one of its people, until nobody presses."""
    place = tablet.places[patient_id]
    note_visit(session, Visit(patient_id, TABLET, link_id=place, is_own=True))
    _choose(session, tablet.device_id, patient_id, now + OPEN_FOR)


def close_tablet(session: Session, tablet: Tablet) -> None:
    """Let a tablet show the pictures again, and nobody's pages."""
    _choose(session, tablet.device_id, None, None)


def _choose(
    session: Session, device_id: int, patient_id: int | None, until: datetime | None
) -> None:
    session.execute(
        update(Device)
        .where(Device.id == device_id)
        .values(chosen_id=patient_id, chosen_until=until)
    )


def try_place_pin(
    session: Session, tablet: Tablet, patient_id: int, pin: str, *, now: datetime
) -> bool:
    """Say whether it is the PIN; the try is counted before it is looked at.

    After five wrong ones in a row none is heeded for fifteen minutes.
    """
    place = session.get_one(
        DevicePlace, tablet.places[patient_id], with_for_update=True
    )
    if is_paused(place.pin_pause_until, now=now):
        return False
    if place.pin_pause_until is not None:
        place.wrong_pins, place.pin_pause_until = 0, None
    place.wrong_pins += 1
    if place.wrong_pins >= PINS_ALLOWED:
        place.pin_pause_until = now + PIN_PAUSE
    session.flush()
    if not password_fits(pin, place.pin_hash):
        return False
    place.wrong_pins, place.pin_pause_until = 0, None
    return True


def set_place_pin(
    session: Session, *, patient_id: int, place_id: int, pin: str
) -> None:
    """Ask for these digits before a tablet shows a patient's pages; for none nothing.

    Raises:
        NotFoundError: the patient is not on such a tablet.
    """
    place = place_of(session, patient_id, place_id)
    place.pin_hash = hash_password(pin) if pin else None
    place.wrong_pins, place.pin_pause_until = 0, None


def note_tablet_seen(
    session: Session, tablet: Tablet, *, is_used: bool, now: datetime
) -> None:
    """Write down that a tablet is used, which puts off when it closes and ends."""
    session.execute(
        update(Device).where(Device.id == tablet.device_id).values(last_seen_at=now)
    )
    if is_used and tablet.is_shared and tablet.patient_id is not None:
        # Nobody opens again what was closed, or opened for somebody else, meanwhile.
        session.execute(
            update(Device)
            .where(Device.id == tablet.device_id, Device.chosen_id == tablet.patient_id)
            .values(chosen_until=now + OPEN_FOR)
        )
