"""Invitations: made, sent or handed over, answered once, taken back."""

import re
import time
from datetime import datetime, timedelta
from threading import Event

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs import account_requests
from pillweb.base.db import Database
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.invitations.actions.asking import answer_request
from pillweb.invitations.actions.inviting import accept_invitation, invite
from pillweb.invitations.models import Invitation
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.rights.actions.keeping_in import keep_in
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import CAREGIVER, OWN_TERMS, SELF, Level, Terms
from tests.at_once import at_once
from tests.conftest import use_settings
from tests.jobs.conftest import Moment, moment
from tests.press import NO_PRESS, a_press
from tests.tokens import newest_token
from tests.world import World, csrf_of, make_cast_account, signed_in

__all__ = ["moment"]

SECOND, LIFE = timedelta(seconds=1), timedelta(days=7)


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def eve(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.eve, now=now)


def press(client: FlaskClient, path: str, **typed: object) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client, "/look"), **typed})


def offer(rosa: FlaskClient, world: World, **typed: object) -> TestResponse:
    facts = {"label": "Eve", "role": "caregiver", "level": "2", "how": "hand"}
    path = f"/patients/{world.patient}/sharing/invite"
    return press(rosa, path, **{**facts, "sees": "names", **typed})


def secret_of(answer: TestResponse) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/i/[\w-]+)<", answer.text)
    assert found
    return found[1]


def listed(rosa: FlaskClient, world: World) -> str:
    return rosa.get(f"/patients/{world.patient}/sharing").text


def grants_of(db: Database, account_id: int, patient_id: int) -> list[Grant]:
    with db.reading() as session:
        mine = sa.select(Grant).where(Grant.account_id == account_id)
        return list(session.scalars(mine.where(Grant.patient_id == patient_id)))


