"""The calendar of a phone rings exactly when doses are due, and says no more."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from icalendar import Calendar
from sqlalchemy.orm import Session

from pillweb.base.errors import LinkGoneError
from pillweb.base.i18n import Speech, speaking
from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.models import Dose
from pillweb.feeds.actions import make_feed, stop_feed
from pillweb.feeds.queries import Feed, feed_behind, feed_moments
from pillweb.feeds.rules import Face, FeedDose, calendar_of, moments_of
from pillweb.medications.models import Medication
from pillweb.patients.actions import change_zone
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan, stop_medication
from pillweb.sharing.models import Grant
from tests.world import World, daily, make_world, plan, prescribe

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(session: Session, now: datetime) -> World:
    return make_world(session, now=now)


def feed(
    session: Session, world: World, now: datetime, *, shows_names: bool = False
) -> Feed:
    _, token = make_feed(
        session,
        patient_id=world.patient,
        made_by_id=world.rosa,
        label="My phone",
        shows_names=shows_names,
        look="",
        now=now,
    )
    return feed_behind(session, token, now=now)


def read(session: Session, made: Feed, *, now: datetime) -> list[Any]:
    """Return the entries of the calendar as a phone reads them."""
    session.flush()
    face = Face(
        made.patient.id,
        made.patient.name,
        "pills.example",
        "https://pills.example/",
        made.link.shows_names,
    )
    file = calendar_of(feed_moments(session, made, now=now), face)
    for line in file.splitlines():
        assert len(line) <= 75
    found = Calendar.from_ical(file)
    assert isinstance(found, Calendar)
    assert not found.get_missing_tzids()
    return list(found.events)


def starts(events: list[Any]) -> list[datetime]:
    return [event.start.astimezone(UTC) for event in events]


def due(session: Session, world: World) -> set[datetime]:
    session.flush()
    return set(
        session.scalars(
            sa.select(Dose.due_at).where(
                Dose.patient_id == world.patient, Dose.state != "cancelled"
            )
        )
    )


def test_everything_due_at_one_time_is_one_entry_that_rings_twice(
    session: Session, world: World, now: datetime
) -> None:
    patient = session.get_one(Patient, world.patient)
    prescribe(session, patient, "08:00", now=now, name="Ramipril")
    plan(session, patient, now=now)
    events = read(session, feed(session, world, now), now=now)
    assert len(events) == len(set(starts(events)))
    assert due(session, world) <= set(starts(events))
    for event in events:
        rings = [alarm["trigger"].dt for alarm in event.walk("VALARM")]
        assert rings == [timedelta(0), timedelta(minutes=15)]
        assert event["transp"] == "TRANSPARENT"
    assert str(events[0]["summary"]) == "Medicines for 8am"
    last = max(starts(events))
    assert now + 59 * DAY < last < now + 62 * DAY


@pytest.mark.parametrize("shows_names", [True, False])
def test_medicines_are_named_only_where_the_link_allows_it(
    session: Session, world: World, now: datetime, *, shows_names: bool
) -> None:
    made = feed(session, world, now, shows_names=shows_names)
    events = read(session, made, now=now)
    named = [event for event in events if "Amlodipine" in event.to_ical().decode()]
    assert named == (events if shows_names else [])
    face = Face(1, "Rosa", "x.example", "https://x", shows_names)
    assert (b"Rosa" in calendar_of([], face)) == shows_names


def test_what_is_recorded_rings_no_more_and_rings_again_when_it_is_taken_back(
    session: Session, world: World, now: datetime
) -> None:
    made = feed(session, world, now)
    first = session.scalars(
        sa.select(Dose.id).where(Dose.patient_id == world.patient).order_by(Dose.due_at)
    ).first()
    facts: dict[str, Any] = {"patient_id": world.patient, "account_id": None}
    versions, uids, alarms = [], set(), []
    for minutes in (1, 2, 3):
        events = read(session, made, now=now)
        versions.append((int(events[0]["sequence"]), events[0]["dtstamp"].dt))
        uids.add(str(events[0]["uid"]))
        alarms.append(len(events[0].walk("VALARM")))
        at = now + minutes * timedelta(minutes=5)
        change = mark_taken if minutes == 1 else undo_marks
        change(session, [first or 0], channel="page", now=at, **facts)
    assert alarms == [2, 0, 2]
    assert len(uids) == 1
    assert versions == sorted(set(versions))


def test_a_plan_that_changed_is_a_newer_version(
    session: Session, world: World, now: datetime
) -> None:
    made = feed(session, world, now)
    before = read(session, made, now=now)
    later = now + HOUR
    pills = session.get_one(Medication, world.medication)
    line = daily("09:00", start=later.date())
    set_plan(session, pills, lines=[line], author_id=None, now=later)
    plan(session, made.patient, now=later)
    after = read(session, made, now=later)
    tomorrow = [event for event in after if event.start.date() == date(2026, 11, 21)]
    assert [str(event["summary"]) for event in tomorrow] == ["Medicines for 9am"]
    assert int(after[-1]["sequence"]) > int(before[-1]["sequence"])


def test_a_medicine_that_was_stopped_rings_no_more(
    session: Session, world: World, now: datetime
) -> None:
    made = feed(session, world, now)
    pills = session.get_one(Medication, world.medication)
    stop_medication(session, pills, now=now)
    plan(session, made.patient, now=now)
    assert [at for at in starts(read(session, made, now=now)) if at > now] == []


@pytest.mark.parametrize(
    ("place", "then"),
    [
        ("Europe/London", datetime(2027, 10, 20, 8, 5, tzinfo=UTC)),
        ("Europe/London", datetime(2027, 3, 20, 8, 5, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 10, 28, 14, 5, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2027, 9, 20, 1, 5, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2027, 9, 20, 1, 5, tzinfo=UTC)),
    ],
)
def test_what_it_told_weeks_ahead_is_what_is_planned_in_the_end(
    place: str, then: datetime, *, session: Session, world: World, now: datetime
) -> None:
    change_zone(
        session, world.patient, place, at=now, is_travel=False, account_id=None, now=now
    )
    patient = session.get_one(Patient, world.patient)
    prescribe(session, patient, "02:30", "08:00", now=then, name="Ramipril")
    plan(session, patient, now=then)
    told = {
        at
        for at in starts(read(session, feed(session, world, now), now=then))
        if then + DAY < at < then + 40 * DAY
    }
    for days in range(6, 42, 6):
        plan(session, patient, now=then + days * DAY)
    in_the_end = {at for at in due(session, world) if then + DAY < at < then + 40 * DAY}
    assert len(told) >= 39 * 3
    assert told == in_the_end


def test_a_journey_is_told_by_the_clock_of_the_place(
    session: Session, world: World, now: datetime
) -> None:
    made = feed(session, world, now)
    change_zone(
        session,
        world.patient,
        "Asia/Tokyo",
        at=now + 10 * DAY,
        is_travel=True,
        account_id=None,
        now=now,
    )
    plan(session, made.patient, now=now)
    events = read(session, made, now=now)
    abroad = [event for event in events if event.start.date() > date(2026, 12, 2)]
    assert {str(event["dtstart"].params["TZID"]) for event in abroad} == {"Asia/Tokyo"}
    assert {f"{event.start:%H:%M}" for event in abroad} == {"08:00", "20:00"}
    for days in range(6, 24, 6):
        plan(session, made.patient, now=now + days * DAY)
    end = now + 24 * DAY
    assert {at for at in starts(events) if at < end} == {
        at for at in due(session, world) if at < end
    }


def test_an_hour_that_comes_twice_has_two_entries() -> None:
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    doses = [
        FeedDose(at, date(2026, 10, 25), "01:30", "Europe/London", 0, "A")
        for at in (night, night + HOUR)
    ]
    moments = moments_of(doses, planned_at=night)
    file = calendar_of(moments, Face(1, "Rosa", "x.example", "https://x", False))
    found = Calendar.from_ical(file)
    assert isinstance(found, Calendar)
    assert starts(list(found.events)) == [night, night + HOUR]
    assert len({str(event["uid"]) for event in found.events}) == 2


def test_it_speaks_the_language_it_was_made_in(now: datetime) -> None:
    doses = [FeedDose(now, now.date(), "08:05", "UTC", 0, "A")]
    moments = moments_of(doses, planned_at=now)
    face = Face(1, "\u0641\u0627\u0637\u0645\u0629", "x.example", "https://x", True)
    with speaking(Speech("ar", "24", "arab")):
        found = Calendar.from_ical(calendar_of(moments, face))
    assert isinstance(found, Calendar)
    assert "\u0660\u0668:\u0660\u0665" in str(found.events[0]["summary"])
    assert face.patient_name in str(found["x-wr-calname"])


def test_who_may_no_longer_gets_no_times(
    session: Session, world: World, now: datetime
) -> None:
    row, token = make_feed(
        session,
        patient_id=world.patient,
        made_by_id=world.marta,
        label="Marta",
        shows_names=False,
        look="",
        now=now,
    )
    assert feed_behind(session, token, now=now).link.id == row.id
    grant = session.scalars(
        sa.select(Grant).where(Grant.account_id == world.marta)
    ).one()
    grant.level = 1
    session.flush()
    with pytest.raises(LinkGoneError):
        feed_behind(session, token, now=now)
    grant.level = 3
    stop_feed(session, patient_id=world.patient, feed_id=row.id, now=now)
    session.flush()
    with pytest.raises(LinkGoneError):
        feed_behind(session, token, now=now)
