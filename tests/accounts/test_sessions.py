"""Browsers that are signed in: for how long, by which name, and until when."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from pillweb.accounts.actions.joining import choose_password, make_account, want_reset
from pillweb.accounts.actions.sessions import (
    end_session,
    forget_sessions,
    note_session_seen,
    renew_session,
    start_session,
)
from pillweb.accounts.models import Account, WebSession
from pillweb.accounts.queries import oldest_sign_in, viewer_of
from pillweb.accounts.rules import SEEN_EVERY, seen_words
from pillweb.base.browsers import browser_name
from pillweb.base.db import Database
from tests.house.rows import all_rows, changed
from tests.tokens import newest_token
from tests.world import World, csrf_of, signed_in

SECOND = timedelta(seconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMITS = [
    (True, False, 30 * DAY, 400 * DAY),
    (False, False, 12 * HOUR, 30 * DAY),
    (False, True, 90 * DAY, 400 * DAY),
    (True, True, 90 * DAY, 400 * DAY),
]


def account(session: Session, now: datetime, *, is_patient: bool = False) -> Account:
    made = make_account(session, name="Ann", email="ann@family.example", now=now)
    made.is_patient = is_patient
    return made


def lives(session: Session, cookie: str, at: datetime) -> bool:
    session.flush()
    return viewer_of(session, cookie, now=at) is not None


@pytest.mark.parametrize(("patient", "own", "idle", "absolute"), LIMITS)
def test_a_session_ends_unused_and_at_the_latest_by_role(  # noqa: PLR0917 - a table
    session: Session,
    now: datetime,
    patient: bool,
    own: bool,
    idle: timedelta,
    absolute: timedelta,
) -> None:
    """Checklist 40."""
    who = account(session, now, is_patient=patient)
    cookie = start_session(session, who, is_own_device=own, now=now)
    assert lives(session, cookie, now + idle - SECOND)
    assert not lives(session, cookie, now + idle)
    row = session.scalars(sa.select(WebSession)).one()
    at = now
    while at + idle / 2 < now + absolute:
        at += idle / 2
        assert lives(session, cookie, at)
        note_session_seen(session, row.id, now=at)
    assert lives(session, cookie, now + absolute - SECOND)
    assert not lives(session, cookie, now + absolute)


def test_another_secret_kills_the_one_before_and_keeps_the_row(
    session: Session, now: datetime
) -> None:
    """Checklist 38."""
    who = account(session, now)
    before = start_session(session, who, now=now)
    session.flush()
    seen = viewer_of(session, before, now=now)
    assert seen is not None
    who.is_patient = True
    later = now + HOUR
    after = renew_session(session, seen.session_id, is_proof=False, now=later)
    assert not lives(session, before, later)
    again = viewer_of(session, after, now=later)
    assert again is not None
    assert (again.session_id, again.proved_at) == (seen.session_id, now)
    assert lives(session, after, later + 30 * DAY - SECOND)
    proven = renew_session(session, seen.session_id, is_proof=True, now=later)
    again = viewer_of(session, proven, now=later)
    assert again is not None
    assert again.proved_at == later


def test_a_session_that_was_ended_is_dead_and_no_other(
    session: Session, now: datetime
) -> None:
    """Checklist 39."""
    made = account(session, now)
    cookie, other = (start_session(session, made, now=now) for _ in range(2))
    session.flush()
    seen = viewer_of(session, cookie, now=now)
    assert seen is not None
    end_session(session, seen.session_id, now=now)
    assert not lives(session, cookie, now)
    assert lives(session, other, now)
    made.confirmed_at = now
    want_reset(session, email=made.email, now=now)
    choose_password(
        session, newest_token(session), password="kettle violet ocean", now=now
    )
    assert not lives(session, other, now)


def test_sessions_are_forgotten_ninety_days_after_they_ended(
    session: Session, now: datetime
) -> None:
    start_session(session, account(session, now), now=now)
    session.flush()
    end = now + 12 * HOUR + 90 * DAY
    assert oldest_sign_in(session, now=end - SECOND) is None
    assert forget_sessions(session, now=end - SECOND, limit=5) == 0
    assert oldest_sign_in(session, now=end) == end
    assert forget_sessions(session, now=end, limit=5) == 1


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Mobile Safari/537.36"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36 Edg/130.0"


@pytest.mark.parametrize(
    ("user_agent", "brands", "name"),
    [
        (ANDROID, '"Chromium";v="130", "Google Chrome";v="130"', "Chrome on Android"),
        (ANDROID, '"Chromium";v="130", "Brave";v="130"', "Brave on Android"),
        (ANDROID, "", "Chrome on Android"),
        (IPAD, "", "Safari on iPad"),
        (EDGE, "", "Edge on Windows"),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/130.0", "", "Chrome on Chromebook"),
        ("curl/8.0", "", "A browser"),
        ("", "", "A browser"),
        ("x" * 100_000, "x" * 100_000, "A browser"),
    ],
)
def test_a_browser_has_a_plain_name(user_agent: str, brands: str, name: str) -> None:
    assert browser_name(user_agent, brands) == name


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "Used in the last hour"),
        (HOUR, "Last used 1 hour ago"),
        (23 * HOUR, "Last used 23 hours ago"),
        (DAY, "Last used 1 day ago"),
        (80 * DAY, "Last used 80 days ago"),
    ],
)
def test_when_it_was_used_is_said_in_words(
    now: datetime, ago: timedelta, words: str
) -> None:
    assert seen_words(now - ago, now=now) == words


def press(client: FlaskClient, path: str, **typed: str) -> str:
    token = csrf_of(client, "/account/sessions")
    answer = client.post(path, data={"csrf_token": token, **typed})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def is_in(client: FlaskClient) -> bool:
    return client.get("/people").status_code == 200


def ids(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.scalars(sa.select(WebSession.id).order_by(WebSession.id)))


def test_one_device_is_named_and_signed_out_by_another(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    """Checklist 41."""
    tablet, phone = (signed_in(app, world.marta, now=now) for _ in range(2))
    stranger = signed_in(app, world.eve, now=now)
    first = ids(db)[0]
    there = f"/account/sessions/{first}"
    assert press(phone, there, name="Kitchen tablet") == "/account/sessions"
    page = phone.get("/account/sessions").text
    assert "Kitchen tablet" in page
    assert page.count("This device") == 1
    assert "Kitchen tablet" not in stranger.get("/account/sessions").text
    token = csrf_of(stranger, "/account/sessions")
    for path in (there, f"{there}/end"):
        assert stranger.post(path, data={"csrf_token": token}).status_code == 404
    assert is_in(tablet)
    press(phone, f"{there}/end")
    assert not is_in(tablet)
    assert is_in(phone)
    assert "Kitchen tablet" not in phone.get("/account/sessions").text


def test_all_other_devices_are_signed_out_at_once(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    """Checklist 41."""
    here, *others = (signed_in(app, world.marta, now=now) for _ in range(4))
    rosa = signed_in(app, world.rosa, now=now)
    press(here, "/account/sessions/end-others")
    assert [is_in(one) for one in (here, *others, rosa)] == [True, *[False] * 3, True]


def test_a_command_signs_an_account_out_everywhere(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    """Checklist 41."""
    marta, rosa = (signed_in(app, one, now=now) for one in (world.marta, world.rosa))
    runner = app.test_cli_runner()
    done = runner.invoke(args=["sign-out", "marta@family.example"])
    assert "ended: 1" in done.output
    assert runner.invoke(args=["sign-out", "no@family.example"]).exit_code == 1
    assert not is_in(marta)
    assert is_in(rosa)


def test_use_is_noted_after_the_answer_and_once_in_a_while(
    app: Flask, world: World, db: Database, pinned: time_machine.Traveller
) -> None:
    """Checklist 40: whoever comes back within the time stays signed in."""
    began = pinned
    now = datetime.fromisoformat("2026-11-20T08:05:00+00:00")
    luis = signed_in(app, world.luis, now=now)
    before = all_rows(db)
    began.move_to(now + SEEN_EVERY - SECOND)
    luis.get("/people").close()
    assert changed(before, all_rows(db)) == []
    began.move_to(now + SEEN_EVERY)
    answer = luis.get("/people")
    assert changed(before, all_rows(db)) == []
    answer.close()
    assert changed(before, all_rows(db)) == ["web_session"]
    with db.reading() as session:
        row = session.scalars(sa.select(WebSession)).one()
        assert row.last_seen_at == now + SEEN_EVERY


def test_being_the_first_time_somebody_s_manager_gives_another_secret(
    app: Flask, db: Database, now: datetime, pinned: object
) -> None:
    """Checklist 38."""
    with db.transaction() as session:
        number = account(session, now).id
    client = signed_in(app, number, now=now)
    thief = app.test_client()
    with client.session_transaction() as kept, thief.session_transaction() as copy:
        copy.update(kept)
    token = csrf_of(client, "/people/new")
    typed = {"who": "me", "name": "Ann", "zone": "Europe/London", "csrf_token": token}
    assert client.post("/people/new", data=typed).status_code == 303
    assert is_in(client)
    assert not is_in(thief)
    with db.reading() as session:
        assert session.get_one(Account, number).is_patient
    # The same page, pressed twice, is no dead end.
    assert client.post("/people/new", data=typed).status_code == 303
    assert is_in(client)
