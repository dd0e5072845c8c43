"""Tells the tablet on Rosa's wall something: `python -m tests.e2e.wall KEY WORDS`."""

import sys
from datetime import timedelta

import migrations.tables  # noqa: F401 - any row may point into any table
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.channels.live import LiveNote, device_index
from pillweb.contacts.actions.adding import add_contact

ROSA = 1

if __name__ == "__main__":
    _, key, words = sys.argv
    at = now()
    with database().transaction() as session:
        add_contact(session, channel="live", address=key, patient_id=ROSA, now=at)
        session.add(
            LiveNote(
                device_index=device_index(key),
                key=words,
                delivery_id=0,
                words=words,
                link="",
                is_urgent=True,
                created_at=at,
                expires_at=at + timedelta(hours=1),
            )
        )
