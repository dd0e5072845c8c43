"""A medicine that is hidden from one who helps: they find nothing of it, and no gap."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import unified_diff
from fractions import Fraction

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from migrations.tables import metadata
from pillweb.audit.actions import append_entry
from pillweb.base.db import Database
from pillweb.base.hiding import _schema_of, counting_hidden, hide_medicines, rules_of
from pillweb.base.visits import ACCOUNT, Visit
from pillweb.base.web_db import web_database
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose, Intake
from pillweb.feeds.models import FeedLink
from pillweb.medications.models import Medication, MedicationPicture
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from pillweb.schedules.models import Plan
from pillweb.sharing.actions.hiding import hide_from
from pillweb.sharing.models import Grant, ShareLink
from pillweb.supply.actions.booking import count_supply
from pillweb.web.security import limiter
from tests.house.cast import GONE, LINK, Cast
from tests.house.good_forms import FORMS
from tests.house.policy import PERSON, POLICY
from tests.house.rows import all_rows, changed, put_back
from tests.house.test_doors import ARGUMENT
from tests.world import World, plan, prescribe

NAME = "Hiddenmycin"
# What a page says anew each time it is opened.
FRESH = re.compile(
    r'(name="(?:csrf_token|key|press)"[^>]* value=")[^"]*|CSRFToken": "[^"]*'
)
EXEMPT = {"hidden_medication": "it says what is hidden, and is asked by doors"}
HELPERS = ("marta", "luis", "nora")
# They show who looked, and looking is what the test does; or files that were finished
# before it was hidden: they show it, so they are gone.
MOVES = {
    f"GET {PERSON}/access",
    f"GET {PERSON}/reports",
    f"GET {PERSON}/reports/<int:report_id>.pdf",
    f"GET {PERSON}/papers/week",
    f"GET {PERSON}/papers/<int:paper_id>",
    f"GET {PERSON}/papers/<int:paper_id>.pdf",
    f"GET {PERSON}/export",
    f"GET {PERSON}/export/<int:taken_id>.zip",
}
# What a hidden thing's id may stand for in an address.
HIDEABLE = {"medication_id", "dose_id", "intake_id", "picture_key"}


@dataclass(frozen=True)
class Hidden:
    """The ids of a medicine that is hidden, and of what belongs to it."""

    medication_id: int
    dose_id: int
    intake_id: int
    picture_key: str


def add_hidden(session: Session, world: World, *, now: datetime) -> Hidden:
    """Let Rosa take a medicine at odd times, with a row of everything."""
    patient = session.get_one(Patient, world.patient)
    medicine = prescribe(
        session, patient, "03:17", "08:03", "15:43", now=now, name=NAME
    )
    medicine.picture_key = "picture-of-hidden"
    session.add(
        MedicationPicture(
            patient_id=patient.id,
            medication_id=medicine.id,
            key=medicine.picture_key,
            crop="middle",
            whole=NAME.encode(),
            small=NAME.encode(),
            made_at=now,
        )
    )
    plan(session, patient, now=now)
    doses = session.scalars(
        sa.select(Dose).where(Dose.medication_id == medicine.id).order_by(Dose.due_at)
    ).all()
    mark_taken(
        session,
        [doses[0].id],
        patient_id=patient.id,
        account_id=world.rosa,
        channel="page",
        now=now,
    )
    intake = Intake(
        patient_id=patient.id,
        medication_id=medicine.id,
        taken_at=now - timedelta(minutes=2),
        entered_at=now,
        channel="page",
        key="key of hidden",
        why=f"{NAME} why",
    )
    session.add(intake)
    count_supply(
        session, medicine, counted=Fraction(3), account_id=None, press=None, now=now
    )
    session.flush()
    append_entry(
        session,
        Visit(patient.id, ACCOUNT, world.rosa, is_own=True),
        act="doses.post_undo",
        ids={"patient_id": patient.id, "dose_id": doses[0].id},
        now=now,
    )
    return Hidden(medicine.id, doses[0].id, intake.id, medicine.picture_key)


def hide(session: Session, world: World, hidden: Hidden, *, now: datetime) -> None:
    """Hide the medicine from everybody who helps Rosa."""
    accounts = [world.marta, world.luis, world.nora]
    hide_from(
        session,
        patient_id=world.patient,
        medication_id=hidden.medication_id,
        account_ids=accounts,
        among=accounts,
        now=now,
    )


@pytest.fixture
def hidden(db: Database, world: World, now: datetime) -> Hidden:
    """A medicine of Rosa's that is hidden from all her helpers."""
    with db.transaction() as session:
        found = add_hidden(session, world, now=now)
        hide(session, world, found, now=now)
    return found


