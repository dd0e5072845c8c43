"""Signing in with an OpenID provider: real HTTP, real keys, and every way to lie."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pillweb.accounts.models import Account, OidcIdentity
from pillweb.base.clock import now as clock_now
from pillweb.base.db import Database
from pillweb.outbox.models import Delivery
from pillweb.web.security import limiter
from tests.accounts.issuer import CLIENT_ID, SECRET, Claims, Issuer, issuer_server
from tests.conftest import use_settings
from tests.house.rows import all_rows, changed
from tests.world import World, csrf_of, signed_in

MARTA = {"email": "marta@family.example", "email_verified": True}
NEW = {"email": "new@family.example", "email_verified": True, "name": "Nell New"}
FAILED, UNKNOWN = "We got no good answer", "We do not know you yet"
OWN = "/account/sign-in-by"
THERE = re.compile(r'<a class="button primary" href="([^"]+)" rel="noreferrer"')


@pytest.fixture
def issuer(world: World, pinned: object) -> Iterator[Issuer]:
    with issuer_server(clock_now) as started:
        use_settings(
            OIDC_ISSUER=started.url,
            OIDC_CLIENT_ID=CLIENT_ID,
            OIDC_CLIENT_SECRET=SECRET,
            OIDC_NAME="Google",
        )
        yield started
        use_settings(
            OIDC_ISSUER="", OIDC_CLIENT_ID="", OIDC_CLIENT_SECRET="", OIDC_NAME=""
        )


def begin(client: FlaskClient, start: str = "/sign-in/oidc") -> str:
    """Press the button; return where the browser goes."""
    limiter.reset()
    page = client.post(start, data={"csrf_token": csrf_of(client)})
    found = THERE.search(page.text)
    assert found, page.text
    url = unescape(found[1])
    assert page.headers["Refresh"] == f"0;url={url}"
    return url


def come_back(client: FlaskClient, back: str, **other: str) -> TestResponse:
    """Open the page one comes back to, and press its button."""
    limiter.reset()
    page = client.get(back)
    assert page.status_code == 200
    asked = parse_qs(urlsplit(back).query)
    data = {name: one[0] for name, one in asked.items()} | other
    data["csrf_token"] = csrf_of(client)
    return client.post("/sign-in/oidc/back", data=data)


def is_in(client: FlaskClient) -> bool:
    return client.get("/people").status_code == 200


def identities(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.scalars(sa.select(OidcIdentity.account_id)))


def code_of(session: Session) -> str:
    row = session.scalars(
        sa.select(Delivery.context).order_by(Delivery.id.desc())
    ).first()
    return str(json.loads(row or "{}")["code"])


def test_a_new_person_gets_an_account_and_signs_in_by_it_again(
    app: Flask, db: Database, issuer: Issuer
) -> None:
    client, other = app.test_client(), app.test_client()
    assert "Sign in with Google" in client.get("/sign-in").text
    answer = come_back(client, issuer.sign_in(begin(client), NEW))
    assert (answer.status_code, answer.location) == (303, "/")
    assert is_in(client)
    # The provider changed the address: it is the subject that counts.
    back = issuer.sign_in(begin(other), MARTA | {"name": "x"})
    come_back(other, back)
    assert is_in(other)
    with db.reading() as session:
        made = session.scalars(
            sa.select(Account).order_by(Account.id.desc()).limit(1)
        ).one()
        assert (made.name, made.email, made.is_admin) == (
            "Nell New",
            "new@family.example",
            False,
        )
    assert len(identities(db)) == 1
    assert "g-1" not in str(all_rows(db)["oidc_identity"])


def test_looking_at_the_way_back_changes_nothing(
    app: Flask, db: Database, issuer: Issuer
) -> None:
    """Checklist 19."""
    client = app.test_client()
    back = issuer.sign_in(begin(client), NEW)
    before = all_rows(db)
    for method in ("HEAD", "GET", "GET"):
        assert client.open(back, method=method).status_code == 200
    assert changed(before, all_rows(db)) == []
    come_back(client, back)
    assert is_in(client)


def other_nonce(claims: Claims) -> None:
    claims["nonce"] = "another"


def no_nonce(claims: Claims) -> None:
    del claims["nonce"]


def other_audience(claims: Claims) -> None:
    claims["aud"] = "another app"


def two_audiences(claims: Claims) -> None:
    claims["aud"] = [CLIENT_ID, "another app"]


def other_party(claims: Claims) -> None:
    claims["azp"] = "another app"


def other_issuer(claims: Claims) -> None:
    claims["iss"] = "https://accounts.evil.example"


def expired(claims: Claims) -> None:
    claims["exp"] = claims["iat"] - 121


def never_ends(claims: Claims) -> None:
    del claims["exp"]


def no_number(claims: Claims) -> None:
    claims["exp"] = "tomorrow"


def of_the_future(claims: Claims) -> None:
    claims["iat"] += 3600


def no_subject(claims: Claims) -> None:
    del claims["sub"]


def empty_subject(claims: Claims) -> None:
    claims["sub"] = ""


def odd_subject(claims: Claims) -> None:
    claims["sub"] = {"is": "odd"}


@pytest.mark.parametrize(
    "alter",
    [
        other_nonce,
        no_nonce,
        other_audience,
        two_audiences,
        other_party,
        other_issuer,
        expired,
        never_ends,
        no_number,
        of_the_future,
        no_subject,
        empty_subject,
        odd_subject,
    ],
)
def test_a_token_that_is_not_all_it_has_to_be_is_refused(
    app: Flask, db: Database, issuer: Issuer, alter: Callable[[Claims], None]
) -> None:
    issuer.alter = alter
    client = app.test_client()
    answer = come_back(client, issuer.sign_in(begin(client), NEW))
    assert answer.status_code == 422
    assert FAILED in answer.text
    assert not is_in(client)
    assert identities(db) == []


@pytest.mark.parametrize(
    "lie",
    [
        lambda issuer: setattr(issuer, "algorithm", "HS256"),
        Issuer.sign_with_another_key,
        lambda issuer: setattr(issuer, "algorithm", "none"),
        lambda issuer: setattr(issuer, "named", "https://accounts.evil.example"),
        lambda issuer: setattr(issuer, "token_url", "http://10.0.0.1/token"),
        lambda issuer: setattr(issuer, "redirects_to", f"{issuer.url}/elsewhere"),
        lambda issuer: setattr(issuer, "body", b"[]"),
        lambda issuer: setattr(issuer, "body", b"not json"),
        lambda issuer: setattr(issuer, "body", b"[" + b" " * 300_000 + b"]"),
    ],
    ids=(
        "shared secret",
        "another key",
        "no signature",
        "another name",
        "in clear",
        "sent on",
        "no object",
        "no JSON",
        "too long",
    ),
)
def test_a_provider_that_lies_is_not_believed(
    app: Flask, db: Database, issuer: Issuer, lie: Callable[[Issuer], None]
) -> None:
    client = app.test_client()
    back = issuer.sign_in(begin(client), NEW)
    lie(issuer)
    answer = come_back(client, back)
    assert answer.status_code == 422
    assert FAILED in answer.text
    assert not is_in(client)
    assert identities(db) == []


def test_a_provider_that_is_gone_is_said_kindly(app: Flask, issuer: Issuer) -> None:
    use_settings(OIDC_ISSUER="http://127.0.0.1:9")
    client = app.test_client()
    page = client.post("/sign-in/oidc", data={"csrf_token": csrf_of(client)})
    assert page.status_code == 422
    assert FAILED in page.text


def test_a_state_is_one_browser_s_and_good_once(
    app: Flask, db: Database, issuer: Issuer
) -> None:
    client, other = app.test_client(), app.test_client()
    back = issuer.sign_in(begin(client), NEW)
    begin(other)
    assert come_back(other, back).status_code == 404
    assert come_back(client, back, state="made up").status_code == 404
    assert come_back(client, back).status_code == 303
    # The same again, and the same code in a new way.
    assert come_back(client, back).status_code == 404
    code = parse_qs(urlsplit(back).query)["code"][0]
    again = issuer.sign_in(begin(other), NEW)
    assert come_back(other, again, code=code).status_code == 422
    assert come_back(other, again).status_code == 404
    assert not is_in(other)


def test_a_code_that_was_meant_for_another_way_is_refused(
    app: Flask, issuer: Issuer
) -> None:
    """PKCE: somebody else's code does not fit this browser's verifier."""
    client, other = app.test_client(), app.test_client()
    stolen = issuer.sign_in(begin(other), NEW)
    mine = issuer.sign_in(begin(client), NEW, sub="g-2")
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    assert come_back(client, mine, code=code).status_code == 422
    assert not is_in(client)


def test_an_answer_of_another_provider_is_not_heeded(
    app: Flask, issuer: Issuer
) -> None:
    """RFC 9207."""
    client = app.test_client()
    back = issuer.sign_in(begin(client), NEW).replace("127.0.0.1", "127.0.0.2")
    assert FAILED in client.get(back).text
    assert FAILED in client.get("/sign-in/oidc/back?error=access_denied").text


def test_an_address_that_was_not_checked_opens_nothing(
    app: Flask, db: Database, issuer: Issuer
) -> None:
    for said in (False, "true", None):
        client = app.test_client()
        facts = MARTA | {"email_verified": said}
        answer = come_back(client, issuer.sign_in(begin(client), facts))
        assert UNKNOWN in answer.text
        assert not is_in(client)
    assert identities(db) == []


def test_the_owner_of_an_account_proves_it_by_a_mailed_code_once(
    app: Flask, db: Database, world: World, issuer: Issuer
) -> None:
    client, other = app.test_client(), app.test_client()
    answer = come_back(client, issuer.sign_in(begin(client), MARTA))
    assert "has an account here" in answer.text
    assert not is_in(client)
    assert identities(db) == []
    with db.reading() as session:
        code = code_of(session)
    data = {"csrf_token": csrf_of(client), "code": "0000 0000"}
    assert client.post("/sign-in/oidc/code", data=data).status_code == 422
    typed = client.post("/sign-in/oidc/code", data={**data, "code": code})
    assert typed.status_code == 303
    assert is_in(client)
    assert identities(db) == [world.marta]
    assert come_back(other, issuer.sign_in(begin(other), MARTA)).status_code == 303
    assert is_in(other)


def test_a_code_of_another_account_joins_nothing(
    app: Flask, db: Database, issuer: Issuer
) -> None:
    """The identity waits for Marta's code; Luis types his own in this browser."""
    client = app.test_client()
    come_back(client, issuer.sign_in(begin(client), MARTA))
    limiter.reset()
    data = {"csrf_token": csrf_of(client)}
    client.post("/sign-in", data={**data, "email": "luis@family.example"})
    with db.reading() as session:
        code = code_of(session)
    answer = client.post("/sign-in/oidc/code", data={**data, "code": code})
    assert answer.status_code == 404
    assert identities(db) == []


