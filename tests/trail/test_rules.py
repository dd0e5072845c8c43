from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pillweb.base.zones import zone
from pillweb.trail.rules import Trail, gathered, masked, reason_words, steps_of

LONDON = zone("Europe/London")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def trail(now: datetime) -> Trail:
    return Trail(
        id=1,
        kind="dose_due",
        subject_id=7,
        channel="email",
        who="Rosa",
        address="r…@family.example",
        state="pending",
        attempts=0,
        last_error=None,
        created_at=now,
        due_at=now,
        next_at=now,
        accepted_at=None,
        delivered_at=None,
        opened_at=None,
        answered_at=None,
    )


def test_the_whole_way_of_a_message_is_told_in_its_order(
    trail: Trail, now: datetime
) -> None:
    done = replace(
        trail,
        state="accepted",
        attempts=3,
        accepted_at=now + MINUTE,
        delivered_at=now + 2 * MINUTE,
        opened_at=now + 3 * MINUTE,
        answered_at=now + 4 * MINUTE,
    )
    assert steps_of(done, LONDON, now=now) == [
        "Ready to be sent at 8.05am.",
        "Tried again 2 times.",
        "Sent at 8.06am.",
        "Arrived at 8.07am.",
        "Opened at 8.08am.",
        "Answered at 8.09am.",
    ]


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        (
            "dead",
            "smtp_550",
            ["It did not arrive.", "The address does not work any more."],
        ),
        (
            "dead",
            "crashed",
            ["It did not arrive.", "PillWeb could not make this message."],
        ),
        ("cancelled", None, ["It was not needed any more."]),
        ("expired", None, ["It was too late to send it."]),
        (
            "suppressed",
            "storm",
            ["It was not sent.", "There were too many messages at once."],
        ),
        (
            "superseded",
            "TimeoutError",
            [
                "It went another way instead.",
                "The service that carries it did not answer.",
            ],
        ),
        ("leased", None, ["It is being sent now."]),
    ],
)
def test_each_end_has_its_words(
    trail: Trail, now: datetime, state: str, error: str | None, said: list[str]
) -> None:
    ended = replace(trail, state=state, last_error=error)
    assert steps_of(ended, LONDON, now=now)[1:] == said


def test_what_waits_says_until_when(trail: Trail, now: datetime) -> None:
    held = replace(trail, next_at=now + 55 * MINUTE)
    assert steps_of(held, LONDON, now=now)[-1] == "It waits until 9am."
    again = replace(trail, next_at=now + MINUTE, attempts=1)
    assert steps_of(again, LONDON, now=now)[-1] == "It is tried again at 8.06am."
    assert steps_of(trail, LONDON, now=now)[-1] == "It will be sent in a moment."


def test_what_is_about_one_thing_stands_together(trail: Trail) -> None:
    second = replace(trail, id=2, channel="sms")
    other = replace(trail, id=3, subject_id=8)
    alone = replace(trail, id=4, kind="clock_changed", subject_id=None)
    groups = gathered([trail, other, second, alone])
    assert [[one.id for one in group] for group in groups] == [[1, 2], [3], [4]]


@pytest.mark.parametrize(
    "address",
    [
        '{"endpoint": "https://push.example/secret", "keys": {"auth": "x@y"}}',
        "https://ntfy.example/secret-topic",
        "device-key-that-is-long",
        "tgram://token@chat/123",
    ],
)
def test_an_address_that_is_a_secret_is_not_shown_at_all(address: str) -> None:
    assert masked(address) == ""


def test_an_unknown_code_is_still_a_sentence() -> None:
    assert reason_words("whatever") == "The service that carries it did not take it."
