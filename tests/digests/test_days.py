"""Each evening helpers hear once what of the day has no record, or that all is well."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.contacts.models import ContactPoint, Preference
from pillweb.digests.actions.clocks import start_clocks
from pillweb.digests.models import DigestClock
from pillweb.digests.queries import digests_wanted, oldest_digest
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery, Incident
from pillweb.outbox.queries import compose_message
from pillweb.patients.actions import change_zone
from pillweb.patients.models import Unreachable
from pillweb.reminders.models import Reminder
from pillweb.sharing.models import Grant
from tests.digests.conftest import Wants, evening, mails
from tests.world import World, make_patient

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def half_past_eight(now: datetime, days: int = 0) -> datetime:
    return now.replace(hour=20, minute=30) + days * DAY


def text(mail: Delivery) -> str:
    message = compose_message(mail)
    # Nothing of what is told is in one form of it alone.
    assert message.link in message.html
    assert message.link in message.text
    return " ".join(message.text.split())


def take(session: Session, world: World, *clocks: str, now: datetime) -> None:
    session.flush()
    ids = session.scalars(
        sa.select(Dose.id).where(
            Dose.patient_id == world.patient,
            Dose.local_label.in_(clocks),
            Dose.nominal_date == now.date(),
        )
    ).all()
    facts: dict[str, Any] = {"patient_id": world.patient, "account_id": None}
    mark_taken(session, ids, channel="page", now=now, **facts)
    session.flush()


def test_who_wants_it_hears_at_half_past_eight_what_has_no_record(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    at = half_past_eight(now)
    assert oldest_digest(session, now=at - timedelta(seconds=1)) is None
    assert oldest_digest(session, now=at) == at
    (mail,) = evening(session, at)
    assert mail.recipient == "marta@family.example"
    assert (mail.kind, mail.patient_id) == ("day_digest", world.patient)
    said = text(mail)
    assert "this is how Friday 20 November was for Rosa: 8am: no record." in said
    assert "8pm" not in said
    assert "missed" not in said
    assert "Amlodipine" not in said
    message = compose_message(mail)
    assert message.short == "There is no record for Rosa at 8am."


def test_nobody_hears_who_did_not_ask(session: Session, world: World) -> None:
    clock = session.get_one(DigestClock, world.patient)
    assert evening(session, clock.day_at) == []


def test_of_a_day_that_is_recorded_there_is_nothing_to_say(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    take(session, world, "08:00", now=now)
    assert evening(session, half_past_eight(now)) == []


def test_it_is_told_once_however_often_it_runs(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    at = half_past_eight(now)
    assert len(evening(session, at)) == 1
    session.get_one(DigestClock, world.patient).day_at = at
    session.get_one(DigestClock, world.patient).day_on = at.date()
    assert len(evening(session, at + HOUR)) == 1
    assert len(evening(session, half_past_eight(now, 1))) == 2


def test_a_bedtime_without_a_record_is_told_of_the_evening_after(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    take(session, world, "08:00", now=now)
    assert evening(session, half_past_eight(now)) == []
    take(session, world, "08:00", now=now + DAY)
    (mail,) = evening(session, half_past_eight(now, 1))
    assert "8pm on Friday 20 November: no record." in text(mail)


def test_after_days_of_silence_only_the_newest_evening_is_told(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    (mail,) = evening(session, half_past_eight(now, 4) + HOUR)
    assert "Tuesday 24 November" in text(mail)
    clock = session.get_one(DigestClock, world.patient)
    assert clock.day_at == half_past_eight(now, 5)


def test_what_was_alerted_and_what_we_did_not_remind_is_named_as_such(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    session.execute(
        sa.update(Reminder)
        .where(Reminder.patient_id == world.patient)
        .values(alerted_at=now)
    )
    session.execute(sa.update(Dose).values(system_fault=True))
    (mail,) = evening(session, half_past_eight(now))
    assert (
        "8am: no record. We could not remind Rosa then. That was our fault. "
        "Somebody was told of it at once."
    ) in text(mail)


@pytest.mark.parametrize("who", ["both", "patient", "helper"])
def test_medicines_are_named_only_where_both_allow_it(
    who: str, session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    wishes: dict[str, Any] = {"unwanted": {}, "shows_names": True}
    if who != "helper":
        session.add(Preference(patient_id=world.patient, **wishes))
    if who != "patient":
        session.add(Preference(account_id=world.marta, **wishes))
    (mail,) = evening(session, half_past_eight(now))
    assert ("no record of Amlodipine" in text(mail)) == (who == "both")


def test_quiet_hours_hold_it_to_their_end(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    session.add(
        Preference(
            account_id=world.marta,
            unwanted={},
            quiet_from="20:00",
            quiet_until="07:00",
        )
    )
    (mail,) = evening(session, half_past_eight(now))
    assert mail.next_at == now.replace(hour=7, minute=0) + DAY
    assert mail.expires_at > mail.next_at


def wanted_of(session: Session, mail: Delivery, group: str, now: datetime) -> set[int]:
    return digests_wanted(session, [mail.id], group=group, now=now)


def test_who_was_shut_out_or_wants_it_no_more_is_not_written_to(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    (mail,) = evening(session, half_past_eight(now))
    assert wanted_of(session, mail, "day", now) == {mail.id}
    assert wanted_of(session, mail, "well", now) == set()
    wants(world.marta)
    assert wanted_of(session, mail, "day", now) == set()
    wants(world.marta, "day")
    session.execute(sa.delete(Grant).where(Grant.id == mail.subject_id))
    assert wanted_of(session, mail, "day", now) == set()


def arrived(session: Session, world: World, *, at: datetime, state: str) -> None:
    """Let a reminder of Rosa's have ended like this."""
    session.add(
        Delivery(
            patient_id=world.patient,
            subject_id=int(at.timestamp()),
            channel="email",
            kind="dose_due",
            dedupe_key=f"test:{at}",
            recipient="rosa@family.example",
            state=state,
            created_at=at,
            next_at=at,
            expires_at=at + HOUR,
            accepted_at=at if state == "accepted" else None,
        )
    )
    session.flush()


