"""Seals leave the machine, and the command that looks whether they still hold."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from jobs import runtime, seal_audit
from pillweb.accounts.models import Account
from pillweb.audit.actions import append_entry
from pillweb.audit.models import AuditEntry
from pillweb.base import config
from pillweb.base.db import Database
from pillweb.base.visits import ACCOUNT, Visit
from pillweb.outbox.models import Delivery
from tests.world import World


@pytest.fixture
def folder(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    config.settings.cache_clear()
    return tmp_path


def command(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["audit", *words])


def write(db: Database, world: World, at: datetime) -> None:
    with db.transaction() as session:
        visit = Visit(world.patient, ACCOUNT, world.luis)
        append_entry(session, visit, act="doses.post_take", ids={}, now=at)


def run_at(monkeypatch: pytest.MonkeyPatch, at: datetime) -> int:
    monkeypatch.setattr(runtime, "database_now", lambda _session: at)
    return seal_audit.run()


def test_a_seal_a_day_is_kept_mailed_once_a_week_and_verified(
    app: Flask,
    db: Database,
    world: World,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monday = datetime.fromisoformat("2026-11-23T08:00:00+00:00")
    assert run_at(monkeypatch, monday - timedelta(days=7)) == 0
    for days in (0, 1):
        at = monday + timedelta(days=days)
        write(db, world, at - timedelta(hours=1))
        assert run_at(monkeypatch, at) == 1
        assert run_at(monkeypatch, at + timedelta(hours=23)) == 0
    heads = folder / "audit-heads.txt"
    lines = heads.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["1", "2"]
    with db.reading() as session:
        mails = session.scalars(sa.select(Delivery)).all()
        admins = session.scalars(sa.select(Account.id).where(Account.is_admin)).all()
    told = [mail for mail in mails if mail.kind == "audit_seal"]
    assert [mail.account_id for mail in told] == [*admins] == [world.rosa]
    assert lines[0] in str(told[0].context)

    found = command(app, "verify")
    assert (found.exit_code, found.output) == (
        0,
        "2 entries are as they were written; 2 seals hold.\n",
    )
    other = folder / "other.txt"
    other.write_text(lines[1].replace(" 2 ", " 3 "))
    found = command(app, "verify", "--heads", str(other))
    assert found.exit_code == 1
    assert "The seal of 2026-11-24 07:50 UTC does not hold" in found.output
    other.write_text("something else")
    assert command(app, "verify", "--heads", str(other)).exit_code == 1


def test_the_command_names_the_patient_and_the_first_bad_entry(
    app: Flask, db: Database, world: World, folder: Path, now: datetime
) -> None:
    write(db, world, now)
    with db.transaction() as session:
        # Somebody writes an entry past us.
        forged = AuditEntry(
            patient_id=world.patient, seq=2, at=now, by="job", act="x", what=b"",
            prev_hash=b"", hash=b"", account_id=None, link_id=None,
        )  # fmt: skip
        session.add(forged)
    found = command(app, "verify")
    assert found.exit_code == 1
    assert found.output == (
        f"Entry 2 of patient {world.patient} was changed after it was written.\n"
    )


def test_a_database_that_was_put_back_is_told_in_every_chain(
    app: Flask, db: Database, world: World, folder: Path, now: datetime
) -> None:
    write(db, world, now)
    assert app.test_cli_runner().invoke(args=["restored"]).exit_code == 0
    with db.reading() as session:
        newest = session.scalars(
            sa.select(AuditEntry).order_by(AuditEntry.seq.desc())
        ).first()
    assert newest is not None
    assert (newest.patient_id, newest.by) == (world.patient, "command")
    assert newest.act == "commands.restored"
