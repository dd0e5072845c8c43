"""Later, skipped, by whom, and with what on the page."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.contacts.models import Preference
from pillweb.doses.actions.marking import mark_taken, skip_dose
from pillweb.doses.models import Dose, DoseEvent
from pillweb.outbox.models import Delivery
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder, ReminderLink
from tests.answers.test_pages import events, path, phone, state
from tests.press import NO_PRESS, a_press
from tests.world import World, signed_in

__all__ = ["path", "phone"]


def first_dose(db: Database, world: World) -> Dose:
    with db.reading() as session:
        mine = sa.select(Dose).where(Dose.patient_id == world.patient)
        return session.scalars(mine.order_by(Dose.due_at)).first() or pytest.fail(
            "none"
        )


def link_row(db: Database, world: World) -> ReminderLink:
    with db.reading() as session:
        mine = sa.select(ReminderLink).where(ReminderLink.patient_id == world.patient)
        return session.scalars(mine).one()


def delivery(db: Database, world: World) -> Delivery:
    with db.reading() as session:
        mine = sa.select(Delivery).where(Delivery.patient_id == world.patient)
        return session.scalars(mine.order_by(Delivery.id)).first() or pytest.fail(
            "none"
        )


def record(
    db: Database, world: World, now: datetime, *, account_id: int | None, channel: str
) -> None:
    with db.transaction() as session:
        mark_taken(
            session,
            [first_dose(db, world).id],
            patient_id=world.patient,
            account_id=account_id,
            channel=channel,
            now=now,
        )


@pytest.mark.parametrize(
    ("who", "channel", "words"),
    [
        ("rosa", "page", "Recorded at 8.05am by you."),
        ("marta", "page", "Recorded at 8.05am by Marta."),
        (None, "paper", "Recorded at 8.05am from the printed sheet."),
        (None, "sms", "Recorded at 8.05am by you."),
        (None, "page", "Recorded at 8.05am."),
    ],
)
def test_the_page_says_who_was_first_and_a_second_press_changes_nothing(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    now: datetime,
    *,
    who: str | None,
    channel: str,
    words: str,
) -> None:
    account_id = getattr(world, who) if who else None
    record(db, world, now, account_id=account_id, channel=channel)
    assert words in phone.get(path).text
    again = phone.get(phone.post(path).headers["Location"]).text
    assert words in again
    assert "It was not recorded twice." in again
    assert len(events(db, world)) == 1


def test_in_ten_minutes_puts_the_reminder_off_and_says_until_when(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    assert "In 10 minutes" in phone.get(path).text
    assert phone.post(f"{path}/later").status_code == 303
    shown = phone.get(path).text
    assert "We remind you again at 8.15am." in shown
    assert "I have taken it" in shown
    with db.reading() as session:
        mine = sa.select(Reminder).where(Reminder.patient_id == world.patient)
        row = session.scalars(mine.order_by(Reminder.due_at)).first()
        assert row is not None
        assert row.next_at == row.snoozed_until == now + timedelta(minutes=10)
    assert state(db, world) == "open"


def test_what_cannot_wait_is_not_put_off(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(Dose).values(window_min=30))
    pinned.shift(timedelta(minutes=20))
    assert "In 10 minutes" not in phone.get(path).text
    answer = phone.post(f"{path}/later")
    said = phone.get(answer.headers["Location"]).text
    assert "cannot wait much longer" in said
    assert first_dose(db, world).later_until is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [({}, ""), ({"reason": "unwell"}, "unwell"), ({"reason": "x"}, "")],
)
def test_not_taking_is_recorded_with_a_reason_or_without(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    *,
    typed: dict[str, str],
    kept: str,
) -> None:
    phone.post(f"{path}/skip", data=typed)
    phone.post(f"{path}/skip", data=typed)
    assert events(db, world) == [("skipped", "link")]
    assert (first_dose(db, world).skip_reason or "") == kept
    assert "Recorded as skipped at 8.05am by you." in phone.get(path).text


def test_taken_after_skipped_by_somebody_else_is_already_recorded(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        skip_dose(
            session,
            first_dose(db, world).id,
            patient_id=world.patient,
            account_id=world.marta,
            channel="page",
            reason="unwell",
            now=now,
        )
    phone.post(path)
    assert events(db, world) == [("skipped", "page")]
    assert "Recorded as skipped at 8.05am by Marta." in phone.get(path).text


def test_names_stand_on_the_page_only_where_the_patient_allows_it(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    assert "Amlodipine" not in phone.get(path).text
    with db.transaction() as session:
        wish = Preference(patient_id=world.patient, unwanted={}, shows_names=True)
        session.add(wish)
    assert "Amlodipine" in phone.get(path).text


@pytest.mark.parametrize("deed", ["", "/later", "/skip", "/undo"])
@pytest.mark.parametrize("machine", ["no button", "at once", "no page", "forged"])
def test_what_may_be_a_machine_records_nothing_and_is_asked_to_press_again(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    *,
    deed: str,
    machine: str,
) -> None:
    sent = {
        "no button": a_press(path, by_button=False),
        "at once": a_press(path, after_s=2.9),
        "no page": {**NO_PRESS, "press": "yes"},
        "forged": {"shown": "1." + "0" * 32, "press": "yes"},
    }[machine]
    if deed == "/undo":
        phone.post(path)
    before = events(db, world)
    answer = phone.post(f"{path}{deed}", data=sent)
    assert answer.status_code == 303
    page = phone.get(answer.headers["Location"]).text
    assert "Please press once more, so that we know it was you." in page
    assert events(db, world) == before
    assert link_row(db, world).doubted_at is not None
    whole = phone.post(f"{path}{deed}", data=sent, headers={"HX-Request": "true"})
    assert "Please press once more" in whole.text


def test_the_first_time_a_page_was_shown_survives_being_asked_again(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    early = a_press(path, after_s=1)
    page = phone.get(phone.post(path, data=early).headers["Location"]).text
    assert str(early["shown"]) in page
    pinned.shift(timedelta(seconds=2))
    phone.post(path, data=early)
    assert events(db, world) == [("taken", "link")]


def test_a_mark_of_one_link_is_no_mark_of_another(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    phone.post(path, data=a_press("/t/another"))
    assert events(db, world) == []


def test_the_reminder_goes_on_after_a_doubted_press(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    phone.post(path, data=NO_PRESS)
    with db.transaction() as session:
        assert fire_reminders(session, now=now + timedelta(minutes=15), limit=10) > 0


def test_a_page_that_was_open_since_before_it_was_late_warns_first(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    pinned.shift(timedelta(hours=2))
    phone.post(path)
    assert events(db, world) == []
    assert 'name="warned"' in phone.get(path).text
    phone.post(path, data={"warned": "yes"})
    assert events(db, world) == [("taken", "link")]


def test_the_message_that_was_answered_is_noted_once(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    now: datetime,
    *,
    pinned: time_machine.Traveller,
) -> None:
    assert delivery(db, world).answered_at is None
    phone.post(path)
    pinned.shift(timedelta(minutes=1))
    phone.post(path)
    assert delivery(db, world).answered_at == now


def test_a_page_that_was_looked_at_is_noted_and_nothing_else(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    assert phone.post(f"{path}/opened").status_code == 204
    found = delivery(db, world)
    assert (found.opened_at, found.answered_at) == (now, None)
    assert events(db, world) == []


def test_what_fetches_ahead_sees_nothing(phone: FlaskClient, path: str) -> None:
    for header in ("Sec-Purpose", "Purpose"):
        page = phone.get(path, headers={header: "prefetch;prerender"}).text
        assert "8am" not in page
        assert "<form" not in page


def test_a_helpers_link_opens_no_page_of_the_patient(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(ReminderLink).values(account_id=world.marta))
    assert phone.get(path).status_code == 404
    assert phone.post(path).status_code == 404


def direct(phone: FlaskClient, path: str, verb: str) -> tuple[int, str, str]:
    answer = phone.post(f"{path}/direct/{verb}")
    told = answer.json or {}
    return answer.status_code, told.get("outcome", ""), told.get("words", "")


@pytest.fixture
def by_push(db: Database, path: str) -> str:
    """The same link, as it went in a notification."""
    with db.transaction() as session:
        session.execute(sa.update(ReminderLink).values(channel="ntfy"))
    return path


def test_a_button_of_a_notification_answers_without_a_page(
    phone: FlaskClient, by_push: str, db: Database, world: World, now: datetime
) -> None:
    thanks = "Recorded at 8.05am. Thank you, Rosa."
    assert direct(phone, by_push, "taken") == (200, "recorded", thanks)
    again = "Already recorded at 8.05am by you."
    assert direct(phone, by_push, "taken") == (200, "already", again)
    assert direct(phone, by_push, "skip") == (200, "already", again)
    assert events(db, world) == [("taken", "ntfy")]
    assert delivery(db, world).answered_at == now


def test_the_web_app_of_ntfy_presses_from_its_own_origin(
    app: Flask, by_push: str, db: Database, world: World, now: datetime
) -> None:
    headers = {"Origin": "https://ntfy.sh", "Sec-Fetch-Site": "cross-site"}
    # Whoever is signed in there answers as the link's owner, never as themselves.
    nora = signed_in(app, world.nora, now=now)
    answer = nora.post(f"{by_push}/direct/taken", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert not {"Set-Cookie", "Access-Control-Allow-Credentials"} & set(
        answer.headers.keys()
    )
    assert events(db, world) == [("taken", "ntfy")]
    with db.reading() as session:
        assert session.scalars(sa.select(DoseEvent.account_id)).all() == [None]
    assert nora.post(by_push, headers=headers).status_code == 403


def test_later_and_skip_by_a_button(
    phone: FlaskClient, by_push: str, db: Database, world: World
) -> None:
    told = direct(phone, by_push, "later")
    assert told == (200, "later", "We remind you again at 8.15am.")
    assert direct(phone, by_push, "skip")[1] == "skipped"
    assert events(db, world) == [("skipped", "ntfy")]


def test_a_late_button_records_nothing_and_a_message_asks_once_to_open_the_page(
    phone: FlaskClient,
    by_push: str,
    db: Database,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    pinned.shift(timedelta(hours=2))
    assert direct(phone, by_push, "taken")[1] == "late"
    assert direct(phone, by_push, "taken")[1] == "late"
    assert events(db, world) == []
    with db.reading() as session:
        kinds = sa.select(Delivery.context).where(Delivery.kind == "answer_late")
        (context,) = session.scalars(kinds).all()
    assert by_push in (context or "")


def test_only_links_of_notifications_and_known_verbs_are_direct(
    phone: FlaskClient, path: str, db: Database
) -> None:
    assert direct(phone, path, "taken")[0] == 404
    with db.transaction() as session:
        session.execute(sa.update(ReminderLink).values(channel="webpush"))
        assert session.scalar(sa.select(sa.func.count(DoseEvent.id))) == 0
    assert direct(phone, path, "undo")[0] == 404
    assert phone.get(f"{path}/direct/taken").status_code == 405


def test_what_is_answered_of_a_past_day_keeps_no_time(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    pinned.shift(timedelta(hours=23))
    phone.post(path, data={"warned": "yes"})
    dose = first_dose(db, world)
    assert (dose.state, dose.taken_at) == ("taken", None)
    assert dose.recorded_at
