"""Two who share a phone, and a browser that is known by two of its addresses."""

import json
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.channels.webpush import read_address
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import contacts_of_patient
from pillweb.hooks.actions import move_browser
from tests.hooks.conftest import NUMBER, Post
from tests.world import World


def states(db: Database) -> list[str]:
    with db.reading() as session:
        phones = ContactPoint.channel == "sms"
        return list(session.scalars(sa.select(ContactPoint.state).where(phones)))


@pytest.mark.usefixtures("pinned", "phone_id")
def test_stop_is_for_all_who_share_a_number_and_so_is_start(
    post: Post, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        bruno = world.other_patient
        add_contact(
            session,
            channel="sms",
            address=NUMBER,
            patient_id=bruno,
            is_proven=True,
            now=now,
        )
    for word, state in (("STOP", "stopped"), ("START", "active")):
        answer = post("/hooks/sms", From=NUMBER, Body=word, MessageSid="SM9")
        assert answer.status_code == 200
        assert states(db) == [state] * 2


def subscription(name: str) -> str:
    # The keys of RFC 8291, 5.
    public = (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRp"
        "kNtoIAiw4"
    )
    keys = {"p256dh": public, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
    return json.dumps({"endpoint": f"https://fcm.googleapis.com/{name}", "keys": keys})


@pytest.mark.parametrize(
    ("known", "left"),
    [
        ({"old": "active"}, "active"),
        ({"old": "active", "new": "unproven"}, "active"),
        ({"old": "active", "new": "stopped"}, "stopped"),
        ({"old": "gone", "new": "active"}, "active"),
    ],
)
def test_a_browser_that_moves_to_an_address_we_know_is_one_contact(
    session: Session, world: World, now: datetime, known: dict[str, str], left: str
) -> None:
    for name, state in known.items():
        contact = add_contact(
            session,
            channel="webpush",
            address=read_address(subscription(name)),
            patient_id=world.patient,
            now=now,
        )
        contact.state = state
    session.flush()
    both = {"before": subscription("old"), "after": subscription("new")}
    assert move_browser(session, **both)
    session.flush()
    here = [
        (one.address, one.state)
        for one in contacts_of_patient(session, world.patient)
        if one.channel == "webpush"
    ]
    assert here == [(read_address(subscription("new")), left)]
    still = {"before": subscription("new"), "after": subscription("new")}
    assert move_browser(session, **still)
    assert not move_browser(session, **both)
