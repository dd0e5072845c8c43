"""What pages and monitors say of delayed reminders."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from pillweb.base.db import Database
from pillweb.base.heartbeat import beat
from pillweb.base.web_db import web_database
from pillweb.outbox.actions.incidents import open_incident
from pillweb.outbox.models import Breaker, Canary, Delivery, Incident
from pillweb.reminders.models import Reminder
from pillweb.watch.queries import delays
from tests.conftest import NOW, use_settings
from tests.world import World, csrf_of, signed_in

MINUTE = timedelta(minutes=1)
TOKEN = "a token that is long enough for a monitor"
OUTSIDE = {"REMOTE_ADDR": "10.0.0.9"}


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: Traveller) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def trouble(db: Database, kind: str, at: datetime, about: str = "") -> None:
    with db.transaction() as session:
        open_incident(session, kind=kind, about=about, opened_at=at)
    delays.forget()


@pytest.mark.parametrize("kind", ["late", "channel", "canary", "stopped", "restored"])
def test_every_page_says_since_when_reminders_are_delayed(
    rosa: FlaskClient, app: Flask, db: Database, world: World, *, kind: str
) -> None:
    now = NOW
    base = f"/patients/{world.patient}"
    assert "Reminders are delayed" not in rosa.get(f"{base}/today").text
    trouble(db, kind, now - 3 * MINUTE)
    said = "Reminders are delayed since 8.02am. Please look at the "
    assert said + "list below." in rosa.get(f"{base}/today").text
    assert said + "page Today." in rosa.get(f"{base}/medicines").text
    for page in ("/people", "/help"):
        assert "Reminders are delayed. Please look at" in rosa.get(page).text
    guest = app.test_client()
    address = f"/s/{world.link_token}"
    guest.post(address, data={"csrf_token": csrf_of(guest, address)})
    assert said in guest.get(f"/shared/{world.link}/today").text
    helper = signed_in(app, world.nora, now=now)
    assert said in helper.get(f"{base}/today").text


def test_pages_ask_once_in_fifteen_seconds_and_hear_of_the_end(
    rosa: FlaskClient, db: Database, now: datetime, pinned: Traveller
) -> None:
    asked: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        asked.extend(["asked"] * ("incident" in statement))

    sa.event.listen(web_database().engine, "before_cursor_execute", note)
    for _ in range(5):
        rosa.get("/help")
    assert len(asked) == 1
    with db.transaction() as session:
        session.add(Incident(kind="late", about="", opened_at=now))
    delays.forget()
    assert "Reminders are delayed" in rosa.get("/help").text
    with db.transaction() as session:
        session.execute(sa.update(Incident).values(closed_at=now))
    assert "Reminders are delayed" in rosa.get("/help").text
    pinned.shift(timedelta(seconds=16))
    delays.forget()
    assert "Reminders are delayed" not in rosa.get("/help").text


def test_a_clock_that_fell_silent_is_told_though_it_can_open_no_incident(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        beat(session, component="clock", instance="a", now=now - 2 * MINUTE)
    delays.forget()
    said = rosa.get(f"/patients/{world.patient}/today").text
    assert "Reminders are delayed since 8.03am." in said


def test_a_storm_or_a_jump_is_no_delay(
    rosa: FlaskClient, db: Database, now: datetime
) -> None:
    trouble(db, "storm", now)
    trouble(db, "clock_jump", now)
    assert "Reminders are delayed" not in rosa.get("/help").text


@pytest.fixture
def busy(db: Database, world: World, now: datetime) -> None:
    """A morning with something of everything a monitor counts."""
    with db.transaction() as session:
        session.execute(sa.update(Reminder).values(next_at=Reminder.due_at))
        beat(session, component="clock", instance="a", now=now - 7 * MINUTE / 60)
        session.add(
            Breaker(
                channel="sms", failures=5, failing_since=now - 4 * MINUTE, retry_at=now
            )
        )
        sent = now - 2 * MINUTE
        session.add(Canary(channel="email", mark="m", sent_at=sent, returned_at=sent))
        open_incident(session, kind="channel", about="sms", opened_at=now - MINUTE)
        for number, state in enumerate(["dead", "dead", "accepted", "pending"]):
            session.add(
                Delivery(
                    channel="email",
                    kind="dose_due",
                    dedupe_key=f"{number}",
                    recipient="somebody",
                    state=state,
                    created_at=now - 2 * MINUTE,
                    next_at=now - MINUTE,
                    expires_at=now + MINUTE,
                )
            )


def test_ready_tells_this_machine_what_is_weak(
    app: Flask, busy: None, pinned: Traveller
) -> None:
    answer = app.test_client().get("/readyz")
    found = answer.get_json()
    assert answer.status_code == 200
    # Two reminders are due since 8am.
    assert found["reminder_lag_seconds"] == 300
    assert found["dead_letters"] == 2
    assert found["heartbeats"] == {"clock": 7}
    assert found["incidents"] == ["channel sms"]
    assert found["channels"]["sms"]["is_left_alone"]
    assert found["channels"]["sms"]["failing_seconds"] == 240
    assert found["channels"]["email"]["canary_age_seconds"] == 120
    weak = ["reminders", "reports", "late reminders", "channel sms", "redis"]
    assert found["degraded"] == weak
    outside = app.test_client().get("/readyz", environ_base=OUTSIDE).get_json()
    assert outside == {"status": "ready"}


def test_ready_is_red_while_an_old_database_is_held_back(
    app: Flask, db: Database, now: datetime
) -> None:
    trouble(db, "restored", now)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["broken"] == ["restored"]
    assert "python app.py restored" in answer.get_json()["warnings"][0]


def test_metrics_tell_what_the_database_knows(
    app: Flask, busy: None, pinned: Traveller
) -> None:
    answer = app.test_client().get("/metrics")
    assert answer.content_type.startswith("text/plain")
    lines = set(answer.text.splitlines())
    assert lines >= {
        "pillweb_reminder_lag_seconds 300.0",
        'pillweb_due{channel="email"} 1.0',
        'pillweb_dead{channel="email"} 2.0',
        'pillweb_lately{channel="email",state="accepted"} 1.0',
        'pillweb_beat_age_seconds{component="clock",instance="a"} 7.0',
        'pillweb_incident_seconds{about="sms",kind="channel"} 60.0',
        'pillweb_failing_seconds{channel="sms"} 240.0',
        'pillweb_breaker_open{channel="sms"} 1.0',
        'pillweb_canary_age_seconds{channel="email"} 120.0',
    }


def test_metrics_are_for_this_machine_or_who_has_the_token(
    app: Flask, db: Database
) -> None:
    client = app.test_client()
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics").status_code == 200
    for headers in ({}, right, {"Authorization": "Bearer "}):
        got = client.get("/metrics", environ_base=OUTSIDE, headers=headers)
        assert got.status_code == 404
    use_settings(METRICS_TOKEN=TOKEN)
    got = client.get("/metrics", environ_base=OUTSIDE, headers=right)
    assert got.status_code == 200
    wrong = {"Authorization": f"Bearer {TOKEN}x"}
    for headers in ({}, wrong):
        got = client.get("/metrics", environ_base=OUTSIDE, headers=headers)
        assert got.status_code == 404
