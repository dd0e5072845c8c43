"""Units, the ledger's fold, how long a supply lasts, and what to pack."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.base.zones import zone
from pillweb.schedules.rules.dose import read_dose
from pillweb.supply.rules.ledger import (
    NOT_COUNTED,
    RECOUNT,
    TAKEN,
    TAKEN_BACK,
    Row,
    Said,
    Subject,
    bookings,
    with_balance,
)
from pillweb.supply.rules.units import planned_units, quantity_words, units_used
from pillweb.supply.rules.words import (
    note_words,
)

LONDON = zone("Europe/London")
NOW = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)
DAY = timedelta(days=1)
THIRD = Fraction(1, 3)


@pytest.mark.parametrize(
    ("dose", "unit", "strength", "used"),
    [
        ("1", "tablet", "", Fraction(1)),
        ("1/3 tablet", "tablet", "", THIRD),
        ("1 1/2 tablets", "tablet", "5 mg", Fraction(3, 2)),
        ("7.5 mg", "tablet", "5 mg", Fraction(3, 2)),
        ("5 mg", "tablet", "15 mg", THIRD),
        ("50 micrograms", "tablet", "0.1 mg", Fraction(1, 2)),
        ("50 mcg", "tablet", "25 micrograms", Fraction(2)),
        ("1 g", "tablet", "500 mg", Fraction(2)),
        ("1,000 mg", "tablet", "500 mg", None),
        ("500 mg", "tablet", "1,000 mg", Fraction(1, 2)),
        ("500 mg", "ml", "250 mg/5 ml", Fraction(10)),
        ("500 mg", "ml", "250mg per 5ml", Fraction(10)),
        ("10 ml", "ml", "", Fraction(10)),
        ("2 puffs", "puff", "100 micrograms", Fraction(2)),
        ("8 units", "unit", "100 units/ml", Fraction(8)),
        ("2 patches", "patch", "", Fraction(2)),
        ("40 mg", "tablet", "", None),
        ("40 mg", "tablet", "strong", None),
        ("40 mg", "tablet", "500 mg/30 mg", None),
        ("40 mg", "tablet", "0 mg", None),
        ("2 drops", "tablet", "5 mg", None),
        ("apply", "application", "", None),
        ("1 to 2 tablets", "tablet", "", None),
    ],
)
def test_a_dose_is_counted_exactly_or_not_at_all(
    dose: str, unit: str, strength: str, used: Fraction | None
) -> None:
    assert units_used(read_dose(dose), unit=unit, strength=strength) == used


@pytest.mark.parametrize(
    ("strength", "used"),
    [
        ("2,5 mg", 3),
        ("2.5 mg", 3),
        ("1,000 mg", Fraction(3, 400)),
        ("1.000 mg", None),
        ("12.500 mg", None),
    ],
)
def test_a_strength_is_read_as_its_writer_meant_it_or_not_at_all(
    strength: str, used: Fraction | None
) -> None:
    dose = read_dose("7.5 mg")
    assert units_used(dose, unit="tablet", strength=strength) == used


def test_taking_a_patch_off_uses_nothing() -> None:
    facts = {"unit": "patch", "strength": ""}
    assert planned_units("1", Decimal(1), action="remove", **facts) == 0
    assert planned_units("1", Decimal(1), action="apply", **facts) == 1


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        (Fraction(28), "28 tablets"),
        (Fraction(1), "1 tablet"),
        (Fraction(1, 2), "half a tablet"),
        (Fraction(82, 3), "27 1/3 tablets"),
        (THIRD, "1/3 tablet"),
        (Fraction(-3, 2), "\u22121 and a half tablets"),
        (Fraction(1200), "1,200 tablets"),
    ],
)
def test_a_quantity_is_told_exactly(quantity: Fraction, words: str) -> None:
    assert quantity_words(quantity, "tablet") == words


def said(number: int, what: str, **more: Any) -> Said:  # noqa: ANN401 - what a test says
    facts: dict[str, Any] = {
        "source": "dose",
        "subject_id": 1,
        "medication_id": 1,
        "amount": Decimal(1) if what in {"taken", "part"} else None,
        "dose_text": "1",
        "action": None,
        "unit": "tablet",
        "strength": "5 mg",
        "at": NOW,
        "account_id": None,
    }
    return Said(event_id=number, what=what, **(facts | more))


def booked(*events: Said, used: dict[Subject, Fraction] | None = None) -> list[Any]:
    found = bookings(events, used or {})
    return [(booking.quantity, booking.cause) for booking in found]


def test_a_dose_taken_back_gives_exactly_what_it_took() -> None:
    thirds = said(1, "taken", amount=None, dose_text="1/3 tablet")
    assert booked(thirds, said(2, "undone")) == [(-THIRD, TAKEN), (THIRD, TAKEN_BACK)]


def test_a_part_replaces_what_was_booked_of_the_dose() -> None:
    part = said(2, "part", amount=Decimal("0.5"))
    assert booked(said(1, "taken"), part) == [
        (-1, TAKEN),
        (Fraction(1, 2), TAKEN),
    ]


def test_what_was_booked_comes_back_though_the_strength_says_otherwise_now() -> None:
    assert booked(
        said(9, "undone", strength="1 mg"), used={("dose", 1): Fraction(8)}
    ) == [(8, TAKEN_BACK)]


def test_what_was_never_booked_does_not_come_back() -> None:
    assert booked(said(9, "undone"), said(10, "skipped")) == [
        (0, TAKEN_BACK),
        (0, TAKEN_BACK),
    ]


def test_what_cannot_be_counted_is_a_row_that_changes_nothing() -> None:
    mg = {"dose_text": "40 mg", "amount": Decimal(40), "strength": ""}
    assert booked(said(1, "taken", **mg), said(2, "undone")) == [
        (0, NOT_COUNTED),
        (0, TAKEN_BACK),
    ]


WHAT = ("taken", "part", "skipped", "not_taken", "undone", "note")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(WHAT),
            st.integers(1, 3),
            st.decimals(0, 9, places=2, allow_nan=False),
        ),
        max_size=30,
    ),
    st.integers(0, 30),
)
def test_bookings_add_up_to_what_stands_however_they_are_split(
    story: list[tuple[str, int, Decimal]], cut: int
) -> None:
    events = [
        said(number, what, subject_id=dose, amount=amount)
        for number, (what, dose, amount) in enumerate(story)
    ]
    stands: dict[int, Fraction] = {}
    for event in events:
        if event.what in {"taken", "part"}:
            stands[event.subject_id] = Fraction(event.amount or 0)
        elif event.what != "note":
            stands[event.subject_id] = Fraction(0)
    first = list(bookings(events[:cut], {}))
    used: dict[Subject, Fraction] = {}
    for one in first:
        used[one.said.subject] = used.get(one.said.subject, Fraction(0)) - one.quantity
    parts = [*first, *bookings(events[cut:], used)]
    assert parts == list(bookings(events, {}))
    assert -sum(one.quantity for one in parts) == sum(stands.values())


def test_each_row_says_how_much_there_was_after_it() -> None:
    rows = [
        (Fraction(-1), TAKEN, NOW, "", ""),
        (Fraction(28), "received", NOW, "Ann", ""),
    ]
    shown = with_balance(rows, last=Fraction(27))
    assert [row.balance for row in shown] == [27, 28]


@pytest.mark.parametrize(
    ("balance", "quantity", "words"),
    [
        (10, 10, "Counted 10 tablets."),
        (27, 0, "Counted 27 tablets."),
        (
            Fraction(79, 3),
            Fraction(-2, 3),
            "Counted 26 1/3 tablets. The record said 27 tablets.",
        ),
    ],
)
def test_a_count_says_both_numbers(
    balance: Fraction, quantity: Fraction, words: str
) -> None:
    row = Row(Fraction(quantity), RECOUNT, NOW, "", "", Fraction(balance))
    assert note_words(row, "tablet") == words
