"""Pages about what is left: recorded by whoever may, told in plain words."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import Line, Prn, PrnLimit
from pillweb.supply.forms import read_quantity
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.supply.queries.ledger import balances_of
from tests.world import World, csrf_of, plan, prescribe, signed_in

DAY = timedelta(days=1)


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def url(world: World, rest: str = "") -> str:
    return f"/patients/{world.patient}/supply{rest}"


def press(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    token = csrf_of(client, "/people/new")
    return client.post(path, data={"csrf_token": token, **typed})


def say(client: FlaskClient, world: World, what: str, **typed: str) -> TestResponse:
    answer = press(client, url(world, f"/{world.medication}/{what}"), **typed)
    assert answer.status_code in {303, 422}
    return answer


def balance(db: Database, world: World) -> Fraction | None:
    with db.reading() as session:
        return balances_of(session, world.patient).get(world.medication)


def test_a_family_counts_takes_gets_and_loses(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    assert "Not counted yet." in rosa.get(url(world)).text
    say(rosa, world, "counted", amount="10")
    with db.reading() as session:
        dose = session.scalars(
            sa.select(Dose.id)
            .where(Dose.patient_id == world.patient)
            .order_by(Dose.due_at)
        ).first()
    press(rosa, f"/patients/{world.patient}/doses/{dose}/take")
    say(rosa, world, "received", amount="28")
    say(rosa, world, "gone", amount="2 1/3", cause="lost", note="Under the sofa")
    assert balance(db, world) == Fraction(104, 3)
    page = rosa.get(url(world, f"/{world.medication}")).text
    for words in (
        "34 2/3 tablets",
        "Enough until the end of Sunday 6 December.",
        "Received: +28 tablets",
        "Taken: \u22121 tablet",
        "Lost: \u22122 1/3 tablets",
        "Under the sofa",
        "Left after it: <bdi>37 tablets</bdi>",
        "Friday 20 November at 8.05am, <bdi>Rosa</bdi>",
        "Counted 10 tablets.",
    ):
        assert words in page, words


def test_the_same_form_twice_is_one_entry(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    for _ in range(2):
        say(rosa, world, "received", amount="28", press="one form")
    assert balance(db, world) == 28
    say(rosa, world, "received", amount="28", press="another form")
    assert balance(db, world) == 56


def test_the_form_itself_tells_two_presses_from_two_forms(
    rosa: FlaskClient, world: World
) -> None:
    path = url(world, f"/{world.medication}/counted")
    keys = {rosa.get(path).text.split('name="press"')[1][:80] for _ in range(2)}
    assert len(keys) == 2


def test_packs_and_repeats_are_asked_where_they_are_known(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    path = url(world, f"/{world.medication}/received")
    assert "Packs of" not in rosa.get(path).text
    say(
        rosa,
        world,
        "refill",
        pack_size="28",
        repeats_left="2",
        lead_days="5",
        fetcher=str(world.marta),
    )
    assert "Packs of 28" in rosa.get(path).text
    say(rosa, world, "received", amount="2", counted_in="packs", uses_repeat="y")
    assert balance(db, world) == 56
    with db.reading() as session:
        stock = session.get_one(Stock, world.medication)
    assert (stock.repeats_left, stock.lead_days) == (1, 5)
    assert (stock.pack_size, stock.fetcher_id) == (Decimal(28), world.marta)
    assert "1 repeat is left." in rosa.get(url(world, f"/{world.medication}")).text


def test_only_people_of_the_patient_can_be_chosen_to_fetch(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    for who in (str(world.eve), "", "everybody"):
        answer = say(rosa, world, "refill", lead_days="3", fetcher=who)
        assert answer.status_code == 422
    with db.reading() as session:
        assert session.get(Stock, world.medication) is None


@pytest.mark.parametrize(
    ("what", "typed", "sentence"),
    [
        ("received", {"amount": ""}, "Write how many."),
        ("received", {"amount": "0"}, "Write a number above 0."),
        ("received", {"amount": "many"}, "Write a number"),
        ("received", {"amount": "-3"}, "must be more than 0"),
        ("counted", {"amount": "1.000"}, "can be read in two ways"),
        ("counted", {"amount": "99999"}, "too large"),
        ("counted", {"amount": "99999 1/2"}, "too large"),
        ("counted", {"amount": "1/0"}, "Write a number"),
        ("gone", {"amount": "2"}, "Choose what happened."),
        ("refill", {"lead_days": "soon", "fetcher": "patient"}, "a whole number"),
        (
            "refill",
            {"lead_days": "3", "fetcher": "patient", "repeats_left": "100"},
            "from 0 to 99",
        ),
    ],
)
def test_what_cannot_be_is_said_plainly_and_changes_nothing(
    what: str,
    typed: dict[str, str],
    sentence: str,
    *,
    rosa: FlaskClient,
    db: Database,
    world: World,
) -> None:
    answer = say(rosa, world, what, **typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    with db.reading() as session:
        assert session.scalars(sa.select(SupplyEntry)).all() == []


@pytest.mark.parametrize(
    ("typed", "quantity"),
    [
        ("0", Fraction(0)),
        ("27", Fraction(27)),
        ("27,5", Fraction(55, 2)),
        ("27\u00bd", Fraction(55, 2)),
        ("1/3", Fraction(1, 3)),
        (" 27 1/3 ", Fraction(82, 3)),
        ("\u0662\u0667", Fraction(27)),
    ],
)
def test_a_quantity_is_read_as_people_write_it(typed: str, quantity: Fraction) -> None:
    assert read_quantity(typed) == quantity


def test_the_first_to_run_out_stands_on_top_with_a_warning_in_words(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        other = prescribe(session, patient, "12:00", now=now, name="Aspirin")
        prescribe(session, patient, "12:00", now=now, name="Zinc")
        plan(session, patient, now=now)
    say(rosa, world, "counted", amount="100")
    press(rosa, url(world, f"/{other.id}/counted"), amount="3")
    page = rosa.get(url(world)).text
    places = [page.index(name) for name in ("Aspirin", "Amlodipine", "Zinc")]
    assert places == sorted(places)
    assert page.count("Get more now. It takes 3 days.") == 1
    assert "Enough until the end of Sunday 22 November." in page


def test_what_to_pack_says_what_is_missing(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    limit = PrnLimit(Decimal(24), doses=4)
    line = Line("prn", prn=Prn(max=limit), dose=read_dose("2 tablets"))
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        other = prescribe(session, patient, "12:00", now=now, name="Paracetamol")
        set_plan(session, other, lines=[line], author_id=None, now=now)
    say(rosa, world, "counted", amount="10")
    asked = "?from=2026-11-22&to=2026-11-28&spare=3"
    page = rosa.get(url(world, f"/pack{asked}")).text
    # Ten days, twice a day; this morning's and three more before it.
    assert "Pack 20 tablets." in page
    assert "You use 4 tablets before you go. Get 14 tablets more" in page
    # Ten days, four times two.
    assert "Pack 80 tablets." in page
    assert "Sunday 22 November to Saturday 28 November, and 3 days to spare" in page


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("?from=2026-11-19&to=2026-11-28", "The first day has passed."),
        ("?from=2026-11-28&to=2026-11-22", "The last day is before the first day."),
        ("?from=2026-11-28&to=2028-11-22", "within a year"),
        ("?from=&to=2026-11-28", "Choose the first day."),
        ("?from=2026-11-22&to=2026-11-28&spare=99", "from 0 to 30"),
        ("?from=2026-11-22&to=nowhere", "Not a valid date"),
    ],
)
def test_a_journey_that_cannot_be_is_said_plainly(
    asked: str, sentence: str, rosa: FlaskClient, world: World
) -> None:
    answer = rosa.get(url(world, f"/pack{asked}"))
    assert answer.status_code == 422
    assert sentence in answer.text


def test_who_may_only_look_is_offered_nothing_to_press(
    app: Flask, db: Database, world: World, now: datetime, rosa: FlaskClient
) -> None:
    say(rosa, world, "counted", amount="10")
    nora = signed_in(app, world.nora, now=now)
    page = nora.get(url(world, f"/{world.medication}")).text
    assert "10 tablets" in page
    assert "I counted" not in page
    assert "How more is got" not in page
    luis = signed_in(app, world.luis, now=now)
    page = luis.get(url(world, f"/{world.medication}")).text
    assert "I counted" in page
    assert "How more is got" not in page
