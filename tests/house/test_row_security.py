"""Postgres itself keeps a patient's rows from a page that was not let in."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from migrations.tables import metadata
from pillweb.base.config import settings
from pillweb.base.db import Database
from pillweb.base.roles import LESS, make_web_role
from pillweb.base.sight import let_see, let_see_as, seeing_everybody
from pillweb.base.viewer import Viewer
from pillweb.base.web_db import WEB_ROLE, make_web_engine, web_database
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.sharing.models import Grant
from tests.conftest import NOW, use_settings
from tests.house.sight import AS_OWNER, OPEN, SEES_EVERYBODY
from tests.house.source import name_of, python_files
from tests.world import World, signed_in

LOOKS = re.compile(r"\bsee(?:ing)?_everybody\(")
OWNERS = re.compile(r"\bdatabase\(\)")


@pytest.fixture
def postgres(db: Database) -> Database:
    """The database, where it is Postgres."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no roles: there the doors are the only lock")
    return db


@pytest.fixture
def web(postgres: Database, world: World) -> Iterator[Session]:
    """A writing session as pages have it, with the cast in the database."""
    with web_database().writing() as session:
        yield session


@pytest.fixture
def raw(postgres: Database, world: World) -> Iterator[Connection]:
    """A connection as the role of pages, to which nobody told anything."""
    with web_database().engine.connect() as connection:
        yield connection


def protected(connection: Connection) -> set[str]:
    """Return the tables whose rows are kept back, each by a policy."""
    found = connection.execute(
        sa.text(
            "select relname from pg_class join pg_policy on polrelid = pg_class.oid"
            " where relrowsecurity"
        )
    )
    return set(found.scalars())


def test_every_table_keeps_patients_rows_back_or_says_why_not(raw: Connection) -> None:
    """(45)"""
    kept = protected(raw)
    assert kept | OPEN.keys() == set(metadata.tables)
    assert not kept & OPEN.keys()
    assert [
        name
        for name, table in metadata.tables.items()
        if "patient_id" in table.c and name not in kept
    ] == []


def test_pages_act_as_the_role_that_owns_nothing(raw: Connection) -> None:
    """(55)"""
    assert raw.scalar(sa.text("select current_user")) == WEB_ROLE
    owned = sa.text(
        "select relname from pg_class where pg_get_userbyid(relowner) = :role"
    )
    assert raw.scalars(owned, {"role": WEB_ROLE}).all() == []
    flags = "rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin"
    may = sa.text(f"select {flags} from pg_roles where rolname = :role")  # noqa: S608
    assert raw.scalar(may, {"role": WEB_ROLE}) is False


def test_who_was_told_of_nobody_sees_nobody(db: Database, raw: Connection) -> None:
    """(45)"""
    with db.engine.connect() as owner:
        rows = {
            name: owner.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in metadata.tables.items()
        }
    assert rows["dose"]
    for name in protected(raw):
        table = metadata.tables[name]
        seen = sa.select(sa.func.count()).select_from(table)
        if "patient_id" in table.c:
            seen = seen.where(table.c.patient_id.is_not(None))
        elif name in {"attempt", "contact_test", "stop_link"}:
            continue  # of helpers' messages, too
        assert raw.scalar(seen) == 0, name


def test_nobody_elses_rows_are_changed_deleted_or_added(
    web: Session, world: World, now: datetime
) -> None:
    """(45)"""
    let_see(web, world.other_patient)
    mine = sa.update(Medication).where(Medication.patient_id == world.patient)
    assert web.execute(mine.values(picture_key=None)).rowcount == 0  # type: ignore[attr-defined]
    gone = sa.delete(Grant).where(Grant.patient_id == world.patient)
    assert web.execute(gone).rowcount == 0  # type: ignore[attr-defined]
    theirs = sa.update(Medication).where(Medication.id == world.other_medication)
    with pytest.raises(ProgrammingError, match="row-level security"):
        web.execute(theirs.values(patient_id=world.patient))


def test_a_row_for_somebody_else_is_refused(
    web: Session, world: World, now: datetime
) -> None:
    """(45)"""
    let_see_as(web, Viewer(world.eve, 1, "Eve", "eve@family.example", now))
    web.add(
        Grant(
            account_id=world.eve,
            patient_id=world.patient,
            level=3,
            role="caregiver",
            status="accepted",
            created_at=now,
        )
    )
    # Her own grants an account may see; only where a door was opened are they given.
    with pytest.raises(ProgrammingError, match="row-level security"):
        web.flush()


