"""Mail that came back, read from a mailbox over real IMAP."""

import re
import socketserver
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from jobs import read_bounces
from jobs.timetable import JOBS
from pillweb.base.db import Database
from pillweb.channels.bounces import sender_of
from pillweb.contacts.models import ContactPoint
from pillweb.outbox.models import Delivery
from tests.conftest import use_settings
from tests.hooks.test_arrivals import note
from tests.jobs.conftest import Moment
from tests.world import World


class Mailbox(socketserver.StreamRequestHandler):
    """As much of an IMAP server as one reader needs (RFC 3501)."""

    mails: dict[str, bytes]
    seen: set[str]

    def handle(self) -> None:
        """Answer commands until the reader leaves."""
        self.wfile.write(b"* OK ready\r\n")
        for line in self.rfile:
            tag, _, command = line.decode().strip().partition(" ")
            self._answer(command)
            self.wfile.write(f"{tag} OK done\r\n".encode())

    def _answer(self, command: str) -> None:
        if command.startswith("CAPABILITY"):
            self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n")
        elif command.startswith("SELECT"):
            self.wfile.write(f"* {len(self.mails)} EXISTS\r\n".encode())
        elif command == "UID SEARCH UNSEEN":
            left = " ".join(uid for uid in self.mails if uid not in self.seen)
            self.wfile.write(f"* SEARCH {left}\r\n".encode())
        elif found := re.match(r"UID FETCH (\d+)", command):
            raw = self.mails[found[1]]
            head = f"* 1 FETCH (UID {found[1]} BODY[]<0> {{{len(raw)}}}\r\n"
            self.wfile.write(head.encode() + raw + b")\r\n")
        elif found := re.match(r"UID STORE (\d+) \+FLAGS", command):
            self.seen.add(found[1])


@pytest.fixture
def mailbox() -> Iterator[type[Mailbox]]:
    """A mailbox on this machine, which the job is told to read."""
    kind = type("Own", (Mailbox,), {"mails": {}, "seen": set()})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        use_settings(
            BOUNCE_IMAP_URL=f"imap://reader:secret@127.0.0.1:{port}",
            BOUNCE_ADDRESS="bounce@pills.example",
        )
        yield kind
        use_settings(BOUNCE_IMAP_URL="", BOUNCE_ADDRESS="")
        server.shutdown()


@pytest.fixture
def mailed(db: Database, world: World, moment: Moment) -> Delivery:
    """A mail that left for Rosa; the delivery."""
    with db.transaction() as session:
        contact = sa.select(ContactPoint.id).where(
            ContactPoint.patient_id == world.patient
        )
        row = Delivery(
            kind="refill_due",
            channel="email",
            contact_id=session.scalars(contact).one(),
            patient_id=world.patient,
            dedupe_key="a mail",
            recipient="rosa@family.example",
            state="accepted",
            created_at=moment.now,
            next_at=moment.now,
            expires_at=moment.now,
            accepted_at=moment.now,
        )
        session.add(row)
        session.flush()
        return row


def state(db: Database, mailed: Delivery) -> str:
    with db.reading() as session:
        return session.get_one(ContactPoint, mailed.contact_id).state


def waits(db: Database, moment: Moment) -> bool:
    with db.reading() as session:
        return JOBS["read_bounces"].oldest(session, moment.now) is not None


def test_a_dead_address_is_learnt_from_the_mailbox_once_a_minute(
    db: Database, mailbox: type[Mailbox], mailed: Delivery, moment: Moment
) -> None:
    mine = sender_of(mailed.id, now=moment.now)
    mailbox.mails |= {
        "7": note("bounce+1.2.3@pills.example", "5.1.1"),
        "8": b"Subject: an advertisement\r\n\r\nBuy!",
        "9": note(mine, "5.1.1"),
    }
    assert waits(db, moment)
    assert read_bounces.run() == 1
    assert state(db, mailed) == "gone"
    assert mailbox.seen == {"7", "8", "9"}
    assert not waits(db, moment)
    moment.move(minutes=1)
    assert waits(db, moment)
    assert read_bounces.run() == 0


def test_a_mailbox_that_does_not_answer_is_tried_again_and_nothing_is_lost(
    db: Database, mailed: Delivery, moment: Moment
) -> None:
    use_settings(BOUNCE_IMAP_URL="imap://reader:secret@127.0.0.1:1")
    assert read_bounces.run() == 0
    assert not waits(db, moment)
    moment.move(minutes=1)
    assert waits(db, moment)
    use_settings(BOUNCE_IMAP_URL="")
    assert not waits(db, moment)
