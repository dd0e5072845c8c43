"""Another e-mail address of an account: proven, told, taken back; and the attacks."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.actions.entering import mail_sign_in
from pillweb.accounts.actions.joining import make_account, sign_up
from pillweb.accounts.actions.passwords import keep_password
from pillweb.accounts.actions.telling import forget_notices, tell_change
from pillweb.accounts.models import (
    Account,
    AccountLink,
    AccountNotice,
    Recovery,
    SignInMail,
    WebSession,
)
from pillweb.accounts.queries import account_by_email, email_index
from pillweb.accounts.rules import NEW_PASSKEY, SIGNED_OUT
from pillweb.audit.models import AuditEntry
from pillweb.base.db import Database
from pillweb.base.tokens import token_hash
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.invitations.actions.inviting import invite
from pillweb.outbox.models import Delivery
from pillweb.sharing.rules import Level, Terms
from pillweb.web.security import limiter
from tests.at_once import at_once
from tests.house.rows import all_rows, changed
from tests.house.tokens import account_token, being_let_in
from tests.press import NO_PRESS, a_press
from tests.world import PASSWORD, World, csrf_of, signed_in

HERE, CODE = "/account/email", "/account/email/code"
OLD, NEW, THIRD = (f"{name}@family.example" for name in ("rosa", "rosita", "r3"))
WRONG = "This code is not right, or too old."
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def rosa(
    app: Flask, db: Database, world: World, pinned: object, now: datetime
) -> FlaskClient:
    """Rosa's browser, just signed in; all have answered from their addresses."""
    with db.transaction() as session:
        session.execute(sa.update(Account).values(confirmed_at=now))
        session.execute(sa.update(ContactPoint).values(state="active", proven_at=now))
    return signed_in(app, world.rosa, now=now)


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    limiter.reset()
    token = csrf_of(client, "/sign-in/code")
    return client.post(path, data={"csrf_token": token, **typed})


def mails(db: Database, kind: str) -> list[tuple[str, dict[str, str]]]:
    """Return to whom mails of a kind went, and what they say, the oldest first."""
    with db.reading() as session:
        rows = session.scalars(
            sa.select(Delivery).where(Delivery.kind == kind).order_by(Delivery.id)
        )
        return [(row.recipient, json.loads(row.context or "{}")) for row in rows]


def code_mailed(db: Database) -> str:
    return mails(db, "new_address")[-1][1]["code"]


def change(client: FlaskClient, db: Database, email: str = NEW) -> TestResponse:
    send(client, HERE, email=email)
    return send(client, CODE, code=code_mailed(db))


def told(db: Database) -> list[tuple[str, str]]:
    """Return to whom a change was told, and the path behind its link."""
    found = mails(db, "account_changed")
    return [(to, "/w/" + said["link"].rpartition("/")[2]) for to, said in found]


def press(client: FlaskClient, path: str) -> TestResponse:
    limiter.reset()
    token = csrf_of(client, "/sign-in/code")
    return client.post(path, data={"csrf_token": token, **a_press(path)})


def address(db: Database, account_id: int) -> str:
    with db.reading() as session:
        account = session.get_one(Account, account_id)
        assert account.email_index == email_index(account.email)
        return account.email


def is_in(client: FlaskClient) -> bool:
    return client.get("/people").status_code == 200