@pytest.mark.parametrize(
    ("grant", "sees"),
    [
        ({"status": "accepted", "ends_at": None}, True),
        ({"status": "accepted", "ends_at": NOW + timedelta(seconds=1)}, True),
        ({"status": "accepted", "ends_at": NOW}, False),
        ({"status": "pending", "ends_at": None}, False),
        ({"status": "ended", "ends_at": None}, False),
    ],
)
def test_an_account_sees_whom_it_was_granted_as_long_as_it_holds(
    grant: dict[str, object], db: Database, web: Session, world: World, *, sees: bool
) -> None:
    """(45)"""
    with db.transaction() as session:
        mine = sa.update(Grant).where(Grant.account_id == world.nora)
        session.execute(mine.values(**grant))
    let_see_as(web, Viewer(world.nora, 1, "Nora", "nora@family.example", NOW))
    expected = [world.patient] if sees else []
    assert web.scalars(sa.select(Patient.id)).all() == expected


def test_what_was_told_ends_with_the_transaction(
    postgres: Database, world: World
) -> None:
    """(45)"""
    for is_lost in (False, True):
        with web_database().writing() as session:
            let_see(session, world.patient)
            with seeing_everybody(session):
                assert len(session.scalars(sa.select(Patient.id)).all()) == 2
            assert session.scalars(sa.select(Patient.id)).all() == [world.patient]
            if is_lost:
                with pytest.raises(DBAPIError):
                    session.execute(sa.text("select 1 / 0"))
                session.rollback()
            else:
                session.commit()
            # The same session goes on with what it was told; the connection forgot.
            assert session.scalars(sa.select(Patient.id)).all() == [world.patient]
        with web_database().writing() as session:
            assert session.scalars(sa.select(Patient.id)).all() == []
            told = sa.text("select current_setting('app.patients', true)")
            assert not session.scalar(told)


def test_a_connection_is_clean_after_a_request(
    app: Flask, postgres: Database, world: World, now: datetime, pinned: object
) -> None:
    """(45)"""
    client = signed_in(app, world.marta, now=now)
    path = f"/patients/{world.patient}/today"
    assert client.get(path).status_code == 200
    assert client.post(path, data={}).status_code >= 400
    pool = [web_database().engine.connect() for _ in range(3)]
    for connection in pool:
        assert connection.scalar(sa.select(sa.func.count(Patient.id))) == 0
        connection.close()


def test_a_page_that_forgets_to_ask_whose_shows_only_granted_rows(
    app: Flask, postgres: Database, world: World, now: datetime, pinned: object
) -> None:
    """(45)"""
    from pillweb.web.transaction import session as page_session  # noqa: PLC0415
    from pillweb.web.viewer import current_viewer  # noqa: PLC0415

    client = signed_in(app, world.marta, now=now)
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    with app.test_request_context("/people"):
        from flask import session as cookie  # noqa: PLC0415

        assert page_session().scalars(sa.select(Medication.id)).all() == []
        cookie["_user_id"] = token
        assert current_viewer()
        seen = page_session().scalars(sa.select(Medication.id)).all()
        assert seen == [world.medication]


def test_reading_is_kept_from_writing_by_postgres_too(
    postgres: Database, world: World
) -> None:
    """(19)"""
    with web_database().reading() as session:
        let_see(session, world.patient)
        with pytest.raises(DBAPIError, match="read-only transaction"):
            session.execute(sa.text("update patient set zone = 'UTC'"))


