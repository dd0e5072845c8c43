"""What nobody was reminded of: one message when it is over, never "take it now"."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.channels import Message
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.changing import stop_contact
from pillweb.contacts.models import ContactPoint
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.outbox.actions.sending import (
    begin_attempts,
    claim_deliveries,
    settle_deliveries,
)
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.outbox.rules import Sent
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.rules import Level
from pillweb.watch.actions.late import tell_what_was_late
from pillweb.watch.queries import oldest_late
from tests.world import make_cast_account, make_patient, plan, prescribe

LIMIT = 100
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def rosa(session: Session, now: datetime) -> Patient:
    """Who takes medicines at 8.05, now, at 9, at midday and at 8pm; Marta helps."""
    patient = make_patient(session, now=now)
    prescribe(session, patient, "08:05", "20:00", now=now)
    prescribe(session, patient, "09:00", "12:00", now=now, name="Metformin")
    plan(session, patient, now=now)
    marta = make_cast_account(session, "Marta", now=now)
    grant = grant_access(
        session,
        account_id=marta.id,
        patient_id=patient.id,
        level=Level.MANAGE,
        role="caregiver",
        now=now,
    )
    grant.ladder_place = 1
    return patient


def tick(session: Session, at: datetime, *, works: bool = True) -> None:
    """Do what the clock does; the provider takes mail over only where it works."""
    fire_reminders(session, now=at, limit=LIMIT)
    while tell_what_was_late(session, now=at, limit=LIMIT):
        pass
    claimed = claim_deliveries(session, now=at, limit=LIMIT).ready
    begun = begin_attempts(session, claimed, now=at)
    error = "" if works else "smtp_451"
    sent = [Sent(one, None if error else "<taken@test>", error=error) for one in begun]
    settle_deliveries(session, sent, now=at)


def deliveries(session: Session, *kinds: str) -> Sequence[Delivery]:
    return session.scalars(
        sa.select(Delivery)
        .where(Delivery.kind.in_(kinds or ("dose_late",)))
        .order_by(Delivery.id)
    ).all()


def doses(session: Session, patient: Patient) -> list[tuple[str, bool]]:
    rows = session.scalars(
        sa.select(Dose).where(Dose.patient_id == patient.id).order_by(Dose.due_at)
    )
    return [(dose.local_label, dose.system_fault) for dose in rows][:4]


def words(session: Session, kind: str) -> list[Message]:
    rows = session.scalars(
        sa.select(Delivery).where(Delivery.kind == kind).order_by(Delivery.id)
    )
    return [compose_message(row) for row in rows]


def tell(session: Session, at: datetime) -> None:
    """Let all that is late be told, and leave it in the outbox."""
    fire_reminders(session, now=at, limit=LIMIT)
    tell_what_was_late(session, now=at, limit=LIMIT)


def test_a_stopped_machine_ends_in_one_message_each_that_warns_of_doubling(
    session: Session, rosa: Patient, now: datetime
) -> None:
    bruno = make_patient(session, name="Bruno", now=now)
    prescribe(session, bruno, "10:00", now=now)
    plan(session, bruno, now=now)
    back = now + 6 * HOUR
    open_incident(session, kind="stopped", opened_at=now - MINUTE)
    tell(session, back)
    assert deliveries(session) == []
    assert oldest_late(session, now=back) is None
    assert oldest_late(session, now=back + MINUTE) is not None
    close_incidents(session, kind="stopped", now=back)
    tell(session, back + MINUTE)
    for_rosa, for_bruno = words(session, "dose_late")
    for clock in ("8.05am", "9am", "midday"):
        assert f"- {clock} on Friday 20 November" in for_rosa.text
        assert clock in for_rosa.html
    assert "- 10am on" in for_bruno.text
    for message in (for_rosa, for_bruno):
        said = (message.subject + message.text + message.html).casefold()
        assert "it is time" not in said
        assert "take it now" not in said
        assert "never take two doses together" in said
    assert doses(session, rosa) == [
        ("08:05", True),
        ("09:00", True),
        ("12:00", True),
        ("20:00", False),
    ]
    (to_marta,) = words(session, "could_not_remind")
    said = (to_marta.subject + to_marta.text + to_marta.html).casefold()
    assert "we could not remind rosa" in said
    assert "8.05am" in said
    assert "missed dose" not in said
    assert not any(word in said for word in ("amlodipine", "metformin", "forgot"))
    for minute in range(2, 90, 4):
        tick(session, back + minute * MINUTE)
    assert len(deliveries(session, "dose_late", "could_not_remind")) == 3


def test_a_mail_server_that_is_down_for_hours_ends_in_one_message(
    session: Session, rosa: Patient, now: datetime
) -> None:
    down_until = now + 4 * HOUR + 50 * MINUTE
    for minute in range(0, 8 * 60, 2):
        at = now + minute * MINUTE
        is_down = at < down_until
        if minute == 2:
            open_incident(session, kind="channel", about="email", opened_at=now)
        if at == down_until:
            close_incidents(session, kind="channel", now=at)
        tick(session, at, works=not is_down)
    (late,) = deliveries(session)
    assert late.state == "accepted"
    assert late.accepted_at
    assert down_until <= late.accepted_at <= down_until + 5 * MINUTE
    assert [fault for _at, fault in doses(session, rosa)] == [True, True, False, False]
    sent = session.scalar(
        sa.select(sa.func.count()).where(
            Delivery.kind == "could_not_remind", Delivery.state == "accepted"
        )
    )
    assert sent == 1


def test_without_any_incident_what_did_not_leave_is_gathered_into_one(
    session: Session, rosa: Patient, now: datetime
) -> None:
    for minute in range(0, 6 * 60, 4):
        tick(session, now + minute * MINUTE, works=minute >= 5 * 60)
    states = [row.state for row in deliveries(session)]
    assert states.count("accepted") == 1
    assert set(states) <= {"accepted", "superseded"}
    # Nothing of ours was down: the doses stay in the numbers.
    assert not any(fault for _at, fault in doses(session, rosa))


def test_a_message_that_could_not_leave_is_taken_over_by_the_next(
    session: Session, rosa: Patient, now: datetime
) -> None:
    tell(session, now + 2 * HOUR)
    tell(session, now + 6 * HOUR)
    first, second = deliveries(session)
    assert (first.state, first.context) == ("superseded", None)
    text = compose_message(second).text
    for clock in ("8.05am", "9am", "midday"):
        assert text.count(f"- {clock} on") == 1


def test_what_is_recorded_meanwhile_or_was_said_is_not_told_late(
    session: Session, rosa: Patient, now: datetime
) -> None:
    for minute in range(56):
        tick(session, now + minute * MINUTE)
    ids = session.scalars(sa.select(Dose.id).order_by(Dose.due_at)).all()
    who = {"patient_id": rosa.id, "account_id": None, "channel": "page"}
    mark_taken(session, ids[1:3], now=now + 3 * HOUR, **who)  # type: ignore[arg-type]
    tick(session, now + 6 * HOUR)
    assert deliveries(session, "dose_late", "could_not_remind") == []
    late = sa.select(Reminder.id).where(Reminder.state == "late")
    assert session.scalars(late).all() == []


def test_a_helper_hears_at_once_by_a_channel_that_works(
    session: Session, rosa: Patient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = {name: SimpleNamespace(LOUDNESS=0) for name in ("email", "live")}
    monkeypatch.setattr("pillweb.contacts.queries.channels", lambda: both)
    account = session.scalars(sa.select(Account.id)).one()
    add_contact(
        session,
        channel="live",
        address="a wall tablet",
        account_id=account,
        is_proven=True,
        now=now,
    )
    open_incident(session, kind="channel", about="email", opened_at=now)
    tell(session, now + 70 * MINUTE)
    assert deliveries(session) == []
    told = deliveries(session, "could_not_remind")
    assert [one.channel for one in told] == ["live"]
    tell(session, now + 80 * MINUTE)
    assert len(deliveries(session, "could_not_remind")) == 1


def test_who_is_reached_nowhere_waits_for_nothing(
    session: Session, now: datetime
) -> None:
    patient = make_patient(session, now=now)
    session.execute(sa.text("delete from contact_point"))
    prescribe(session, patient, "08:05", now=now)
    plan(session, patient, now=now)
    tell(session, now + 2 * HOUR)
    assert session.scalars(
        sa.select(Reminder.state).where(Reminder.due_at == now)
    ).all() == ["done"]


def test_who_lost_every_address_is_told_of_by_their_helpers(
    session: Session, rosa: Patient, now: datetime
) -> None:
    contact = session.scalars(
        sa.select(ContactPoint).where(ContactPoint.patient_id == rosa.id)
    ).one()
    stop_contact(session, contact, now=now)
    tell(session, now + 62 * MINUTE)
    tell(session, now + 64 * MINUTE)
    assert deliveries(session) == []
    (to_marta,) = words(session, "could_not_remind")
    assert "8.05am" in to_marta.text
    due = sa.select(Reminder.state).where(Reminder.due_at == now)
    assert session.scalars(due).all() == ["done"]