def test_all_is_well_says_how_much_and_since_when(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day", "well")
    arrived(session, world, at=now - 10 * DAY, state="dead")
    arrived(session, world, at=now - 20 * DAY, state="accepted")
    arrived(session, world, at=now, state="accepted")
    take(session, world, "08:00", now=now)
    (mail,) = evening(session, half_past_eight(now))
    said = text(mail)
    assert compose_message(mail).subject == "All is well with Rosa's medicines today"
    assert "1 of 1 medicine is recorded. 1 more is still to come." in said
    assert "Reminders have worked since 10 November 2026." in said


Trouble = tuple[str, str]
TROUBLES: list[Trouble] = [
    ("incident", "Reminders may come late now, or not at all."),
    ("failed", "The last reminder for Rosa did not arrive."),
    ("unreachable", "No reminder can reach Rosa now."),
]


@pytest.mark.parametrize(("what", "sentence"), TROUBLES)
def test_it_never_says_that_all_is_well_when_it_is_not(
    what: str,
    sentence: str,
    *,
    session: Session,
    world: World,
    wants: Wants,
    now: datetime,
) -> None:
    wants(world.marta, "well")
    arrived(session, world, at=now - DAY, state="accepted")
    take(session, world, "08:00", now=now)
    if what == "incident":
        session.add(Incident(kind="channel", about="email", opened_at=now))
    elif what == "failed":
        arrived(session, world, at=now, state="dead")
    else:
        session.add(Unreachable(patient_id=world.patient, since=now))
    (mail,) = evening(session, half_past_eight(now))
    message = compose_message(mail)
    assert message.subject == "Please look at Rosa's medicines today"
    assert sentence in text(mail)
    assert sentence in message.short
    assert "have worked" not in message.text


def test_who_wants_both_gets_one_message_of_a_day_with_gaps(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day", "well")
    wants(world.nora, "well")
    found = evening(session, half_past_eight(now))
    assert {(mail.recipient[:5], mail.kind) for mail in found} == {
        ("marta", "day_digest"),
        ("nora@", "all_well"),
    }
    assert "0 of 1 medicine is recorded." in text(found[1])
    assert "8am: no record." in text(found[1])


def test_a_journey_west_waits_for_its_own_evening_and_one_east_is_told_once(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    travel: dict[str, Any] = {"is_travel": True, "account_id": None}
    change_zone(
        session, world.patient, "America/New_York", at=now + HOUR, now=now, **travel
    )
    at = half_past_eight(now)
    assert evening(session, at) == []
    assert session.get_one(DigestClock, world.patient).day_at == at + 5 * HOUR
    assert len(evening(session, at + 5 * HOUR)) == 1
    change_zone(
        session, world.patient, "Asia/Tokyo", at=at + 6 * HOUR, now=at, **travel
    )
    # In Tokyo it is 11.30am of Saturday: its evening comes at 11.30am in London.
    found = evening(session, at + DAY + 5 * HOUR)
    assert [mail.dedupe_key.split(":")[2] for mail in found] == [
        "2026-11-20",
        "2026-11-21",
    ]


def test_a_new_patient_gets_a_clock_and_an_old_one_keeps_theirs(
    session: Session, world: World, now: datetime
) -> None:
    before = session.get_one(DigestClock, world.patient).day_at
    patient = make_patient(session, name="Ida", now=now, zone="Asia/Tokyo")
    session.flush()
    assert oldest_digest(session, now=now) == patient.created_at
    assert start_clocks(session, now=now + DAY, limit=100) == 1
    assert session.get_one(DigestClock, world.patient).day_at == before
    assert oldest_digest(session, now=now) is None
    assert start_clocks(session, now=now, limit=100) == 0


def test_a_channel_that_is_unwanted_for_it_is_left_out(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "day")
    session.add(Preference(account_id=world.marta, unwanted={"day": ["email"]}))
    assert evening(session, half_past_eight(now)) == []
    assert session.scalars(
        sa.select(ContactPoint.id).where(ContactPoint.account_id == world.marta)
    ).all()
    assert mails(session) == []
