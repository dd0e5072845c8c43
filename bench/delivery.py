"""From due to accepted: what does the outbox cost beside bare smtplib?"""

import smtplib
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path

from sqlalchemy import TextClause, func, select, text, update
from sqlalchemy.orm import Session

from bench.people import add_medicines
from bench.place import SQLITE, database_kinds, new_database, use_settings
from bench.sink import smtp_sink
from bench.table import Answer
from jobs import deliver, fire_reminders, line
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.channels import Message
from pillweb.channels.email import to_mail
from pillweb.contacts.actions.adding import add_contact
from pillweb.doses.actions.planning import plan_doses
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.actions.sending import claim_deliveries
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.actions import add_patient
from pillweb.reminders.actions.arming import arm_reminders
from pillweb.reminders.models import Reminder

AT_ONCE = 200
ROUNDS = 7
CLAIM_ROUNDS = 40
AGO = timedelta(minutes=10)

BARE_CLAIM = """
update delivery set state = 'leased', lease_id = :lease, lease_until = :until,
  attempts = attempts + 1
where id in (
  select id from delivery where state = 'pending' and next_at <= :now
  order by next_at limit :limit {lock})
returning *
"""


def answer(folder: Path) -> Answer:
    """Measure it on every database there is."""
    found = Answer("delivery")
    with smtp_sink() as port:
        for kind in database_kinds():
            with new_database(kind, folder):
                use_settings(SMTP_URL=f"smtp://127.0.0.1:{port}?tls=off")
                _measure_sending(found, kind, port)
                _measure_claims(found, kind)
                use_settings(SMTP_URL="")
    return found


def make_due(
    session: Session, *, at: datetime, first: int, count: int = AT_ONCE
) -> None:
    """Add patients whose medicine is due now."""
    clock = f"{at - AGO:%H:%M}"
    patients = []
    for number in range(first, first + count):
        patient = add_patient(
            session,
            name=f"Patient {number}",
            zone="Etc/UTC",
            now=at - AGO,
        )
        add_contact(
            session,
            channel="email",
            address=f"patient{number}@example.org",
            patient_id=patient.id,
            is_proven=True,
            now=at - AGO,
        )
        add_medicines(session, patient.id, [[clock]], now=at - AGO)
        patients.append((patient.id, patient.zone))
    plan_doses(session, patients, now=at)
    arm_reminders(session, [patient_id for patient_id, _ in patients], now=at)


def _measure_sending(found: Answer, kind: str, port: int) -> None:
    shares, fires, sends, bare, ready_made = [], [], [], [], []
    for number in range(ROUNDS + 1):
        at = now()
        with database().transaction() as session:
            make_due(session, at=at, first=number * AT_ONCE)
        fired = timed(fire_reminders.run)
        mails = waiting_mails()
        sent = timed(deliver.run)
        raw = timed(partial(send_bare, mails, port))
        ready = [(one.recipient, to_mail(one)) for one in mails]
        built = timed(partial(_send_ready, ready, port))
        _check_accepted((number + 1) * AT_ONCE)
        if number == 0:
            continue
        shares.append(raw / (fired + sent))
        fires.append(fired)
        sends.append(sent)
        bare.append(raw)
        ready_made.append((fired + sent) / built)
    detail = f"{AT_ONCE / statistics.median(bare):,.0f}/s bare"
    rate = AT_ONCE / (statistics.median(fires) + statistics.median(sends))
    found.add(
        f"{kind}: due to accepted, rate of bare smtplib",
        statistics.median(shares),
        at_least=0.5,
        detail=f"{rate:,.0f}/s against {detail}, one connection each",
    )
    found.add(
        f"{kind}: the same, time / sending bytes that lie ready",
        statistics.median(ready_made),
    )
    for name, spent in (("firing", fires), ("delivering", sends)):
        milliseconds = statistics.median(spent) / AT_ONCE * 1000
        found.add(f"{kind}: {name}, a reminder", milliseconds, unit="ms")


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds it took."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def waiting_mails() -> list[Message]:
    """Return the words of what waits to be sent."""
    with database().reading() as session:
        rows = session.scalars(select(Delivery).where(Delivery.state == "pending"))
        return [compose_message(row) for row in rows]


def send_bare(mails: Sequence[Message], port: int) -> None:
    """Do what any script would: build each mail of its words, and send it."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        for words in mails:
            mail = EmailMessage(policy=SMTP)
            mail["From"] = "PillWeb <pillweb@localhost>"
            mail["To"] = words.recipient
            mail["Subject"] = words.subject
            mail["Date"] = formatdate()
            mail["Message-ID"] = make_msgid(domain="localhost")
            mail.set_content(words.text)
            mail.add_alternative(words.html, subtype="html")
            server.send_message(mail)


def _send_ready(mails: Sequence[tuple[str, bytes]], port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        for recipient, content in mails:
            server.sendmail("pillweb@localhost", [recipient], content)


def _check_accepted(wanted: int) -> None:
    with database().reading() as session:
        accepted = session.scalar(
            select(func.count()).where(Delivery.state == "accepted")
        )
        fired = session.scalar(
            select(func.count()).where(Reminder.last_fired_at.is_not(None))
        )
    assert (accepted, fired) == (wanted, wanted), "every reminder left once"


def _measure_claims(found: Answer, kind: str) -> None:
    """Compare claiming, with lease and open attempt, with one bare statement."""
    at, batch = now(), line.BATCH
    with database().transaction() as session:
        for number in range(batch * (CLAIM_ROUNDS + 1) * 2):
            post_delivery(
                session,
                kind="dose_due",
                recipient=f"patient{number}@example.org",
                dedupe_key=f"claim:{number}",
                context={"first_name": "Rosa", "time_words": "8am", "link": "-"},
                now=at,
            )
    lock = "" if kind == SQLITE else "for update skip locked"
    bare = text(BARE_CLAIM.format(lock=lock))
    shares, ours = [], []
    for _ in range(CLAIM_ROUNDS):
        mine = timed(lambda: _claim(at, batch))
        theirs = timed(lambda: _claim_bare(bare, at, batch))
        shares.append(theirs / mine)
        ours.append(mine)
    found.add(
        f"{kind}: claim, rows/s of bare UPDATE ... RETURNING",
        statistics.median(shares),
        at_least=0.5,
        detail=f"{batch / statistics.median(ours):,.0f}/s, {batch} at once",
    )
    with database().transaction() as session:
        session.execute(update(Delivery).values(state="cancelled"))


def _claim(at: datetime, batch: int) -> None:
    with database().transaction() as session:
        assert len(claim_deliveries(session, now=at, limit=batch).ready) == batch


def _claim_bare(statement: TextClause, at: datetime, batch: int) -> None:
    values = {
        "lease": uuid.uuid4().hex,
        "until": at.replace(tzinfo=None) + timedelta(seconds=30),
        "now": at.replace(tzinfo=None),
        "limit": batch,
    }
    if database().engine.dialect.name == "sqlite":
        values |= {k: f"{values[k]:%Y-%m-%d %H:%M:%S.%f}" for k in ("until", "now")}
    with database().engine.begin() as connection:
        assert len(connection.execute(statement, values).all()) == batch