def test_it_changes_when_a_code_from_the_new_address_was_typed(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    other = signed_in(app, world.rosa, now=now)
    assert f'href="{HERE}"' in rosa.get("/account/sign-in").text
    asked = send(rosa, HERE, email=NEW)
    assert f"<bdi>{NEW}</bdi> can be used here" in asked.text
    assert address(db, world.rosa) == OLD
    ((to, _said),) = mails(db, "new_address")
    assert to == NEW
    before = rosa.get_cookie("pillweb")
    done = send(rosa, CODE, code=code_mailed(db))
    assert (done.status_code, done.location) == (303, "/account/sign-in")
    assert address(db, world.rosa) == NEW
    assert rosa.get_cookie("pillweb") != before
    assert (is_in(rosa), is_in(other)) == (True, False)
    ((to, _path),) = told(db)
    assert to == OLD
    with db.reading() as session:
        assert account_by_email(session, OLD) is None


@contextmanager
def counting() -> Iterator[list[str]]:
    """Note which statements the pages ask the database."""
    asked: list[str] = []

    def note(_c: object, _cursor: object, text: str, *_more: object) -> None:
        asked.append(text)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_who_they_are_is_asked_first(
    rosa: FlaskClient, db: Database, pinned: time_machine.Traveller, now: datetime
) -> None:
    pinned.move_to(now + 11 * MINUTE)
    assert rosa.get(HERE).location == f"/sign-in/again?next={HERE}"
    assert send(rosa, HERE, email=NEW).status_code == 401
    assert mails(db, "new_address") == []


def test_what_was_mailed_to_the_old_address_lets_nobody_in(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        mail_sign_in(session, email=OLD, client="x", is_own_device=False, now=now)
        account_token(session, world.rosa, now=now)
        being_let_in(session, world.rosa, world.marta, now=now)
    assert change(rosa, db).status_code == 303
    with db.reading() as session:
        for ended in (SignInMail.ended_at, AccountLink.used_at, Recovery.ended_at):
            assert None not in session.scalars(sa.select(ended)).all()


def test_five_tries_ten_minutes_once(
    rosa: FlaskClient,
    db: Database,
    world: World,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    send(rosa, HERE, email=NEW)
    code = code_mailed(db)
    for _ in range(5):
        answer = send(rosa, CODE, code="1")
        assert answer.status_code == 422
        assert WRONG in unescape(answer.text)
    assert send(rosa, CODE, code=code).status_code == 422
    send(rosa, HERE, email=NEW)
    pinned.move_to(now + 10 * MINUTE)
    assert send(rosa, CODE, code=code_mailed(db)).status_code == 422
    assert address(db, world.rosa) == OLD
    pinned.move_to(now + 9 * MINUTE)
    assert send(rosa, CODE, code=code_mailed(db)).status_code == 303
    again = send(rosa, CODE, code=code_mailed(db))
    assert again.status_code == 422
    assert len(told(db)) == 1


def test_the_code_is_worth_nothing_elsewhere(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    """Nor in her other browser, nor in Eve's, nor to sign anybody in."""
    send(rosa, HERE, email=NEW)
    code = code_mailed(db)
    for account_id in (world.rosa, world.eve):
        other = signed_in(app, account_id, now=now)
        send(other, "/sign-in", email="marta@family.example")
        assert send(other, CODE, code=code).status_code == 422
    assert send(rosa, "/sign-in/code", code=code).status_code == 422
    assert send(rosa, "/sign-in/again/code", code=code).status_code == 422
    assert app.test_client().post(CODE).status_code in {303, 400}
    assert send(rosa, CODE, code=code).status_code == 303
    # And one to sign in proves no address.
    send(rosa, "/sign-in", email=NEW)
    assert send(rosa, CODE, code=mails(db, "sign_in")[-1][1]["code"]).status_code == 422


def test_an_address_of_somebody_else_is_not_revealed(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    """The same page and as many statements; its owner hears of it."""
    said = []
    for email in ("marta@family.example", "mirta@family.example"):
        csrf_of(rosa, HERE)
        with counting() as statements:
            answer = send(rosa, HERE, email=email)
        page = re.sub(r'(csrf_token" value="|X-CSRFToken": ")[^"]+', "", answer.text)
        wrong = send(rosa, CODE, code="1")
        is_wrong = WRONG in unescape(wrong.text)
        page = page.replace(email, "(address)")
        said.append((answer.status_code, page, statements, wrong.status_code, is_wrong))
    assert said[0] == said[1]
    assert said[0][0] == 200
    ((to, context),) = mails(db, "address_tried")
    assert to == "marta@family.example"
    assert "code" not in context
    assert address(db, world.rosa) == OLD


def test_the_address_one_has_is_said_to_be_that(rosa: FlaskClient) -> None:
    answer = send(rosa, HERE, email=OLD.upper())
    assert answer.status_code == 422
    assert "This is your address already." in answer.text


def test_an_address_that_was_begun_with_and_never_answered_for_is_free(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    """Nobody keeps an address from its owner by typing it."""
    with db.transaction() as session:
        sign_up(session, name="Squatter", email=NEW, now=now)
    assert change(rosa, db).status_code == 303
    assert address(db, world.rosa) == NEW


def test_of_two_who_prove_one_address_the_second_reads_so(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    eve = signed_in(app, world.eve, now=now)
    send(eve, HERE, email=NEW)
    hers = code_mailed(db)
    assert change(rosa, db).status_code == 303
    answer = send(eve, CODE, code=hers)
    assert answer.status_code == 422
    assert "Another account has this address." in answer.text
    assert address(db, world.rosa) == NEW
    assert address(db, world.eve) == "eve@family.example"
    assert is_in(eve)


def test_pressed_many_times_at_once_it_is_done_once(
    app: Flask, db: Database, world: World, pinned: object, now: datetime
) -> None:
    """Two accounts, one address, and each presses twice."""
    presses = []
    for account_id in (world.rosa, world.eve):
        client = signed_in(app, account_id, now=now)
        send(client, HERE, email=NEW)
        code, csrf = code_mailed(db), csrf_of(client, "/sign-in/code")
        cookie = client.get_cookie("pillweb")
        assert cookie is not None
        presses += [(cookie.value, code, csrf)] * 2
    limiter.reset()

    def post(number: int) -> str | None:
        value, code, csrf = presses[number]
        client = app.test_client()
        client.set_cookie("pillweb", value)
        data = {"csrf_token": csrf, "code": code}
        return client.post(CODE, data=data).location

    assert at_once(4, post).count("/account/sign-in") == 1
    with db.reading() as session:
        found = sa.select(Account.id).where(Account.email_index == email_index(NEW))
        assert len(session.scalars(found).all()) == 1
    assert len(told(db)) == 1


def points(db: Database) -> set[tuple[int | None, int | None, str, str]]:
    with db.reading() as session:
        rows = session.scalars(sa.select(ContactPoint))
        return {
            (one.patient_id, one.account_id, one.address, one.state) for one in rows
        }


def test_reminders_follow_and_come_back(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    """Hers as a patient, and what she hears of others; what was stopped stays so."""
    with db.transaction() as session:
        for owner in (
            {"patient_id": world.patient},
            {"account_id": world.rosa},
            {"patient_id": world.other_patient},
        ):
            add_contact(
                session, channel="email", address=OLD, is_proven=True, now=now, **owner
            )
    at_first = points(db)
    change(rosa, db)
    kept = {one for one in at_first if one[2] != OLD or one[0] == world.other_patient}
    assert (world.other_patient, None, OLD, "active") in kept
    assert points(db) == kept | {
        (world.patient, None, NEW, "active"),
        (None, world.rosa, NEW, "active"),
    }
    with db.reading() as session:
        acts = session.scalars(
            sa.select(AuditEntry.act).where(AuditEntry.patient_id == world.patient)
        ).all()
    assert "own_address.post_address_code" in acts
    assert press(app.test_client(), told(db)[0][1]).status_code == 303
    assert points(db) == at_first


def test_an_address_that_was_there_before_the_change_stays_when_it_is_taken_back(
    app: Flask,
    rosa: FlaskClient,
    db: Database,
    world: World,
    *,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    with db.transaction() as session:
        for email in (OLD, NEW):
            add_contact(
                session,
                channel="email",
                address=email,
                patient_id=world.patient,
                is_proven=True,
                now=now,
            )
    at_first = points(db)
    pinned.move_to(now + MINUTE)
    change(rosa, db)
    press(app.test_client(), told(db)[0][1])
    assert points(db) == at_first


def test_what_was_stopped_there_stays_stopped(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        point = add_contact(
            session, channel="email", address=OLD, account_id=world.rosa, now=now
        )
        point.state = "stopped"
    change(rosa, db)
    hers = {one for one in points(db) if one[1] == world.rosa}
    assert hers == {(None, world.rosa, OLD, "stopped")}


def test_one_press_in_the_old_mailbox_takes_it_back_and_signs_everybody_out(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    """Somebody at her computer changed it, and made a password of their own."""
    change(rosa, db)
    ((_, path),) = told(db)
    with db.transaction() as session:
        live = sa.select(WebSession.id).where(WebSession.revoked_at.is_(None))
        mine = session.scalars(live.where(WebSession.account_id == world.rosa)).one()
        keep_password(session, world.rosa, password=PASSWORD, session_id=mine, now=now)
        mail_sign_in(session, email=NEW, client="x", is_own_device=False, now=now)
    somebody = app.test_client()
    assert NEW not in somebody.get(path).text
    assert f"<bdi>{OLD}</bdi>" in somebody.get(path).text
    done = press(somebody, path)
    assert done.location == "/sign-in?next=/account/sign-in"
    assert address(db, world.rosa) == OLD
    assert not is_in(rosa)
    with db.reading() as session:
        account = session.get_one(Account, world.rosa)
        assert account.password_hash is None
        assert None not in session.scalars(sa.select(SignInMail.ended_at)).all()
    to, said = mails(db, "account_changed")[-1]
    assert (to, said["link"]) == (NEW, "")
    assert somebody.get(path).status_code == 404
    assert press(somebody, path).status_code == 404


def test_however_often_it_was_changed_the_first_address_wins(
    app: Flask, rosa: FlaskClient, db: Database, world: World
) -> None:
    """Whoever changed it twice can take back the second change, but not the first's."""
    change(rosa, db)
    change(rosa, db, THIRD)
    (first_to, first), (second_to, second) = told(db)
    assert (first_to, second_to) == (OLD, NEW)
    assert press(app.test_client(), second).status_code == 303
    assert address(db, world.rosa) == NEW
    assert press(app.test_client(), first).status_code == 303
    assert address(db, world.rosa) == OLD
    for path in (first, second):
        assert app.test_client().get(path).status_code == 404


def test_after_the_first_was_taken_back_the_second_is_worth_nothing(
    app: Flask, rosa: FlaskClient, db: Database, world: World
) -> None:
    change(rosa, db)
    change(rosa, db, THIRD)
    (_, first), (_, second) = told(db)
    assert press(app.test_client(), first).status_code == 303
    assert press(app.test_client(), second).status_code == 404
    assert address(db, world.rosa) == OLD


def test_an_earlier_message_to_the_old_address_takes_it_back_too(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        tell_change(session, world.rosa, NEW_PASSKEY, now=now)
    change(rosa, db)
    assert press(app.test_client(), told(db)[0][1]).status_code == 303
    assert address(db, world.rosa) == OLD


def test_for_seven_days_and_no_longer(
    app: Flask,
    rosa: FlaskClient,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    change(rosa, db)
    ((_, path),) = told(db)
    client = app.test_client()
    pinned.move_to(now + 7 * DAY - MINUTE)
    assert client.get(path).status_code == 200
    pinned.move_to(now + 7 * DAY)
    assert client.get(path).status_code == 404
    with db.transaction() as session:
        assert forget_notices(session, now=now + 7 * DAY - MINUTE, limit=5) == 0
        assert forget_notices(session, now=now + 7 * DAY, limit=5) == 1


def test_nobody_keeps_it_from_being_taken_back_by_taking_the_old_address(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    change(rosa, db)
    with db.transaction() as session:
        sign_up(session, name="Squatter", email=OLD, now=now)
    assert press(app.test_client(), told(db)[0][1]).status_code == 303
    assert address(db, world.rosa) == OLD


def test_where_the_old_address_is_anothers_now_the_ways_in_end_all_the_same(
    app: Flask, rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    change(rosa, db)
    with db.transaction() as session:
        make_account(session, name="Ro", email=OLD, password=PASSWORD, now=now)
    client = app.test_client()
    assert press(client, told(db)[0][1]).status_code == 303
    assert "Another account has this address now." in client.get("/sign-in").text
    assert address(db, world.rosa) == NEW
    assert not is_in(rosa)


def test_a_scanner_stops_nothing(app: Flask, rosa: FlaskClient, db: Database) -> None:
    change(rosa, db)
    ((_, path),) = told(db)
    scanner, before = app.test_client(), all_rows(db)
    for method in ("HEAD", "GET", "GET"):
        assert scanner.open(path, method=method).status_code == 200
    token = csrf_of(scanner, "/sign-in/code")
    for fields in (NO_PRESS, a_press(path, after_s=0)):
        scanner.post(path, data={"csrf_token": token, **fields})
    assert changed(before, all_rows(db)) == []


def test_a_number_signs_nobody_in_after_it_was_stopped_but_is_written_to(
    app: Flask, db: Database, world: World, pinned: object, now: datetime
) -> None:
    with db.transaction() as session:
        number = add_contact(
            session,
            channel="sms",
            address="+34600",
            account_id=world.rosa,
            is_proven=True,
            now=now,
        )
        number_id = number.id
        tell_change(session, world.rosa, SIGNED_OUT, now=now)
    press(app.test_client(), told(db)[0][1])
    with db.reading() as session:
        number = session.get_one(ContactPoint, number_id)
        assert (number.state, number.proven_at) == ("unproven", None)


def test_an_invitation_that_went_to_the_old_address_still_works(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    """It stands behind a secret, and asks for no address."""
    with db.transaction() as session:
        _, token = invite(
            session,
            patient_id=world.other_patient,
            patient_name="Bruno",
            made_by_id=world.eve,
            label="Rosa",
            terms=Terms(Level.VIEW, "caregiver", frozenset()),
            channel="email",
            address=OLD,
            now=now,
        )
    change(rosa, db)
    opened = press(rosa, f"/i/{token}").location or ""
    assert "Bruno" in rosa.get(opened).text


def test_the_secret_is_kept_as_a_hash_and_the_address_sealed(
    rosa: FlaskClient, db: Database
) -> None:
    change(rosa, db)
    ((_, path),) = told(db)
    with db.reading() as session:
        (kept,) = session.scalars(sa.select(AccountNotice.token_hash)).all()
        raw = session.execute(sa.text("select email from account_notice")).scalar()
        new = session.execute(sa.text("select new_email from sign_in_mail")).scalar()
    assert kept == token_hash(path.removeprefix("/w/"))
    assert OLD.encode() not in bytes(raw or b"")
    assert NEW.encode() not in bytes(new or b"")
