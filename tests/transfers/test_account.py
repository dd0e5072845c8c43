"""What PillWeb knows of an account, and of no other."""

import json
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask

from migrations.tables import metadata
from pillweb.accounts.models import (
    Account,
    OidcIdentity,
    PrintedCode,
    RecoveryHelper,
    WebSession,
)
from pillweb.accounts.rules import MYSELF, STORING
from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_own_contact
from pillweb.transfers.queries.account import KEPT
from tests.world import World, signed_in

# Tables that name an account and are not of it, or hold nothing that can be read.
NOT_OF_IT = {
    "account_link": "secrets, as hashes",
    "sign_in_mail": "secrets, as hashes",
    "oidc_try": "secrets, for some minutes",
    "audit_entry": "of the patient: their record tells it",
    "taken_out": "the file itself",
    "brought_in": "gone in a day",
}


def test_every_table_of_an_account_is_told_or_is_not_of_it() -> None:
    """A new table fails here until somebody says whether it is told."""
    told = {one.model.__tablename__ for one in KEPT.values()}
    named = {
        table.name
        for table in metadata.tables.values()
        if "account_id" in table.columns and "patient_id" not in table.columns
    }
    assert named <= told | NOT_OF_IT.keys(), named - told - NOT_OF_IT.keys()


def test_no_secret_is_told() -> None:
    """Random bytes, hashes and keys are for nobody to read (39)."""
    for name, one in KEPT.items():
        columns = sa.inspect(one.model).columns
        for column in one.columns:
            assert not isinstance(columns[column].type, sa.LargeBinary), name
            assert not column.endswith(("_hash", "_index", "verifier")), name


def test_ways_in_and_what_was_agreed_to_are_told(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    """To whom they are of, and to whom they name."""
    with db.transaction() as session:
        for account_id, helper_id in (
            (world.luis, world.rosa),
            (world.rosa, world.luis),
            (world.eve, world.nora),
        ):
            session.add(
                OidcIdentity(
                    account_id=account_id,
                    issuer=f"https://{account_id}.example",
                    subject_index=bytes([account_id]) * 32,
                    made_at=now,
                )
            )
            session.add(
                RecoveryHelper(account_id=account_id, helper_id=helper_id, named_at=now)
            )
            session.add(
                PrintedCode(account_id=account_id, place=1, code_hash="x", made_at=now)
            )
    told = signed_in(app, world.luis, now=now).get("/account/data.json").get_json()
    at = now.isoformat()
    issuer = f"https://{world.luis}.example"
    assert told["providers"] == [
        {"issuer": issuer, "made_at": at, "last_used_at": None}
    ]
    assert told["trusted"] == [{"helper_id": world.rosa, "named_at": at}]
    assert told["trusted_by"] == [{"account_id": world.rosa, "named_at": at}]
    assert told["printed_codes"] == [{"made_at": at, "used_at": None}]
    assert [(one["about"], one["how"]) for one in told["agreed"]] == [(STORING, MYSELF)]


def test_it_tells_of_oneself_alone(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        for account_id in (world.luis, world.eve):
            account = session.get_one(Account, account_id)
            add_own_contact(session, account, now=now)
    luis = signed_in(app, world.luis, now=now)
    assert "What PillWeb knows of you" in luis.get("/account/data").text
    answer = luis.get("/account/data.json")
    told = json.loads(answer.text)
    assert [one["email"] for one in told["account"]] == ["luis@family.example"]
    assert [one["patient_id"] for one in told["access"]] == [world.patient]
    assert [one["address"] for one in told["addresses"]] == ["luis@family.example"]
    assert len(told["sessions"]) == 1
    for other in ("eve@", "rosa@", "Amlodipine", "token", "hash"):
        assert other not in answer.text


def test_who_was_not_asked_lately_is_asked_again(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    """Not for whoever finds an open tablet (42)."""
    luis = signed_in(app, world.luis, now=now)
    with db.transaction() as session:
        session.execute(sa.update(WebSession).values(proved_at=now - timedelta(1)))
    answer = luis.get("/account/data.json")
    assert (answer.status_code, answer.location[:14]) == (303, "/sign-in/again")
