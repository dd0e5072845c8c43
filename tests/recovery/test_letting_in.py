"""A helper lets somebody in again: a notice everywhere, a day, a code, and then on."""

import json
import re
from datetime import datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.actions.printed import make_printed_codes
from pillweb.accounts.models import Account, Recovery, RecoveryHelper, WebSession
from pillweb.audit.models import AuditEntry
from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact
from pillweb.outbox.models import Delivery
from pillweb.sharing.models import Grant
from pillweb.web.security import limiter
from tests.house.rows import all_rows
from tests.press import NO_PRESS
from tests.world import World, csrf_of, signed_in

EMAIL = "rosa@family.example"
HERE, END = "/sign-in/helped", "/let-me-in"
WRONG = "The e-mail address or the code is not right."
DAY = timedelta(hours=24)
CODE = re.compile(r'<b dir="ltr">([\d ]+)</b>')
LINK = re.compile(r"/l/[\w-]+")
KEYS = re.compile(r'value="((?:session|password|printed)-\d+)" checked')


@pytest.fixture(autouse=True)
def _pinned(pinned: object) -> None:
    """The clock stands still."""


@pytest.fixture
def trust(db: Database, world: World, now: datetime) -> int:
    """Rosa trusts Marta; she has a phone of her own, and one that somebody added."""
    with db.transaction() as session:
        row = RecoveryHelper(account_id=world.rosa, helper_id=world.marta, named_at=now)
        session.add(row)
        for channel, address in (("sms", "+447700900001"), ("email", EMAIL)):
            add_contact(
                session,
                channel=channel,
                address=address,
                account_id=world.rosa,
                is_proven=True,
                now=now,
            )
        add_contact(
            session,
            channel="sms",
            address="+447700900002",
            patient_id=world.patient,
            is_proven=True,
            now=now,
        )
        session.flush()
        return row.id


class Helper:
    """Marta at her browser: signed in anew whenever the clock has moved."""

    def __init__(self, app: Flask, account_id: int, trust: int) -> None:
        self.app, self.account_id, self.trust = app, account_id, trust

    def do(self, deed: str, now: datetime) -> TestResponse:
        limiter.reset()
        client = signed_in(self.app, self.account_id, now=now)
        data = {"csrf_token": csrf_of(client)}
        return client.post(f"/let-in/{self.trust}/{deed}", data=data)

    def code(self, now: datetime) -> tuple[str, str]:
        page = self.do("code", now)
        assert page.status_code == 200, page.status_code
        return CODE.findall(page.text)[0], LINK.findall(page.text)[0]


@pytest.fixture
def marta(app: Flask, world: World, trust: int) -> Helper:
    return Helper(app, world.marta, trust)


def notices(db: Database) -> dict[str, str]:
    """Return the path in each notice, by whom it went to."""
    with db.reading() as session:
        rows = session.execute(
            sa.select(Delivery.recipient, Delivery.context).where(
                Delivery.kind == "let_in", Delivery.state == "pending"
            )
        ).all()
    links = {to: json.loads(context or "{}")["link"] for to, context in rows}
    return {to: "/r/" + url.rpartition("/")[2] for to, url in links.items()}


def type_code(client: FlaskClient, code: str, email: str = EMAIL) -> TestResponse:
    limiter.reset()
    data = {"csrf_token": csrf_of(client, HERE), "email": email, "code": code}
    return client.post(HERE, data=data)


def press(client: FlaskClient, path: str, **fields: object) -> TestResponse:
    limiter.reset()
    data = {"csrf_token": csrf_of(client, HERE), **fields}
    return client.post(path, data=data)


def finish(client: FlaskClient) -> TestResponse:
    page = client.get(END)
    keys = KEYS.findall(page.text)
    data = {"csrf_token": csrf_of(client, END), "ended": keys}
    return client.post(END, data=data)


def is_in(client: FlaskClient) -> bool:
    return client.get("/people").status_code == 200


