"""Tablets are connected: offered by who manages, taken up on the tablet, ended."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.queries import client_index
from pillweb.base.digits import new_code
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.turns import take_turns
from pillweb.base.viewer import Tablet
from pillweb.base.visits import ACCOUNT, Visit, note_visit
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.changing import remove_contact
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.rules import OPEN_PAGE
from pillweb.devices.models import Device, DevicePairing, DevicePlace, DeviceTry
from pillweb.devices.queries import code_index, is_live, is_tried_too_often, place_of
from pillweb.devices.rules import (
    CODE_DIGITS,
    OPEN_FOR,
    PAIRING_LASTS,
    TRIES_KEPT_FOR,
    open_page_key,
)
from pillweb.sharing.queries.access import managers_of


def offer_tablet(
    session: Session, *, patient_id: int, made_by_id: int, now: datetime
) -> tuple[DevicePairing, str, str]:
    """Offer to connect one tablet; return the offer, its link's secret and its code.

    An offer before for the same patient is worth nothing any more.
    """
    take_turns(session, DevicePairing)
    session.execute(
        update(DevicePairing)
        .where(DevicePairing.patient_id == patient_id, DevicePairing.ended_at.is_(None))
        .values(ended_at=now)
    )
    token, code = new_token(), _free_code(session, now=now)
    row = DevicePairing(
        patient_id=patient_id,
        made_by_id=made_by_id,
        token_hash=token_hash(token),
        code_index=code_index(code),
        created_at=now,
        expires_at=now + PAIRING_LASTS,
    )
    session.add(row)
    session.flush()
    return row, token, code


def _free_code(session: Session, *, now: datetime) -> str:
    """Return a code that no other offer has now: it must say whose tablet it is."""
    while True:
        code = new_code(CODE_DIGITS)
        if _offer_with(session, code, now=now) is None:
            return code


def _offer_with(session: Session, code: str, *, now: datetime) -> DevicePairing | None:
    mine = DevicePairing.code_index == code_index(code)
    with seeing_everybody(session):
        return session.scalar(select(DevicePairing).where(mine, is_live(at=now)))


def try_code(
    session: Session, code: str, *, client: str, now: datetime
) -> DevicePairing | None:
    """Return the offer with this code; where there is none, count a wrong try.

    None, too, where too many were wrong (`is_tried_too_often`), right or not.
    """
    take_turns(session, DeviceTry)
    if is_tried_too_often(session, client=client, now=now):
        return None
    found = _offer_with(session, code, now=now)
    if found is None:
        session.add(DeviceTry(client_index=client_index(client), at=now))
    else:
        let_see(session, found.patient_id)
    return found


def connect_tablet(
    session: Session,
    offer: DevicePairing,
    *,
    tablet: Tablet | None,
    secret: str = "",
    name: str,
    now: datetime,
) -> str | None:
    """Take up an offer: a new tablet for the patient, or this one for them too.

    Returns the secret for its cookie, `secret` for a tablet that has one already; None
    where another tablet was first, the offer is over, or who made it may not. Its open
    page is told what the patient is.
    """
    used = session.scalar(
        update(DevicePairing)
        .where(DevicePairing.id == offer.id, is_live(at=now))
        .values(ended_at=now)
        .returning(DevicePairing.id)
    )
    if used is None:
        return None
    if offer.made_by_id not in managers_of(session, offer.patient_id, now=now):
        return None
    secret = secret if tablet else new_token()
    device_id = tablet.device_id if tablet else _add_device(session, secret, now=now)
    place = _place(session, offer, device_id=device_id, name=name, now=now)
    place.contact_id = add_contact(
        session,
        channel=OPEN_PAGE,
        address=open_page_key(secret, place.id),
        patient_id=offer.patient_id,
        is_proven=True,
        now=now,
    ).id
    _note_connected(session, offer, place, now=now)
    note_visit(session, Visit(offer.patient_id, ACCOUNT, account_id=offer.made_by_id))
    return secret


def _note_connected(
    session: Session, offer: DevicePairing, place: DevicePlace, *, now: datetime
) -> None:
    """Tell the offer which place it became, and open the tablet for that patient."""
    session.execute(
        update(DevicePairing)
        .where(DevicePairing.id == offer.id)
        .values(place_id=place.id)
    )
    session.execute(
        update(Device)
        .where(Device.id == place.device_id)
        .values(chosen_id=offer.patient_id, chosen_until=now + OPEN_FOR)
    )


def _add_device(session: Session, secret: str, *, now: datetime) -> int:
    row = Device(token_hash=token_hash(secret), created_at=now, last_seen_at=now)
    session.add(row)
    session.flush()
    return row.id


def _place(
    session: Session, offer: DevicePairing, *, device_id: int, name: str, now: datetime
) -> DevicePlace:
    """Put the patient on the tablet; who was there before comes back without a PIN."""
    place = session.scalar(
        select(DevicePlace).where(
            DevicePlace.device_id == device_id,
            DevicePlace.patient_id == offer.patient_id,
        )
    )
    if place is None:
        place = DevicePlace(
            device_id=device_id, patient_id=offer.patient_id, name=name, created_at=now
        )
        session.add(place)
    elif place.ended_at is not None:
        place.pin_hash, place.wrong_pins, place.pin_pause_until = None, 0, None
    place.made_by_id, place.ended_at = offer.made_by_id, None
    session.flush()
    return place


def end_place(
    session: Session, *, patient_id: int, place_id: int, now: datetime
) -> None:
    """Take a patient off a tablet: it shows nothing of theirs from now on.

    Raises:
        NotFoundError: they are not on such a tablet.
    """
    place = place_of(session, patient_id, place_id)
    place.ended_at = now
    contact = place.contact_id and session.get(ContactPoint, place.contact_id)
    if contact:
        remove_contact(session, contact, now=now)


def name_tablet(session: Session, *, patient_id: int, place_id: int, name: str) -> None:
    """Let a patient's side call a tablet as they like.

    Raises:
        NotFoundError: the patient is not on such a tablet.
    """
    place_of(session, patient_id, place_id).name = name


def forget_offers(session: Session, *, now: datetime, limit: int) -> int:
    """Delete offers and wrong codes that are long over; return how many those were."""
    gone = 0
    for row, at in (
        (DevicePairing, DevicePairing.expires_at),
        (DeviceTry, DeviceTry.at),
    ):
        old = select(row.id).where(at <= now - TRIES_KEPT_FOR).limit(limit)
        ended = session.scalars(
            delete(row).where(row.id.in_(old)).returning(row.id),
            execution_options={"synchronize_session": False},
        ).all()
        gone += len(ended)
    return gone