def reaching() -> set[str]:
    """Return the tables whose rows are of a medicine, however far away."""
    found = {"medication"}
    while more := {
        name
        for name, table in metadata.tables.items()
        for key in table.foreign_keys
        if key.column.table.name in found and name not in found
    }:
        found |= more
    return found


def test_every_table_that_is_of_a_medicine_leaves_out_what_is_hidden() -> None:
    assert reaching() <= rules_of("", "0", 0).keys() | EXEMPT.keys()
    named = {name for name, one in metadata.tables.items() if "medication_id" in one.c}
    assert named <= rules_of("", "0", 0).keys() | EXEMPT.keys()


def test_postgres_itself_leaves_it_out(
    db: Database, world: World, hidden: Hidden
) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no policies")
    with web_database().reading() as session:
        connection = session.connection()
        connection.execute(
            sa.text(
                "select set_config('app.patients', :who, true),"
                " set_config('app.hidden', :ids, true)"
            ),
            {"who": f"{{{world.patient}}}", "ids": f"{{{hidden.medication_id}}}"},
        )
        for name in (*rules_of("", "0", 0), "dose"):
            table = metadata.tables[name]
            if "medication_id" in table.c:
                of_it = table.c.medication_id == hidden.medication_id
                assert not connection.execute(sa.select(table).where(of_it)).all(), name


@pytest.fixture
def paths(cast: Cast) -> list[tuple[str, str]]:
    """Every page of Rosa's, as (route, path)."""
    found = []
    for route in POLICY:
        method, rule = route.split()
        arguments = set(ARGUMENT.findall(rule))
        if method == "GET" and rule.startswith(PERSON):
            owners = dict.fromkeys(arguments, "rosa")
            found.append((route, cast.url(rule, owners)))
    found.append(("GET /ics/<token>", cast.url("/ics/<token>", {"token": "rosa"})))
    return found


