"""The sentences of today: did I take my 8 o'clock pills?"""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from pillweb.base.words import time_words
from pillweb.doses.rules.days import LATER, DoseFacts, told_again_at, waiting
from pillweb.doses.rules.pages import today_page
from pillweb.doses.rules.sentences import answer, later_words

NOW = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
EIGHT = datetime(2026, 11, 20, 8, tzinfo=UTC)


def facts(due: datetime = EIGHT, **more: object) -> DoseFacts:
    known: dict[str, object] = {
        "id": 1,
        "name": "Amlodipine",
        "strength": "5 mg",
        "unit": "tablet",
        "reason": "",
        "instruction": "",
        "amount": None,
        "dose_text": None,
        "action": None,
        "nominal_date": date(2026, 11, 20),
        "clock": time(due.hour, due.minute),
        "due_at": due,
        "missed_at": due + timedelta(hours=4),
        "state": "open",
        "recorded_at": None,
        "taken_at": None,
        "zone": "Etc/UTC",
    }
    return DoseFacts(**(known | more))  # type: ignore[arg-type]


def clock(instant: datetime) -> str:
    return time_words(instant.time())


def taken(at: datetime | None = EIGHT + timedelta(minutes=4)) -> DoseFacts:
    return facts(state="taken", recorded_at=NOW, taken_at=at)


@pytest.mark.parametrize(
    ("doses", "mine", "hers"),
    [
        ([], "", ""),
        ([facts(NOW + timedelta(hours=5))], "", ""),
        (
            [taken()],
            "You took your 8am medicine at 8.04am.",
            "Rosa took the 8am medicine at 8.04am.",
        ),
        (
            [taken(), taken(EIGHT)],
            "You took your 8am medicines at 8.04am.",
            "Rosa took the 8am medicines at 8.04am.",
        ),
        (
            [taken(), taken(None)],
            "You took your 8am medicines.",
            "Rosa took the 8am medicines.",
        ),
        (
            [facts()],
            "There is no record for the 8am medicine.",
            "There is no record for the 8am medicine.",
        ),
        (
            [taken(), facts()],
            "Some of the 8am medicines have no record.",
            "Some of the 8am medicines have no record.",
        ),
        (
            [facts(state="skipped", recorded_at=NOW), taken()],
            "The 8am medicines are recorded.",
            "The 8am medicines are recorded.",
        ),
        (
            [taken()._replace(action="remove")],
            "The 8am medicine is recorded.",
            "The 8am medicine is recorded.",
        ),
        ([facts(state="held")], "", ""),
    ],
)
def test_today_answers_in_one_sentence(
    doses: list[DoseFacts], mine: str, hers: str
) -> None:
    assert answer(doses, who="", now=NOW, clock=clock) == mine
    assert answer(doses, who="Rosa", now=NOW, clock=clock) == hers
    for sentence in (mine, hers):
        assert len(sentence.split()) <= 20


def test_what_is_to_be_taken_comes_before_any_answer() -> None:
    page = today_page(
        [taken(), facts(NOW, id=2)],
        who="",
        here=NOW,
        now=NOW,
        clock=clock,
        may_mark=True,
    )
    assert (page.headline, page.answer) == ("You have 1 medicine to take now.", "")


@pytest.mark.parametrize(
    ("due", "window", "offered"),
    [
        # An ordinary medicine of once a day may wait for two hours after its time.
        (0, 120, [15, 30, 60]),
        (-60, 120, [15, 30, 60]),
        (-61, 120, [15, 30]),
        (-106, 120, []),
        (0, 60, [15, 30, 60]),
        # One that must not be late may wait for half an hour at most.
        (0, 30, [15, 30]),
        (-10, 30, [15]),
        (-16, 30, []),
        (-30, 30, []),
        # Before its time nothing is spoken of earlier than then.
        (20, 30, [20, 30]),
        (20, 120, [20, 30, 60]),
    ],
)
def test_later_is_never_past_the_window(
    due: int, window: int, offered: list[int]
) -> None:
    minute = timedelta(minutes=1)
    dose = facts(NOW + due * minute, window=window * minute)
    found = waiting([dose], now=NOW)
    times = {told_again_at(found, wait, now=NOW) for wait in LATER} - {None}
    assert [(at - NOW) // minute for at in sorted(times)] == offered  # type: ignore[type-var,operator]


def test_the_shortest_window_of_a_moment_holds_for_all() -> None:
    hours = [facts(NOW, window=timedelta(hours=n)) for n in (2, 1)]
    urgent = facts(NOW, window=timedelta(minutes=30))
    hour = LATER[-1]
    assert told_again_at(hours, hour, now=NOW) == NOW + hour
    assert told_again_at([*hours, urgent], hour, now=NOW) is None


def test_today_says_when_we_remind_again() -> None:
    dose = facts(NOW, later_until=NOW + LATER[0])
    said = "We remind you again at 1.20pm."
    assert later_words([dose], who="", now=NOW, clock=clock) == said
    hers = "We remind Rosa again at 1.20pm."
    assert later_words([dose], who="Rosa", now=NOW, clock=clock) == hers
    after = NOW + LATER[0]
    assert later_words([dose], who="", now=after, clock=clock) == ""
    taken_since = dose._replace(state="taken")
    assert later_words([taken_since], who="", now=NOW, clock=clock) == ""