def test_an_invitation_is_shown_opened_and_accepted(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    made = offer(rosa, world)
    path = secret_of(made)
    assert '<svg class="code"' in made.text
    assert "No answer yet" in listed(rosa, world)
    assert path not in listed(rosa, world)
    assert "Rosa" not in eve.get(path).text
    assert press(eve, path).location == "/invitation"
    page = eve.get("/invitation").text
    assert "Do you want to help <bdi>Rosa</bdi>?" in page
    assert "May look and record doses." in page
    assert grants_of(db, world.eve, world.patient) == []
    for _ in range(2):
        answer = press(eve, "/invitation/accept")
        assert answer.location == f"/patients/{world.patient}/today"
    (grant,) = grants_of(db, world.eve, world.patient)
    assert (grant.level, grant.role, grant.sees) == (2, "caregiver", ["names"])
    assert grant.given_by_id == world.rosa
    assert (grant.alerts, grant.wants, grant.ladder_place) == (False, [], None)
    assert eve.get(answer.location).status_code == 200
    assert "Accepted" in listed(rosa, world)
    assert eve.get(path).status_code == 404
    assert eve.get("/invitation").status_code == 404


def test_steps_cannot_be_skipped(
    rosa: FlaskClient, eve: FlaskClient, app: Flask, world: World, db: Database
) -> None:
    """Neither opened nor signed in, nobody is let in (checklist 11)."""
    path = secret_of(offer(rosa, world))
    assert press(eve, "/invitation/accept").status_code == 404
    guest = app.test_client()
    guest.get(path)
    guest.head(path)
    assert guest.get("/invitation").status_code == 404
    machine = guest.post(path, data={"csrf_token": csrf_of(guest), **NO_PRESS})
    assert machine.location.startswith(f"{path}?again=")
    assert guest.get("/invitation").status_code == 404
    assert press(guest, path).location == "/invitation"
    assert "Please sign in first" in guest.get("/invitation").text
    assert press(guest, "/invitation/accept").location.startswith("/sign-in")
    assert grants_of(db, world.eve, world.patient) == []


def test_it_is_no_by_one_press(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    path = secret_of(offer(rosa, world))
    press(eve, path)
    assert press(eve, "/invitation/decline").location == "/people"
    assert "Declined" in listed(rosa, world)
    assert grants_of(db, world.eve, world.patient) == []
    assert eve.get(path).status_code == 404
    assert press(eve, "/invitation/accept").status_code == 404


def test_an_invitation_lasts_seven_days(
    rosa: FlaskClient,
    eve: FlaskClient,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    path = secret_of(offer(rosa, world))
    pinned.move_to(now + LIFE - SECOND)
    press(eve, path)
    assert eve.get("/invitation").status_code == 200
    pinned.move_to(now + LIFE)
    assert eve.get("/invitation").status_code == 404
    assert press(eve, "/invitation/accept").status_code == 404
    assert eve.get(path).data == eve.get("/i/unknown").data
    assert "Does not work any more" in listed(rosa, world)


def test_what_was_taken_back_is_gone_where_it_is_open(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    path = secret_of(offer(rosa, world))
    press(eve, path)
    with db.reading() as session:
        row = session.scalars(sa.select(Invitation)).one()
    stop = f"/patients/{world.patient}/sharing/invitations/{row.id}/stop"
    assert press(rosa, stop).status_code == 303
    assert press(eve, "/invitation/accept").status_code == 404
    assert eve.get(path).status_code == 404
    assert "Taken back" in listed(rosa, world)


def test_who_manages_no_more_lets_nobody_in(
    app: Flask, eve: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    marta = signed_in(app, world.marta, now=now)
    path = secret_of(offer(marta, world))
    press(eve, path)
    with db.transaction() as session:
        hers = sa.update(Grant).where(Grant.account_id == world.marta)
        session.execute(hers.values(level=2))
    assert press(eve, "/invitation/accept").status_code == 404
    assert offer(marta, world).status_code == 404


def test_twenty_at_once_are_one(db: Database, world: World, now: datetime) -> None:
    """A race for one invitation lets one account in, once (checklist 12)."""
    with db.transaction() as session:
        who = [make_cast_account(session, f"Racer{n}", now=now).id for n in range(5)]
        row, _ = invite(
            session,
            patient_id=world.patient,
            patient_name="Rosa",
            made_by_id=world.rosa,
            label="Somebody",
            terms=Terms(Level.VIEW, "caregiver", frozenset()),
            channel=None,
            address="",
            now=now,
        )
        invitation_id = row.id

    def accept(number: int) -> int:
        account_id = who[number % len(who)]
        try:
            with db.transaction() as session:
                accept_invitation(
                    session, invitation_id, account_id=account_id, now=now
                )
        except LinkGoneError:
            return 0
        return account_id

    assert len(set(at_once(20, accept)) - {0}) == 1
    with db.reading() as session:
        let_in = sa.select(Grant).where(Grant.account_id.in_(who))
        assert len(session.scalars(let_in).all()) == 1


def offer_to_rosa(
    db: Database, world: World, address: str, role: str, *, now: datetime
) -> int:
    with db.transaction() as session:
        row, _ = invite(
            session,
            patient_id=world.patient,
            patient_name="Rosa",
            made_by_id=world.marta,
            label="Somebody",
            terms=OWN_TERMS._replace(role=role),
            channel="email",
            address=address,
            now=now,
        )
        return row.id


def test_of_two_at_once_one_is_the_patient(
    db: Database, world: World, now: datetime
) -> None:
    asking = []
    with db.transaction() as session:
        own = sa.update(Grant).where(Grant.account_id == world.rosa)
        session.execute(own.values(status="revoked"))
        people = [make_cast_account(session, f"Racer{n}", now=now) for n in range(2)]
        named = [(account.id, account.email) for account in people]
    for account_id, email in named:
        offered = offer_to_rosa(db, world, email, SELF, now=now)
        with db.transaction() as session:
            grant = accept_invitation(session, offered, account_id=account_id, now=now)
            assert grant is not None
            asking.append(grant.id)

    def agree(number: int) -> bool:
        try:
            with db.transaction() as session:
                answer_request(
                    session,
                    patient_id=world.patient,
                    grant_id=asking[number],
                    terms=OWN_TERMS,
                    given_by_id=world.marta,
                    now=now,
                )
        except NotFoundError:
            return False
        return True

    assert sorted(at_once(2, agree)) == [False, True]
    with db.reading() as session:
        found = sa.select(Grant.status).where(Grant.id.in_(asking))
        assert sorted(session.scalars(found)) == ["accepted", "declined"]


@pytest.mark.parametrize("how", ["invited", "asked"])
def test_who_is_let_in_while_sharing_is_being_stopped_is_kept_out(
    how: str, db: Database, world: World, now: datetime
) -> None:
    """Eve helped before: her row is there, and no new one locks the patient's."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("whoever writes is alone there")
    one = offer_to_rosa(db, world, "eve@family.example", CAREGIVER, now=now)
    with db.transaction() as session:
        grant = grant_access(
            session,
            account_id=world.eve,
            patient_id=world.patient,
            level=Level.VIEW,
            role=CAREGIVER,
            now=now,
        )
        grant.status = "pending" if how == "asked" else "revoked"
        session.flush()
        grant_id = grant.id
    is_in = Event()

    def let_in() -> None:
        with db.transaction() as session:
            if how == "invited":
                accept_invitation(session, one, account_id=world.eve, now=now)
            else:
                answer_request(
                    session,
                    patient_id=world.patient,
                    grant_id=grant_id,
                    terms=Terms(Level.VIEW, CAREGIVER, frozenset()),
                    given_by_id=world.marta,
                    now=now,
                )
            session.flush()
            is_in.set()
            # Long enough for the other to come by, were there nothing to wait for.
            time.sleep(0.5)

    def stop() -> None:
        is_in.wait(5)
        with db.transaction() as session:
            keep_in(session, world.patient, by_id=world.rosa, still=(), now=now)

    at_once(2, lambda number: (let_in, stop)[number]())
    (grant,) = grants_of(db, world.eve, world.patient)
    assert grant.status == "kept_out"


def test_a_mail_names_the_first_name_alone(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    typed = {"how": "email", "address": "Ida@new.example"}
    assert offer(rosa, world, **typed).status_code == 303
    with db.reading() as session:
        kind = sa.select(Delivery).where(Delivery.kind == "invitation")
        mail = compose_message(session.scalars(kind).one())
    assert mail.recipient == "Ida@new.example"
    assert mail.subject == "Rosa asks for your help"
    for words in (mail.text, mail.html):
        assert "/i/" in words
        assert "Amlodipine" not in words
    assert offer(rosa, world, how="email", address="nobody").status_code == 422
    assert offer(rosa, world, how="email", address="").status_code == 422
    assert offer(rosa, world, how="sms", address="1").status_code == 422


def test_no_more_than_twenty_a_day(
    app: Flask,
    rosa: FlaskClient,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """The limit is counted in rows, so that no restart forgets it (checklist 13)."""
    assert [offer(rosa, world).status_code for _ in range(21)] == [200] * 20 + [422]
    tomorrow = now + timedelta(days=1)
    pinned.move_to(tomorrow)
    again = signed_in(app, world.rosa, now=tomorrow)
    assert offer(again, world).status_code == 200


def test_who_may_do_more_keeps_it(
    rosa: FlaskClient, app: Flask, world: World, db: Database, now: datetime
) -> None:
    path = secret_of(offer(rosa, world, level="1"))
    marta = signed_in(app, world.marta, now=now)
    press(marta, path)
    press(marta, "/invitation/accept")
    (grant,) = grants_of(db, world.marta, world.patient)
    assert grant.level == 3


def test_the_one_who_takes_the_medicines_is_invited_once(
    app: Flask, eve: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    marta = signed_in(app, world.marta, now=now)
    assert offer(marta, world, role="self").status_code == 422
    with db.transaction() as session:
        own = sa.update(Grant).where(Grant.account_id == world.rosa)
        session.execute(own.values(status="revoked"))
    paths = [secret_of(offer(marta, world, role="self")) for _ in range(2)]
    press(eve, paths[0])
    assert "Are you <bdi>Rosa</bdi>?" in eve.get("/invitation").text
    press(eve, "/invitation/accept")
    (grant,) = grants_of(db, world.eve, world.patient)
    here = f"/patients/{world.patient}/sharing/requests/{grant.id}"
    assert press(marta, here).status_code == 303
    (grant,) = grants_of(db, world.eve, world.patient)
    assert (grant.level, grant.role, grant.status) == (3, "self", "accepted")
    luis = signed_in(app, world.luis, now=now)
    press(luis, paths[1])
    assert press(luis, "/invitation/accept").status_code == 404


def test_whoever_was_invited_comes_back_to_it_after_signing_in(
    rosa: FlaskClient, app: Flask, eve: FlaskClient, world: World
) -> None:
    path = secret_of(offer(rosa, world))
    press(eve, path)
    assert eve.get("/").location == "/invitation"
    assert "An invitation waits for you" in eve.get("/people").text
    press(eve, "/invitation/decline")
    assert eve.get("/").location != "/invitation"


def test_only_an_invitation_that_can_be_answered_opens_a_closed_sign_up(
    rosa: FlaskClient,
    app: Flask,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    guest = app.test_client()
    press(guest, secret_of(offer(rosa, world)))
    use_settings(SIGN_UP="0")
    assert app.test_client().get("/sign-up").status_code == 404
    assert guest.get("/sign-up").status_code == 200
    assert "I have no account yet" in guest.get("/sign-in").text
    pinned.move_to(now + LIFE)
    assert guest.get("/sign-up").status_code == 404
    typed = {"name": "Ida", "email": "ida@family.example"}
    assert press(guest, "/sign-up", **typed).status_code == 404
    assert "I have no account yet" not in guest.get("/sign-in").text


def test_a_sign_up_goes_on_to_its_invitation_wherever_the_mail_is_opened(
    rosa: FlaskClient, app: Flask, world: World, db: Database, moment: Moment
) -> None:
    """Asked for on a tablet, and the mail is read on a phone."""
    tablet, phone = app.test_client(), app.test_client()
    press(tablet, secret_of(offer(rosa, world)))
    typed = {"name": "Ida", "email": "ida@family.example"}
    assert press(tablet, "/sign-up", **typed).status_code == 200
    account_requests.run()
    with db.reading() as session:
        path = f"/a/{newest_token(session)}"
    chosen = press(phone, path, password="kettle violet ocean", **a_press(path))
    assert chosen.location == "/"
    assert phone.get("/").location == "/invitation"
    answer = press(phone, "/invitation/accept")
    assert answer.location == f"/patients/{world.patient}/today"