@pytest.mark.parametrize(
    "statement",
    [
        "create table hole (id int)",
        "alter table patient disable row level security",
        "drop policy of_patient on patient",
        "alter table audit_entry disable trigger all",
        "update audit_entry set act = 'nothing'",
        "delete from audit_entry",
        "truncate audit_entry",
        "update alembic_version set version_num = 'none'",
        "create role somebody superuser",
        "create function hole() returns int language sql as 'select 1'",
    ],
)
def test_the_role_changes_no_schema_and_no_record(
    raw: Connection, statement: str
) -> None:
    """(55)"""
    with pytest.raises(DBAPIError) as refused:
        raw.execute(sa.text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_the_role_may_in_each_table_what_is_listed(raw: Connection) -> None:
    """(55)"""
    verbs = ("select", "insert", "update", "delete")
    for name in metadata.tables:
        wanted = LESS.get(name, ", ".join(verbs)).split(", ")
        may = sa.text("select has_table_privilege(:name, :verb)")
        found = [v for v in verbs if raw.scalar(may, {"name": name, "verb": v})]
        assert found == wanted, name


def test_a_view_is_read_with_the_rights_of_who_asks(
    postgres: Database, world: World
) -> None:
    """(45)"""
    with postgres.engine.connect() as owner:
        views = sa.text(
            "select relname from pg_class where relkind in ('v', 'm')"
            " and relnamespace = current_schema()::regnamespace"
        )
        assert owner.scalars(views).all() == []
        owner.execute(sa.text("create view ordinary as select * from patient"))
        invoker = "create view asking with (security_invoker=true) as"
        owner.execute(sa.text(f"{invoker} select * from patient"))  # noqa: S608
        make_web_role(owner)
        owner.execute(sa.text(f"set local role {WEB_ROLE}"))
        assert owner.scalar(sa.text("select count(*) from asking")) == 0
        with pytest.raises(ProgrammingError, match="permission denied"):
            owner.execute(sa.text("select count(*) from ordinary"))


@pytest.fixture
def plain(postgres: Database) -> Iterator[sa.URL]:
    """The address of the database by a login that may nothing."""
    with postgres.engine.begin() as owner:
        owner.execute(sa.text("create role plain login password 'word'"))
    yield postgres.engine.url.set(username="plain", password="word")
    with postgres.engine.begin() as owner:
        owner.execute(sa.text("drop role plain"))


def as_page(url: sa.URL, asked: str) -> object:
    engine = make_web_engine(url.render_as_string(hide_password=False))
    try:
        with engine.connect() as connection:
            return connection.scalar(sa.text(asked))
    finally:
        engine.dispose()


def test_a_login_of_the_pages_own_takes_on_the_role_and_cannot_give_it_up(
    postgres: Database, plain: sa.URL, world: World
) -> None:
    """(55)"""
    with postgres.engine.begin() as owner:
        owner.execute(sa.text(f"grant {WEB_ROLE} to plain"))
    assert as_page(plain, "select current_user") == WEB_ROLE
    assert as_page(plain, "select count(*) from patient") == 0
    with pytest.raises(ProgrammingError, match="permission denied"):
        as_page(plain, "set role postgres")


def test_a_login_that_is_no_member_is_told_of(
    plain: sa.URL,
) -> None:
    """(55)"""
    with capture_logs() as logs:
        assert as_page(plain, "select current_user") == "plain"
    assert logs[0]["event"] == "database_role_missing"


def test_a_login_that_may_not_make_the_role_is_told_what_to_do(
    app: Flask, plain: sa.URL
) -> None:
    """(55)"""
    before = settings().database_url
    use_settings(DATABASE_URL=plain.render_as_string(hide_password=False))
    try:
        told = app.test_cli_runner().invoke(args=["database-roles"])
    finally:
        use_settings(DATABASE_URL=before)
    assert told.exit_code == 1
    assert f'grant {WEB_ROLE} to "plain";' in told.output


def test_the_roles_can_be_made_again(app: Flask, db: Database) -> None:
    told = app.test_cli_runner().invoke(args=["database-roles"])
    assert told.exit_code == 0, told.output


def test_who_looks_at_everybodys_rows_is_listed() -> None:
    """(45)"""
    words = {name_of(file): file.read_text() for file in python_files("pillweb")}
    counts = {
        name.removeprefix("pillweb/"): len(LOOKS.findall(text))
        for name, text in words.items()
        if not name.endswith("base/sight.py")
    }
    assert {name: count for name, count in counts.items() if count} == SEES_EVERYBODY


def test_pages_use_no_database_but_the_one_of_pages() -> None:
    """(55)"""
    found = [
        name_of(file)
        for file in python_files("pillweb")
        if OWNERS.search(file.read_text()) and name_of(file) not in AS_OWNER
    ]
    assert found == []
