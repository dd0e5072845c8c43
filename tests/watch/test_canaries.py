"""Messages to ourselves: sent by the real way, read back, told to who watches us."""

import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa

from jobs import deliver, send_canaries
from pillweb.base.db import Database
from pillweb.channels.loop import came_back, ping_dead_man
from pillweb.channels.mailbox import kept_mails
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.outbox.models import Canary, Delivery, Incident
from tests.conftest import use_settings
from tests.jobs.conftest import Moment
from tests.services import SmtpSink

OURS = "watch@family.example"
FAILED = "/ping/fail"


class Outside:
    """A watcher and a topic on this machine; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status, self.body = 200, b""
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.asked.append(self.path)
                self.send_response(outside.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(outside.body)))
                self.end_headers()
                self.wfile.write(outside.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def watched(
    db: Database, own_mailbox: None, outside: Outside, moment: Moment
) -> Moment:
    """E-mail is watched, by the mailbox of this machine, and somebody watches us."""
    use_settings(CANARY_EMAIL=OURS, DEAD_MAN_URL=f"{outside.url}/ping", REDIS_URL="")
    return moment


def incidents(db: Database) -> list[tuple[str, str, bool]]:
    with db.reading() as session:
        rows = session.scalars(sa.select(Incident).order_by(Incident.id))
        return [(row.kind, row.about, row.closed_at is None) for row in rows]


def test_a_closed_loop_pings_and_leaves_the_mailbox_as_it_was(
    db: Database, watched: Moment, outside: Outside
) -> None:
    for _ in range(4):
        assert send_canaries.run() == 1
        assert send_canaries.run() == 0
        assert deliver.run() == 1
        assert len(kept_mails()) == 1
        watched.move(minutes=5)
    assert outside.asked == ["/ping"] * 4
    assert incidents(db) == []
    with db.reading() as session:
        assert session.scalars(sa.select(Canary.returned_at)).all().count(None) == 1
        kinds = set(session.scalars(sa.select(Delivery.kind)))
        assert kinds == {"canary"}


def test_a_provider_that_takes_and_drops_stops_the_ping_and_is_an_incident(
    db: Database, watched: Moment, outside: Outside, sink: SmtpSink
) -> None:
    # The provider takes every mail, and the mailbox that is read stays empty.
    use_settings(CANARY_IMAP_URL="imap://127.0.0.1:1/INBOX")
    told: list[tuple[int, str]] = []
    for minute in range(0, 21, 5):
        asked = len(outside.asked)
        send_canaries.run()
        told += [(minute, path) for path in outside.asked[asked:]]
        assert deliver.run() == 1
        if minute < 10:
            assert incidents(db) == []
        watched.move(minutes=5)
    # Well at first, then silent, and told at the latest after 15 minutes.
    assert told == [(0, "/ping"), (10, FAILED), (15, FAILED), (20, FAILED)]
    assert incidents(db) == [("canary", "email", True)]


def test_what_comes_back_again_closes_the_incident(
    db: Database, watched: Moment, outside: Outside
) -> None:
    for _ in range(4):
        send_canaries.run()
        watched.move(minutes=5)
    assert incidents(db) == [("canary", "email", True)]
    send_canaries.run()
    deliver.run()
    watched.move(minutes=5)
    send_canaries.run()
    assert incidents(db) == [("canary", "email", False)]
    assert outside.asked[-1] == "/ping"


def test_a_delivery_receipt_closes_the_loop_where_nothing_can_be_read_back(
    db: Database, watched: Moment
) -> None:
    send_canaries.run()
    with db.transaction() as session:
        session.execute(sa.update(Canary).values(channel="sms"))
        session.execute(
            sa.update(Delivery).values(channel="sms", delivered_at=watched.now)
        )
    watched.move(minutes=5)
    send_canaries.run()
    with db.reading() as session:
        first = session.scalars(sa.select(Canary).order_by(Canary.id)).first()
        assert first is not None
        assert first.returned_at == watched.now


def test_without_an_address_only_the_watcher_is_told(
    db: Database, moment: Moment, outside: Outside
) -> None:
    with db.reading() as session:
        assert send_canaries.oldest(session, moment.now) is None
    use_settings(DEAD_MAN_URL=outside.url)
    with db.reading() as session:
        assert send_canaries.oldest(session, moment.now) == moment.now
    assert send_canaries.run() == 0
    assert outside.asked == ["/"]
    with db.reading() as session:
        later = moment.move(minutes=4)
        assert send_canaries.oldest(session, later) is None


def test_a_topic_is_read_back_and_nonsense_is_no_return(
    outside: Outside, now: datetime
) -> None:
    use_settings(CANARY_NTFY=f"{outside.url}/topic")
    outside.body = b'{"message":"PillWeb a-mark"}\n'
    assert came_back("ntfy", "a-mark", sent_s_ago=300)
    assert outside.asked[-1] == "/topic/json?poll=1&since=360s"
    assert not came_back("ntfy", "another", sent_s_ago=300)
    for status in (302, 404, 500):
        outside.status = status
        asked = len(outside.asked)
        assert not came_back("ntfy", "b-mark", sent_s_ago=300)
        assert not ping_dead_man(is_well=True)
        assert len(outside.asked) == asked + 1
    use_settings(CANARY_NTFY="http://127.0.0.1:1/topic")
    assert not came_back("ntfy", "a-mark", sent_s_ago=300)
    use_settings(CANARY_NTFY="", DEAD_MAN_URL="http://127.0.0.1:1")
    assert not ping_dead_man(is_well=True)
    use_settings(DEAD_MAN_URL="")


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("channel", "/fail"),
        ("late", "/fail"),
        ("stopped", "/fail"),
        # Too many for one person is no fault of what carries them.
        ("storm", "/"),
    ],
)
def test_without_a_test_message_the_watcher_hears_of_what_is_wrong(
    db: Database, moment: Moment, outside: Outside, kind: str, asked: str
) -> None:
    use_settings(DEAD_MAN_URL=outside.url)
    with db.transaction() as session:
        open_incident(session, kind=kind, about="email", opened_at=moment.now)
    send_canaries.run()
    with db.transaction() as session:
        close_incidents(session, kind=kind, now=moment.now)
    moment.move(minutes=5)
    send_canaries.run()
    assert outside.asked == [asked, "/"]
    use_settings(DEAD_MAN_URL="")