def test_who_is_signed_in_adds_and_removes_it(
    app: Flask, db: Database, world: World, issuer: Issuer, now: datetime
) -> None:
    marta, luis = (signed_in(app, one, now=now) for one in (world.marta, world.luis))
    back = issuer.sign_in(begin(marta, OWN), {"email": "x@y.example"})
    # Only the browser that is signed in as her comes back to that.
    answer = come_back(marta, back)
    assert (answer.status_code, answer.location) == (303, OWN)
    assert identities(db) == [world.marta]
    taken = come_back(luis, issuer.sign_in(begin(luis, OWN)))
    assert "belongs to somebody else" in taken.text
    assert identities(db) == [world.marta]
    data = {"csrf_token": csrf_of(marta)}
    assert marta.post(f"{OWN}/remove", data=data).status_code == 303
    assert identities(db) == []
    with db.reading() as session:
        told = sa.select(Delivery).where(Delivery.kind == "account_changed")
        assert [row.account_id for row in session.scalars(told)] == [world.marta] * 2


def test_nobody_makes_an_account_where_signing_up_is_closed(
    app: Flask, db: Database, issuer: Issuer
) -> None:
    use_settings(SIGN_UP="false")
    try:
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["invitation"] = 1  # of which nothing is left
        answer = come_back(client, issuer.sign_in(begin(client), NEW))
        assert UNKNOWN in answer.text
    finally:
        use_settings(SIGN_UP="true")
    assert identities(db) == []


def test_without_a_provider_there_is_no_button(app: Flask, world: World) -> None:
    client = app.test_client()
    assert "/sign-in/oidc" not in client.get("/sign-in").text
    data = {"csrf_token": csrf_of(client)}
    assert client.post("/sign-in/oidc", data=data).status_code == 404
    assert client.get("/sign-in/oidc/back").status_code == 404


def test_who_took_too_long_at_the_provider_can_begin_again(
    app: Flask, issuer: Issuer, pinned: time_machine.Traveller
) -> None:
    client = app.test_client()
    back = issuer.sign_in(begin(client), NEW)
    pinned.shift(timedelta(minutes=11))
    answer = come_back(client, back)
    assert answer.status_code == 404
    assert 'href="/sign-in"' in answer.text.split("<main", 1)[1]


def test_a_provider_that_asked_nobody_anything_is_no_proof(
    app: Flask, issuer: Issuer, pinned: object
) -> None:
    client = app.test_client()
    come_back(client, issuer.sign_in(begin(client), NEW))
    assert is_in(client)
    token = csrf_of(client, "/look")
    asked = client.post("/account/printed-codes", data={"csrf_token": token})
    assert asked.status_code == 401
