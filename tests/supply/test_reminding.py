"""Whoever fetches a medicine hears of it in time, once, by day, without its name."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.schedules.actions import stop_medication
from pillweb.sharing.models import Grant
from pillweb.supply.actions.booking import count_supply, receive_supply, set_refill
from pillweb.supply.actions.reminding import check_supplies
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.supply.queries.outlook import oldest_check
from tests.world import World, make_world, prescribe

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECRETS = ("Amlodipine", "amlodipine", "blood pressure", "5 mg", "With water")
LIMIT = 100


@pytest.fixture
def world(session: Session, now: datetime) -> World:
    return make_world(session, now=now)


@pytest.fixture
def pills(session: Session, world: World) -> Medication:
    return session.get_one(Medication, world.medication)


Ready = Callable[..., None]


@pytest.fixture
def ready(session: Session, pills: Medication, now: datetime) -> Ready:
    """Say how many there are, and how more is got."""

    def make(many: int, **more: Any) -> None:  # noqa: ANN401 - facts of many types
        facts: dict[str, Any] = {"account_id": None, "press": None, "now": now}
        count_supply(session, pills, counted=Fraction(many), **facts)
        refill: dict[str, Any] = {
            "pack_size": None,
            "repeats_left": None,
            "lead_days": 3,
            "fetcher_id": None,
        }
        set_refill(session, pills, now=now, **(refill | more))

    return make


def look(session: Session, at: datetime) -> list[Delivery]:
    """Let the job look; return every message about supply so far."""
    check_supplies(session, now=at, limit=LIMIT)
    session.flush()
    return mails(session)


def mails(session: Session) -> list[Delivery]:
    found = session.scalars(
        sa.select(Delivery).where(Delivery.kind == "refill_due").order_by(Delivery.id)
    )
    return list(found)


def nine(now: datetime, days: int) -> datetime:
    return now.replace(hour=9, minute=0) + days * DAY


@pytest.mark.parametrize(("many", "is_told"), [(11, True), (12, False)])
def test_it_is_told_when_the_lead_and_two_days_are_left_and_not_before(
    many: int, *, is_told: bool, session: Session, ready: Ready, now: datetime
) -> None:
    # Twice a day, this morning's still open: 12 are enough for six days.
    ready(many)
    assert bool(look(session, nine(now, 0))) == is_told


def test_a_week_later_it_is_told_again_and_after_more_came_it_is_not(
    session: Session, ready: Ready, pills: Medication, now: datetime
) -> None:
    ready(4)
    told = [len(look(session, nine(now, day))) for day in range(8)]
    assert told == [1] * 7 + [2]
    receive_supply(
        session,
        pills,
        quantity=Fraction(100),
        uses_repeat=False,
        account_id=None,
        press=None,
        now=nine(now, 8),
    )
    assert len(look(session, nine(now, 14))) == 2


def test_who_was_told_hears_at_once_when_it_runs_low_another_time(
    session: Session, ready: Ready, now: datetime
) -> None:
    ready(4)
    assert len(look(session, nine(now, 0))) == 1
    ready(100)
    assert len(look(session, nine(now, 1))) == 1
    ready(4)
    assert len(look(session, nine(now, 2))) == 2


def test_at_night_nobody_is_told_and_in_the_morning_they_are(
    session: Session, ready: Ready, now: datetime
) -> None:
    ready(4)
    assert look(session, now.replace(hour=23)) == []
    assert oldest_check(session, now=now.replace(hour=23, minute=30)) is None
    assert oldest_check(session, now=nine(now, 1)) == nine(now, 1)
    assert len(look(session, nine(now, 1))) == 1


def test_looking_books_what_was_taken_and_looking_twice_changes_nothing(
    session: Session, ready: Ready, world: World, now: datetime
) -> None:
    ready(30)
    dose = session.scalars(
        sa.select(Dose.id).where(Dose.medication_id == world.medication)
    ).first()
    facts: dict[str, Any] = {"patient_id": world.patient, "account_id": None}
    mark_taken(session, [dose or 0], channel="page", now=now, **facts)
    look(session, nine(now, 0))
    causes = session.scalars(sa.select(SupplyEntry.cause)).all()
    assert sorted(causes) == ["recount", "taken"]
    assert check_supplies(session, now=nine(now, 0), limit=LIMIT) == 0


def words(session: Session) -> str:
    (mail,) = mails(session)
    message = compose_message(mail)
    assert not [one for one in SECRETS if one in message.text + message.html]
    assert "/supply" in message.text
    assert message.text.splitlines()[0] != message.subject
    return " ".join(message.text.split())


def test_the_fetcher_is_told_and_no_medicine_is_named(
    session: Session, ready: Ready, world: World, now: datetime
) -> None:
    ready(4, fetcher_id=world.marta, repeats_left=0)
    (mail,) = look(session, nine(now, 0))
    assert mail.recipient == "marta@family.example"
    said = words(session)
    assert "Hello Marta, one of Rosa's medicines runs out soon." in said
    assert "it runs out on Sunday 22 November" in said
    assert "No repeats are left. Ask the doctor now, who needs 3 days." in said


def test_who_is_no_longer_let_in_is_not_told(
    session: Session, ready: Ready, world: World, now: datetime
) -> None:
    ready(4, fetcher_id=world.marta)
    session.execute(
        sa.delete(Grant).where(
            Grant.account_id == world.marta, Grant.patient_id == world.patient
        )
    )
    (mail,) = look(session, nine(now, 0))
    assert mail.recipient == "rosa@family.example"
    assert "Hello Rosa, one of your medicines runs out soon." in words(session)


def test_several_medicines_are_one_message_to_each_who_fetches(
    session: Session, ready: Ready, world: World, now: datetime
) -> None:
    ready(4, repeats_left=2)
    patient = session.get_one(Patient, world.patient)
    facts: dict[str, Any] = {"account_id": None, "press": None, "now": now}
    for name in ("B", "C"):
        other = prescribe(session, patient, "12:00", now=now, name=name)
        count_supply(session, other, counted=Fraction(1), **facts)
    session.get_one(Stock, other.id).fetcher_id = world.luis
    found = look(session, nine(now, 0))
    assert [mail.recipient for mail in found] == [
        "rosa@family.example",
        "luis@family.example",
    ]
    text = " ".join(compose_message(found[0]).text.split())
    assert "2 of your medicines run out soon." in text
    assert text.index("Saturday 21 November") < text.index("Sunday 22 November")
    assert "Get more now. It takes 3 days. 2 repeats are left." in text


def test_a_helper_who_wants_it_hears_too_and_once_though_they_fetch(
    session: Session, ready: Ready, world: World, now: datetime
) -> None:
    wanting = sa.update(Grant).where(Grant.account_id.in_([world.luis, world.nora]))
    session.execute(wanting.values(wants=["refills"]))
    ready(4, fetcher_id=world.luis)
    found = look(session, nine(now, 0))
    assert {mail.account_id for mail in found} == {world.luis, world.nora}
    assert len(found) == 2
    assert "one of Rosa's medicines runs out soon." in compose_message(found[1]).text


def test_a_medicine_that_was_stopped_needs_no_more(
    session: Session, ready: Ready, pills: Medication, now: datetime
) -> None:
    ready(4)
    stop_medication(session, pills, now=now)
    assert look(session, nine(now, 0)) == []
