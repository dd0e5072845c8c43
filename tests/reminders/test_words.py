"""What messages say, read as who gets them reads them: as mail, SMS and call."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.i18n import LANGUAGES, Speech, speaking
from pillweb.base.render import render_mail
from pillweb.base.words import dated_words
from pillweb.channels import Message
from pillweb.channels.gsm import parts_of
from pillweb.channels.sms import text_of
from pillweb.channels.voice import words_of
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint, Preference
from pillweb.hooks.actions import note_undelivered
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from tests.reminders.steps import leave
from tests.world import make_patient, plan, prescribe

LINK = "http://127.0.0.1:8000/t/"
# What a message of each kind that may go to a phone says about.
PHONED: dict[str, dict[str, object]] = {
    "contact_test": {"about_others": False},
    "dose_late": {"times": ["8am on Friday 20 November"]},
    "held_back": {"number": 2, "people": [{"name": "Rosa", "link": LINK}]},
    "refill_due": {"whose": "", "items": [{"runs_out": "Friday", "order": "Order."}]},
    "too_much": {"patient_name": "Rosa", "recorded_by": "", "time_words": "8am"},
}
ABOUT: dict[str, object] = {
    "first_name": "Marta",
    "link": LINK,
    "date_words": "Friday",
    "emergency": "112",
    "poison": "",
}


def reminded(
    session: Session, now: datetime, channel: str, *, named: bool = False
) -> Message:
    """Return the reminder of 8.05 that Rosa gets by a channel."""
    rosa = make_patient(session, now=now)
    session.execute(sa.delete(ContactPoint))
    add_contact(
        session,
        channel=channel,
        address="+447700900123",
        patient_id=rosa.id,
        is_proven=True,
        now=now,
    )
    session.add(Preference(patient_id=rosa.id, unwanted={}, shows_names=named))
    prescribe(session, rosa, "08:05", now=now, name="Levodopa")
    plan(session, rosa, now=now)
    fire_reminders(session, now=now, limit=9)
    return compose_message(session.scalars(sa.select(Delivery)).one(), now=now)


def test_a_mail_names_the_day_as_well_as_the_time(
    session: Session, now: datetime
) -> None:
    mail = reminded(session, now, "email")
    said = mail.text.split("\n\n")[:2]
    assert said == [
        "Hello Rosa,",
        "it is time for your 8.05am medicines.\n8.05am on Friday 20 November",
    ]
    assert "<bdi>8.05am on Friday 20 November</bdi>" in mail.html
    assert "Levodopa" not in mail.text + mail.html


def test_a_mail_names_the_medicines_where_the_patient_wants_it(
    session: Session, now: datetime
) -> None:
    mail = reminded(session, now, "email", named=True)
    assert "8.05am on Friday 20 November\n- Levodopa 5 mg\n" in mail.text
    assert "<li><bdi>Levodopa 5 mg</bdi></li>" in mail.html
    assert "Levodopa" not in mail.subject + mail.short


def test_what_was_lost_and_is_said_again_says_as_much(
    session: Session, now: datetime
) -> None:
    reminded(session, now, "sms", named=True)
    rosa = session.scalars(sa.select(Patient)).one()
    add_contact(
        session,
        channel="email",
        address="rosa@family.example",
        patient_id=rosa.id,
        is_proven=True,
        now=now,
    )
    leave(session, now)
    lost = session.scalars(sa.select(Delivery)).one()
    note_undelivered(session, lost, error="lost", now=now)
    again = session.scalars(sa.select(Delivery).order_by(Delivery.id.desc())).first()
    mail = compose_message(again or lost, now=now)
    assert "8.05am on Friday 20 November\n- Levodopa 5 mg\n" in mail.text


def test_an_sms_says_for_whom_it_is(session: Session, now: datetime) -> None:
    text = text_of(reminded(session, now, "sms"))
    said, _link, secret = text.partition(LINK)
    assert said.startswith("Hello Rosa, it is time for your 8.05am medicines. Reply ")
    assert parts_of(text) == 1
    assert len(secret) > 40


def test_a_call_says_who_calls_and_for_whom(session: Session, now: datetime) -> None:
    assert words_of(reminded(session, now, "voice")) == (
        "PillWeb. Hello Rosa, it is time for your 8.05am medicines. "
        "For “Taken”, press 1. For “In 10 minutes”, press 2. "
        "For “Not taking it”, press 3."
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", PHONED)
def test_on_a_phone_a_message_is_for_somebody_and_ends_before_what_follows(
    kind: str, language: str
) -> None:
    with speaking(Speech(language)):
        words = render_mail(kind, ABOUT | PHONED[kind])
    assert "Marta" in words.short
    assert words.short[-1] in ".。।។]"
    assert words.short != words.subject


def test_times_of_two_days_each_have_their_date(now: datetime) -> None:
    night = now.replace(hour=23, minute=55)
    late = [night, night + timedelta(minutes=2), night + timedelta(minutes=10)]
    assert dated_words(late) == (
        "11.55pm and 11.57pm on Friday 20 November and 12.05am on Saturday 21 November"
    )