def test_everybody_named_is_kept_and_nobody_else(
    app: Flask, db: Database, world: World, now: datetime
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    page = rosa.get("/account/let-in").text
    assert "Marta" in page
    assert "Eve" not in page
    data = {"csrf_token": csrf_of(rosa, "/account/let-in")}
    for who, status in ((world.marta, 303), (world.eve, 422), (world.rosa, 422)):
        answer = rosa.post("/account/let-in", data={**data, "helpers": str(who)})
        assert answer.status_code == status
    with db.reading() as session:
        rows = session.execute(
            sa.select(RecoveryHelper.account_id, RecoveryHelper.helper_id)
        ).all()
    assert [tuple(row) for row in rows] == [(world.rosa, world.marta)]


def test_who_only_looks_is_told_no_names_of_other_helpers(
    app: Flask, world: World, now: datetime
) -> None:
    page = signed_in(app, world.nora, now=now).get("/account/let-in").text
    assert "Rosa" in page
    assert "Marta" not in page
    assert "Luis" not in page


def test_the_person_is_told_everywhere_at_once(
    marta: Helper, db: Database, now: datetime
) -> None:
    """Checklist 37. Only addresses of the account itself can say yes."""
    assert marta.do("start", now).status_code == 303
    found = notices(db)
    assert set(found) == {EMAIL, "+447700900001", "+447700900002"}
    assert found[EMAIL] == found["+447700900001"]
    assert found[EMAIL] != found["+447700900002"]
    with db.reading() as session:
        held = session.scalars(sa.select(Delivery.next_at)).all()
    assert set(held) <= {now}
    kept = str(all_rows(db)["recovery"])
    assert all(path.removeprefix("/r/") not in kept for path in found.values())


def test_nothing_is_let_in_before_a_day_has_gone(
    app: Flask,
    marta: Helper,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """Checklist 37, and 11: a step cannot be skipped."""
    assert marta.do("code", now).status_code == 404
    marta.do("start", now)
    pinned.move_to(now + DAY - timedelta(seconds=1))
    assert marta.do("code", now + DAY - timedelta(seconds=1)).status_code == 404
    client = app.test_client()
    assert client.get(END).status_code == 404
    assert press(client, END, ended="").status_code == 404
    assert type_code(client, "12345678").status_code == 422
    pinned.move_to(now + DAY)
    code, _ = marta.code(now + DAY)
    answer = type_code(client, code)
    assert (answer.status_code, answer.location) == (303, END)
    # The code alone signs nobody in.
    assert not is_in(client)


def test_all_that_is_ticked_ends_and_only_this_browser_is_in(
    marta: Helper,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """Checklist 37 and 39."""
    with db.transaction() as session:
        make_printed_codes(session, world.rosa, now=now)
        session.get_one(Account, world.rosa).password_hash = "hash"
    lost = signed_in(marta.app, world.rosa, now=now)
    marta.do("start", now)
    pinned.move_to(now + DAY)
    client = marta.app.test_client()
    type_code(client, marta.code(now + DAY)[0])
    keys = KEYS.findall(client.get(END).text)
    assert {key.split("-")[0] for key in keys} == {"session", "password", "printed"}
    answer = finish(client)
    assert (answer.status_code, answer.location) == (303, "/account/sign-in")
    page = client.get("/account/sign-in").text
    assert "Make sure of a way in for next time." in page
    assert is_in(client)
    assert not is_in(lost)
    with db.reading() as session:
        assert session.get_one(Account, world.rosa).password_hash is None
        live = sa.select(sa.func.count()).where(
            WebSession.account_id == world.rosa, WebSession.revoked_at.is_(None)
        )
        assert session.scalar(live) == 1
    assert client.get(END).status_code == 404


def test_a_device_that_is_not_ticked_stays_in(
    app: Flask,
    marta: Helper,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    kept = signed_in(app, world.rosa, now=now)
    marta.do("start", now)
    pinned.move_to(now + DAY)
    client = app.test_client()
    type_code(client, marta.code(now + DAY)[0])
    press(client, END)
    assert is_in(client)
    assert is_in(kept)


def test_the_link_works_once_in_one_browser_after_a_press(
    app: Flask, marta: Helper, now: datetime, pinned: time_machine.Traveller
) -> None:
    """Checklist 34: a scanner uses nothing up."""
    marta.do("start", now)
    pinned.move_to(now + DAY)
    _, path = marta.code(now + DAY)
    client, other = app.test_client(), app.test_client()
    for _ in range(3):
        assert other.get(path).status_code == 200
    assert "again=" in press(other, path, **NO_PRESS).location
    assert press(client, path).location == END
    assert press(other, path).status_code == 404
    assert other.get(END).status_code == 404
    assert finish(client).status_code == 303
    assert is_in(client)


def test_a_code_works_for_ten_minutes_once_and_a_newer_ends_it(
    app: Flask, marta: Helper, now: datetime, pinned: time_machine.Traveller
) -> None:
    """Checklist 35."""
    marta.do("start", now)
    later = now + DAY
    pinned.move_to(later)
    old, _ = marta.code(later)
    new, _ = marta.code(later)
    assert type_code(app.test_client(), old).status_code == 422
    pinned.move_to(later + timedelta(minutes=10))
    assert type_code(app.test_client(), new).status_code == 422
    pinned.move_to(later + timedelta(minutes=9))
    assert type_code(app.test_client(), new).status_code == 303
    assert type_code(app.test_client(), new).status_code == 422


def test_five_wrong_codes_end_it_and_every_address_answers_alike(
    app: Flask, marta: Helper, now: datetime, pinned: time_machine.Traveller
) -> None:
    """Checklists 32 and 35."""
    marta.do("start", now)
    pinned.move_to(now + DAY)
    code, _ = marta.code(now + DAY)
    wrong = "0000 0000" if code != "0000 0000" else "1111 1111"
    for email in (EMAIL, EMAIL, EMAIL, EMAIL, "nobody@family.example", EMAIL):
        answer = type_code(app.test_client(), wrong, email)
        assert answer.status_code == 422
        assert WRONG in unescape(answer.text)
    assert type_code(app.test_client(), code).status_code == 422


@pytest.mark.parametrize("to", [EMAIL, "+447700900002"])
def test_one_press_in_any_notice_stops_it(
    marta: Helper,
    db: Database,
    to: str,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """Checklist 37."""
    marta.do("start", now)
    path = notices(db)[to]
    client = marta.app.test_client()
    assert "Marta" in client.get(path).text
    assert "again=" in press(client, f"{path}/stop", **NO_PRESS).location
    assert press(client, f"{path}/stop").location == "/sign-in"
    assert "It is stopped" in client.get("/sign-in").text
    assert client.get(path).status_code == 404
    pinned.move_to(now + DAY)
    assert marta.do("code", now + DAY).status_code == 404


def test_a_stop_after_the_code_was_made_ends_the_code(
    app: Flask,
    marta: Helper,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    marta.do("start", now)
    pinned.move_to(now + DAY)
    code, path = marta.code(now + DAY)
    rosa = signed_in(app, world.rosa, now=now)
    page = rosa.get("/people").text
    assert "Somebody you trust wants to let you in" in page
    assert (
        'action="/account/let-in/stop"'
        in rosa.get(f"/patients/{world.patient}/today").text
    )
    press(rosa, "/account/let-in/stop")
    assert "Somebody you trust" not in rosa.get("/people").text
    assert type_code(app.test_client(), code).status_code == 422
    assert app.test_client().get(path).status_code == 404


def test_yes_in_the_person_s_own_notice_lets_it_go_on_at_once(
    app: Flask, marta: Helper, db: Database, now: datetime
) -> None:
    """Checklist 37: not in one that somebody else's address may have got."""
    marta.do("start", now)
    found = notices(db)
    client = app.test_client()
    assert "Yes, I asked" not in client.get(found["+447700900002"]).text
    assert press(client, f"{found['+447700900002']}/yes").status_code == 404
    assert marta.do("code", now).status_code == 404
    assert "Yes, I asked" in client.get(found["+447700900001"]).text
    assert press(client, f"{found['+447700900001']}/yes").location == "/sign-in/helped"
    code, _ = marta.code(now)
    assert type_code(client, code).status_code == 303


def test_a_helper_whose_access_ended_cannot_go_on(
    marta: Helper,
    db: Database,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """Checklist 37: neither before the code nor after it."""
    marta.do("start", now)
    pinned.move_to(now + DAY)
    code, path = marta.code(now + DAY)
    with db.transaction() as session:
        session.execute(
            sa.update(Grant)
            .where(Grant.account_id == world.marta)
            .values(ends_at=now + DAY)
        )
    assert type_code(marta.app.test_client(), code).status_code == 422
    assert press(marta.app.test_client(), path).status_code == 404
    for deed in ("start", "code", "stop"):
        assert marta.do(deed, now + DAY).status_code == 404


def test_who_is_trusted_no_more_cannot_go_on(
    app: Flask, marta: Helper, db: Database, world: World, now: datetime
) -> None:
    marta.do("start", now)
    rosa = signed_in(app, world.rosa, now=now)
    data = {"csrf_token": csrf_of(rosa, "/account/let-in"), "helpers": str(world.luis)}
    assert rosa.post("/account/let-in", data=data).status_code == 303
    assert marta.do("code", now).status_code == 404
    with db.reading() as session:
        assert session.scalars(sa.select(Recovery.ended_at)).one() == now


def test_only_the_helper_who_is_named_begins(
    app: Flask, world: World, trust: int, now: datetime
) -> None:
    for account_id in (world.luis, world.rosa, world.eve):
        other = Helper(app, account_id, trust)
        assert other.do("start", now).status_code == 404


def test_a_helper_begins_three_times_a_week(
    marta: Helper, db: Database, now: datetime
) -> None:
    for _ in range(3):
        assert marta.do("start", now).status_code == 303
        # Twice is once.
        assert marta.do("start", now).status_code == 303
        assert marta.do("stop", now).status_code == 303
    assert marta.do("start", now).status_code == 429
    assert len(all_rows(db)["recovery"]) == 3


def test_the_acts_of_a_helper_ask_who_they_are(
    app: Flask,
    world: World,
    trust: int,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """Checklist 42."""
    client = signed_in(app, world.marta, now=now)
    pinned.move_to(now + timedelta(minutes=11))
    for deed in ("start", "code"):
        answer = press(client, f"/let-in/{trust}/{deed}")
        assert answer.status_code == 401


def test_every_step_is_in_the_record_of_the_patient(
    app: Flask,
    marta: Helper,
    world: World,
    db: Database,
    now: datetime,
) -> None:
    """Checklist 63."""
    marta.do("start", now)
    client = app.test_client()
    press(client, f"{notices(db)[EMAIL]}/yes")
    type_code(client, marta.code(now)[0])
    finish(client)
    with db.reading() as session:
        rows = session.execute(
            sa.select(AuditEntry.act, AuditEntry.account_id)
            .where(AuditEntry.patient_id == world.patient)
            .order_by(AuditEntry.id)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("letting_in.post_start", world.marta),
        ("let_in_notices.post_yes", world.rosa),
        ("letting_in.post_code", world.marta),
        ("helped.post_helped", world.rosa),
        ("helped.post_end", world.rosa),
    ]


def test_the_time_to_wait_is_told_as_it_is(marta: Helper, now: datetime) -> None:
    for _ in range(3):
        assert marta.do("start", now).status_code == 303
        assert marta.do("stop", now).status_code == 303
    answer = marta.do("start", now)
    assert answer.headers["Retry-After"] == "86400"
    assert "Please wait one day" in answer.text