def seen(
    app: Flask, cast: Cast, person: str, paths: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield what each page says to a person, without what is new each time."""
    for route, path in paths:
        limiter.reset()
        answer = cast.open(app, person, "GET", path)
        text = answer.data.decode(errors="replace")
        yield route, f"{answer.status_code} {FRESH.sub('', text)}"


@pytest.mark.parametrize("person", HELPERS)
def test_whoever_it_is_hidden_from_sees_what_they_would_see_without_it(  # noqa: PLR0917 - fixtures
    person: str,
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
    paths: list[tuple[str, str]],
    now: datetime,
) -> None:
    with db.transaction() as session:
        # That there is a newer plan is told of papers that were printed.
        session.get_one(Patient, world.patient).plan_revision += 1
        for row in (FeedLink, ShareLink):
            session.execute(sa.update(row).values(made_by_id=world.marta))
    list(seen(app, cast, person, paths))
    without = dict(seen(app, cast, person, paths))
    with db.transaction() as session:
        found = add_hidden(session, world, now=now)
    shown = {
        route
        for route, text in seen(app, cast, person, paths)
        if NAME.casefold() in text.casefold()
    }
    assert shown
    with db.transaction() as session:
        hide(session, world, found, now=now - timedelta(days=2))
    wrong = []
    for route, text in seen(app, cast, person, paths):
        if NAME.casefold() in text.casefold():
            wrong.append(f"{route} names it")
        elif route not in MOVES and text != without[route]:
            lines = (without[route].splitlines(), text.splitlines())
            wrong += [route, *unified_diff(*lines, lineterm="", n=0)]
    assert not wrong, "\n".join(wrong)


def test_the_patient_and_her_tablet_see_it(
    app: Flask, cast: Cast, hidden: Hidden, world: World
) -> None:
    for person in ("rosa", "tablet"):
        text = cast.open(app, person, "GET", f"/patients/{world.patient}/today").text
        assert NAME in text, person


@pytest.mark.parametrize("person", ["marta", "luis"])
def test_nothing_of_it_can_be_told_from_what_is_not_there(
    person: str, app: Flask, db: Database, cast: Cast, hidden: Hidden
) -> None:
    wrong, kept = [], all_rows(db)
    for route in POLICY:
        method, rule = route.split()
        arguments = ARGUMENT.findall(rule)
        if not rule.startswith(PERSON) or not HIDEABLE & set(arguments):
            continue
        answers = []
        for things in (vars(hidden), dict.fromkeys(HIDEABLE, GONE)):
            values = {
                name: {"rosa": things.get(name, thing["rosa"])}
                for name, thing in cast.values.items()
            }
            tried = Cast(cast.people, values, cast.tokens)
            path = tried.url(rule, dict.fromkeys(arguments, "rosa"))
            limiter.reset()
            answer = tried.open(app, person, method, path, FORMS.get(route))
            text = FRESH.sub("", answer.text).replace(path, "")
            answers.append((answer.status_code, text))
        if answers[0] != answers[1] or answers[0][0] < 400:
            wrong.append(f"{route}: {[code for code, _ in answers]}")
        if method == "POST" and (moved := changed(kept, all_rows(db))):
            wrong.append(f"{route} changed {moved}")
            put_back(db, kept)
    assert not wrong, "\n".join(wrong)


def test_taking_all_takes_nothing_of_it(
    app: Flask, db: Database, cast: Cast, hidden: Hidden, world: World
) -> None:
    with db.reading() as session:
        ids = session.scalars(
            sa.select(Dose.id).where(Dose.medication_id == hidden.medication_id)
        ).all()
    data = {"dose": [str(one) for one in ids]}
    before = all_rows(db)["dose"]
    cast.open(app, "marta", "POST", f"/patients/{world.patient}/today", data)
    assert all_rows(db)["dose"] == before


def test_a_link_that_a_helper_made_shows_as_little(
    app: Flask, db: Database, cast: Cast, hidden: Hidden, world: World
) -> None:
    path = f"/shared/{world.link}/today"
    assert "8.03am" in cast.open(app, LINK, "GET", path).text
    with db.transaction() as session:
        session.execute(sa.update(ShareLink).values(made_by_id=world.marta))
    assert "8.03am" not in cast.open(app, LINK, "GET", path).text


def test_no_helper_is_told_of_it_and_the_patient_is(
    db: Database, world: World, hidden: Hidden, now: datetime
) -> None:
    with db.transaction() as session:
        session.execute(
            sa.update(Grant)
            .where(Grant.account_id == world.marta)
            .values(ladder_place=1)
        )
        session.execute(
            sa.update(Medication)
            .where(Medication.id == hidden.medication_id)
            .values(category="time_critical")
        )
        session.execute(sa.delete(Reminder).where(Reminder.patient_id != world.patient))
    for minutes in range(460, 640, 10):
        with db.transaction() as session:
            fire_reminders(session, now=now + timedelta(minutes=minutes), limit=10)
    with db.reading() as session:
        told = session.execute(
            sa.text(
                "select distinct recipient, kind from delivery_dose join dose on"
                " dose.id = dose_id where medication_id = :id"
            ),
            {"id": hidden.medication_id},
        ).all()
    assert {row.kind for row in told} == {"dose_due"}


def test_only_the_patient_herself_hides_and_shows(
    app: Flask, db: Database, cast: Cast, hidden: Hidden, world: World
) -> None:
    path = f"/patients/{world.patient}/medicines/{world.medication}/who-sees"
    for person in (*HELPERS, "eve", "tablet", LINK):
        assert cast.open(app, person, "GET", path).status_code in {
            303,
            401,
            403,
            404,
        }, person
        answer = cast.open(app, person, "POST", path, {"hidden": []})
        assert answer.status_code in {302, 303, 401, 403, 404}, person
    with db.reading() as session:
        grant = session.scalar(
            sa.select(Grant.id).where(Grant.account_id == world.marta)
        )
    today = f"/patients/{world.patient}/medicines"
    assert (
        cast.open(app, "rosa", "POST", path, {"hidden": str(grant)}).status_code == 303
    )
    assert "checked" in cast.open(app, "rosa", "GET", path).text
    marked = f'id="m{world.medication}"'
    assert marked not in cast.open(app, "marta", "GET", today).text
    record = f"/patients/{world.patient}/access"
    assert "chose who sees a medicine" in cast.open(app, "rosa", "GET", record).text
    assert "chose who sees" not in cast.open(app, "marta", "GET", record).text
    cast.open(app, "rosa", "POST", path, {"hidden": []})
    assert marked in cast.open(app, "marta", "GET", today).text


def test_what_is_too_much_counts_what_is_hidden(
    db: Database, world: World, hidden: Hidden
) -> None:
    with db.reading() as session:
        hide_medicines(session, [hidden.medication_id], account_id=world.marta)
        mine = sa.select(Medication.name).where(Medication.id == hidden.medication_id)
        plans = sa.select(Plan.id).where(Plan.medication_id == hidden.medication_id)
        assert session.scalars(mine).all() == []
        with counting_hidden(session):
            assert session.scalars(mine).all() == [NAME]
            assert session.scalars(plans).all()
        assert session.scalars(mine).all() == []
        # A new transaction hides it as well.
        session.rollback()
        assert session.scalars(mine).all() == []


def test_tables_are_found_where_they_are_whatever_is_looked_through_first(
    db: Database,
) -> None:
    with db.writing() as session:
        if db.engine.dialect.name == "postgresql":
            session.execute(sa.text("create schema before_ours"))
            session.execute(sa.text("set local search_path to before_ours, public"))
        found = {"sqlite": "main", "postgresql": "public"}
        assert _schema_of(session.connection()) == found[db.engine.dialect.name]
