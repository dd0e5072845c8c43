"""Tablets that stay signed in, for tests."""

from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from pillweb.base.viewer import Tablet
from pillweb.devices.actions.pairing import connect_tablet, offer_tablet
from pillweb.devices.models import DevicePlace
from pillweb.devices.queries import pairing_of, tablet_of

COOKIE = "tablet"


def connected(
    session: Session,
    patient_id: int,
    made_by_id: int,
    *,
    now: datetime,
    tablet: Tablet | None = None,
    known: str = "",
    name: str = "Kitchen",
) -> tuple[str, int]:
    """Connect a tablet, or one more patient to it; return (secret, place)."""
    offer, _token, _code = offer_tablet(
        session, patient_id=patient_id, made_by_id=made_by_id, now=now
    )
    secret = connect_tablet(
        session, offer, tablet=tablet, secret=known, name=name, now=now
    )
    assert secret is not None
    session.refresh(offer)
    place = pairing_of(session, patient_id, offer.id).place_id
    assert place is not None
    return secret, place


def shared(
    session: Session, makers: dict[int, int], *, now: datetime
) -> tuple[str, dict[int, int]]:
    """Connect one tablet for several; return (secret, place of each patient)."""
    secret, tablet, places = "", None, {}
    for patient_id, made_by_id in makers.items():
        secret, places[patient_id] = connected(
            session, patient_id, made_by_id, now=now, tablet=tablet, known=secret
        )
        tablet = tablet_of(session, secret, now=now)
    return secret, places


def browser_of(app: Flask, secret: str) -> FlaskClient:
    """Return the browser of a tablet."""
    client = app.test_client()
    client.set_cookie(COOKIE, secret)
    return client


def place(session: Session, place_id: int) -> DevicePlace:
    """Return a place as it is now."""
    return session.get_one(DevicePlace, place_id, populate_existing=True)
