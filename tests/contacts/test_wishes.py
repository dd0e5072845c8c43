"""How somebody wants to be told, one section at a time; and what helpers are told."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import wishes_of
from pillweb.contacts.rules import Owner, Wishes
from pillweb.patients.models import Patient, Unreachable
from pillweb.sharing.queries.access import accounts_wanting, helpers_of, told_of
from pillweb.sharing.rules import Helper
from tests.world import World, csrf_of, signed_in

OWN = "/account/wishes"


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def here(world: World) -> str:
    return f"/patients/{world.patient}/contacts/wishes"


def send(client: FlaskClient, path: str, **typed: object) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client, "/help"), **typed})


def wished(db: Database, world: World) -> Wishes:
    with db.reading() as session:
        return wishes_of(session, Owner(patient_id=world.patient))


@pytest.fixture
def two_ways(db: Database, world: World, now: datetime, all_channels: None) -> None:
    """Rosa has an e-mail address and a phone."""
    with db.transaction() as session:
        add_contact(
            session,
            channel="sms",
            address="+447700900123",
            patient_id=world.patient,
            now=now,
        )


@pytest.mark.usefixtures("two_ways")
def test_a_kind_of_message_comes_by_the_channels_chosen(
    rosa: FlaskClient, here: str, db: Database, world: World
) -> None:
    assert rosa.get(here).text.count("checked") >= 6
    assert send(rosa, here, part="doses", channels=["sms"]).status_code == 303
    assert send(rosa, here, part="week").status_code == 303
    assert wished(db, world).unwanted == {"doses": ["email"], "week": ["email", "sms"]}
    assert send(rosa, here, part="week", channels=["email", "sms"]).status_code == 303
    assert wished(db, world).unwanted == {"doses": ["email"], "week": []}


@pytest.mark.usefixtures("two_ways")
def test_reminders_by_a_way_that_fails_alone_are_told_and_by_one_that_works_not(
    rosa: FlaskClient, here: str, db: Database, world: World
) -> None:
    with db.transaction() as session:
        for channel, state in (("email", "active"), ("sms", "gone")):
            which = ContactPoint.channel == channel
            session.execute(sa.update(ContactPoint).where(which).values(state=state))
    for channels, is_lost in ((["sms"], True), (["email", "sms"], False)):
        answer = send(rosa, here, part="doses", channels=channels)
        assert answer.status_code == 303
        with db.reading() as session:
            found = session.get(Unreachable, world.patient)
        assert (found is not None) is is_lost
    # Nothing else that is wished says anything of it.
    with db.transaction() as session:
        session.execute(sa.delete(ContactPoint))
    send(rosa, here, part="names", shows_names="y")
    with db.reading() as session:
        assert session.get(Unreachable, world.patient) is None


@pytest.mark.usefixtures("two_ways")
def test_reminders_keep_one_way_at_least(
    rosa: FlaskClient, here: str, db: Database, world: World
) -> None:
    answer = send(rosa, here, part="doses")
    assert answer.status_code == 422
    assert "Keep one way at least for reminders." in answer.text
    # The wrong question alone is asked again.
    assert answer.text.count('name="part"') == 1
    assert wished(db, world) == Wishes()


@pytest.mark.parametrize("part", ["alerts", "day", "well", "pets", ""])
def test_a_section_that_is_not_there_is_not_found(
    rosa: FlaskClient, here: str, part: str
) -> None:
    assert send(rosa, here, part=part).status_code == 404
    for own in ("names", "language", "doses"):
        assert send(rosa, OWN, part=own).status_code == 404


def test_quiet_hours_are_chosen_in_words(
    rosa: FlaskClient, here: str, db: Database, world: World
) -> None:
    page = rosa.get(here).text
    assert '<option value="22:00">10pm</option>' in page
    night = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert send(rosa, here, part="quiet", **night).status_code == 303
    expected = Wishes(quiet_from="22:00", quiet_until="07:00", urgent_passes=False)
    assert wished(db, world) == expected
    assert '<option selected value="22:00">10pm</option>' in rosa.get(here).text
    send(rosa, here, part="quiet", quiet_from="", quiet_until="", urgent_passes="y")
    assert wished(db, world) == Wishes()


@pytest.mark.parametrize("half", [("22:00", ""), ("", "07:00"), ("22:00", "22:00")])
def test_half_a_quiet_time_is_asked_again(
    rosa: FlaskClient, here: str, db: Database, world: World, half: tuple[str, str]
) -> None:
    begin, end = half
    answer = send(rosa, here, part="quiet", quiet_from=begin, quiet_until=end)
    assert answer.status_code == 422
    assert "Choose two different times" in answer.text
    chosen = f'<option selected value="{begin}">'
    assert chosen in answer.text
    assert wished(db, world) == Wishes()


def test_a_time_that_is_no_hour_is_refused(rosa: FlaskClient, here: str) -> None:
    typed = {"quiet_from": "25:00", "quiet_until": "x"}
    assert send(rosa, here, part="quiet", **typed).status_code == 422


def test_medicines_are_named_only_when_allowed_and_the_page_says_why(
    rosa: FlaskClient, here: str, db: Database, world: World
) -> None:
    assert "Others may see a message on a locked screen" in rosa.get(here).text
    assert not wished(db, world).shows_names
    send(rosa, here, part="names", shows_names="y")
    assert wished(db, world).shows_names
    send(rosa, here, part="names")
    assert not wished(db, world).shows_names


def test_the_language_of_messages_is_the_patients(
    rosa: FlaskClient, here: str, db: Database, world: World
) -> None:
    assert send(rosa, here, part="language", language="ar").status_code == 303
    with db.reading() as session:
        assert session.get_one(Patient, world.patient).language == "ar"
    assert send(rosa, here, part="language", language="xx").status_code == 422


def test_one_section_leaves_the_others_as_they_are(
    rosa: FlaskClient, here: str, db: Database, world: World
) -> None:
    send(rosa, here, part="quiet", quiet_from="22:00", quiet_until="07:00")
    send(rosa, here, part="names", shows_names="y")
    send(rosa, here, part="refills")
    found = wished(db, world)
    assert (found.quiet_from, found.shows_names) == ("22:00", True)
    assert found.unwanted == {"refills": ["email"]}


def helper(db: Database, world: World, account_id: int) -> Helper:
    with db.reading() as session:
        found = helpers_of(session, world.patient)
        return next(one for one in found if one.account_id == account_id)


def test_a_helper_is_told_nothing_before_somebody_chose_it(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    luis = helper(db, world, world.luis)
    assert (luis.alerts, luis.ladder_place, luis.wants) == (False, None, [])
    sharing = f"/patients/{world.patient}/sharing"
    there = f"{sharing}/helpers/{luis.grant_id}"
    assert f'href="{there}">What they are told' in rosa.get(sharing).text
    page = rosa.get(there).text
    assert "What is Luis told?" in page
    # Only "Not told" is chosen.
    assert page.count(" checked") == 1


def test_a_helper_is_told_just_what_was_chosen(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    luis = helper(db, world, world.luis)
    there = f"/patients/{world.patient}/sharing/helpers/{luis.grant_id}"
    typed = {"alerts": "y", "place": "2", "wants": ["day", "refills"]}
    assert send(rosa, there, **typed).status_code == 303
    luis = helper(db, world, world.luis)
    assert (luis.alerts, luis.ladder_place) == (True, 2)
    with db.reading() as session:
        assert accounts_wanting(session, world.patient, "day") == [world.luis]
        assert accounts_wanting(session, world.patient, "well") == []
        assert told_of(session, world.patient, besides=None) == [(world.luis, "Luis")]
    assert send(rosa, there, place="").status_code == 303
    luis = helper(db, world, world.luis)
    assert (luis.alerts, luis.ladder_place, luis.wants) == (False, None, [])


@pytest.mark.parametrize("typed", [{"place": "3"}, {"place": "", "wants": "pets"}])
def test_what_a_helper_cannot_be_told_is_refused(
    rosa: FlaskClient, db: Database, world: World, typed: dict[str, str]
) -> None:
    luis = helper(db, world, world.luis)
    there = f"/patients/{world.patient}/sharing/helpers/{luis.grant_id}"
    answer = send(rosa, there, **typed)
    assert answer.status_code == 422
    assert helper(db, world, world.luis) == luis


def test_the_patients_own_grant_is_no_helpers(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    own = min(helper(db, world, who).grant_id for who in (world.marta, world.luis)) - 1
    path = f"/patients/{world.patient}/sharing/helpers/{own}"
    assert rosa.get(path).status_code == 404
