"""Units, the ledger's fold, how long a supply lasts, and what to pack."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.base.zones import zone
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line import (
    InCycle,
    Line,
    Pause,
    Prn,
    PrnLimit,
    Step,
    TimeOfDay,
)
from pillweb.schedules.rules.occurrences import occurrences
from pillweb.supply.rules.checks import is_settled, is_waking, must_tell, next_check
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
from pillweb.supply.rules.packing import as_needed_a_day, packing
from pillweb.supply.rules.run_out import (
    LOOKS_AHEAD,
    HeldLine,
    Lasting,
    Need,
    Outlook,
    coming_needs,
    estimate,
    first_uncovered,
    is_low,
    outlook,
)
from pillweb.supply.rules.units import planned_units, quantity_words, units_used
from pillweb.supply.rules.words import (
    balance_words,
    enough_words,
    lasting_words,
    note_words,
    order_words,
)
from tests.world import daily

LONDON = zone("Europe/London")
AT_HOME = Life("Europe/London", "Europe/London")
NOW = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)
TODAY = NOW.date()
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


def held(line: Line, **more: Any) -> HeldLine:  # noqa: ANN401 - what a test says
    facts: dict[str, Any] = {"line_id": 1, "unit": "tablet", "strength": "5 mg"}
    return HeldLine(line=line, start=NOW, **(facts | more))


def asked(balance: object, *lines: HeldLine, **more: Any) -> Outlook:  # noqa: ANN401 - what a test says
    return outlook(Fraction(str(balance)), lines, AT_HOME, now=NOW, **more)


def test_the_first_day_without_a_whole_dose_is_named() -> None:
    line = held(daily("08:00", "20:00", start=TODAY))
    assert asked(0, line).runs_out_on == TODAY
    # This evening's, both of the 21st, and the morning of the 22nd.
    assert asked(3, line).runs_out_on == date(2026, 11, 22)
    assert asked(4, line).runs_out_on == date(2026, 11, 22)
    assert asked(5, line).runs_out_on == date(2026, 11, 23)


def test_the_date_is_the_same_before_and_after_taken_is_pressed() -> None:
    line = held(daily("08:00", "20:00", start=TODAY))
    morning = Need(NOW - timedelta(minutes=5), TODAY, Fraction(1))
    evening = NOW.replace(hour=20, minute=0)
    before = asked(10, line, still_open=[morning])
    assert before == asked(9, line)
    early = asked(8, line, settled=frozenset({(1, evening)}))
    assert before == early


def test_a_taper_a_pause_and_an_end_are_followed() -> None:
    def step(days: int, dose: str) -> Step:
        return Step(days, (TimeOfDay(at=time(9), dose=read_dose(dose)),))

    taper = held(
        Line(
            kind="clock",
            start_date=TODAY,
            steps=(step(3, "10 mg"), step(3, "5 mg"), step(2, "2.5 mg")),
            pauses=(Pause(date(2026, 11, 24), date(2026, 11, 24)),),
        )
    )
    # 2 + 2 + 2, then 1 on the 23rd, none on the 24th, 1 on the 25th, twice a half.
    assert asked(9, taper) == Outlook(Lasting.PLAN_ENDS)
    assert asked("8.5", taper).runs_out_on == date(2026, 11, 27)
    assert asked(7, taper).runs_out_on == date(2026, 11, 25)


def test_what_cannot_be_said_is_not_guessed() -> None:
    assert asked(5).lasting is Lasting.NOT_TAKEN
    assert asked(5, held(Line(kind="prn", prn=Prn()))).lasting is Lasting.AS_NEEDED
    unclear = held(daily("20:00", start=TODAY, amount="40 mg"), strength="")
    assert asked(99, unclear).lasting is Lasting.UNKNOWN
    weekly = daily("20:00", start=TODAY)
    assert asked(366, held(weekly)).lasting is Lasting.LONG
    assert asked(365, held(weekly)).lasting is Lasting.UNTIL
    ends = held(weekly, end=NOW + 3 * DAY)
    assert asked(3, ends).lasting is Lasting.PLAN_ENDS


lines = st.builds(
    lambda clocks, amount, cycle, wait, length: Line(
        kind="clock",
        start_date=TODAY + wait * DAY,
        end_date=TODAY + (wait + length) * DAY,
        days=InCycle(*cycle),
        times=tuple(
            TimeOfDay(at=time(hour), dose=read_dose(amount), slot=slot)
            for slot, hour in enumerate(sorted(clocks))
        ),
    ),
    st.sets(st.integers(0, 23), min_size=1, max_size=3),
    st.sampled_from(["1", "1/2 tablet", "1/3 tablet", "7.5 mg", "2 tablets"]),
    st.tuples(st.integers(1, 9), st.integers(0, 9)),
    st.integers(0, 40),
    st.integers(0, 300),
)


@given(
    st.lists(lines, min_size=1, max_size=3),
    st.fractions(0, 400, max_denominator=6),
    st.sampled_from(["Europe/London", "Pacific/Apia", "America/St_Johns"]),
)
def test_the_run_out_date_is_the_one_found_by_counting_tablets(
    plan: list[Line], balance: Fraction, place: str
) -> None:
    window = (NOW, NOW + LOOKS_AHEAD)
    doses = sorted(
        (due for line in plan for due in occurrences(line, place, window)),
        key=lambda due: due.due_at,
    )
    left, runs_out = balance, None
    for due in doses:
        units = {"7.5 mg": Fraction(3, 2), "2 tablets": Fraction(2)}.get(
            due.dose,
            Fraction(due.dose.split()[0])
            if "/" in due.dose or due.dose == "1"
            else Fraction(0),
        )
        left -= units
        if left < 0:
            runs_out = due.nominal_date
            break
    found = outlook(balance, [held(line) for line in plan], Life(place, place), now=NOW)
    assert found.runs_out_on == runs_out
    assert (found.lasting is Lasting.UNTIL) == (runs_out is not None)


@given(st.integers(0, 40), st.integers(0, 40))
def test_more_never_lasts_shorter(some: int, more: int) -> None:
    line = held(daily("08:00", start=TODAY))
    needs = list(coming_needs([line], AT_HOME, start=NOW, end=NOW + 99 * DAY))
    first = first_uncovered(Fraction(some), needs)
    later = first_uncovered(Fraction(some + more), needs)
    assert first is not None
    assert later is not None
    assert first.due_at <= later.due_at


def test_as_needed_is_an_estimate_from_a_week_on() -> None:
    facts: dict[str, Any] = {"used": Fraction(14), "now": NOW, "today": TODAY}
    guess = estimate(Fraction(10), since=NOW - 28 * DAY, **facts)
    assert guess == Outlook(Lasting.ESTIMATE, TODAY + 20 * DAY)
    quick = estimate(Fraction(10), since=NOW - 7 * DAY, **facts)
    assert quick == Outlook(Lasting.ESTIMATE, TODAY + 5 * DAY)
    for since, used in ((NOW - 6 * DAY, 14), (NOW - 28 * DAY, 0)):
        none = facts | {"used": Fraction(used)}
        assert estimate(Fraction(10), since=since, **none).runs_out_on is None


def until(days: int) -> Outlook:
    return Outlook(Lasting.UNTIL, TODAY + days * DAY)


def test_low_is_two_days_before_the_doctor_and_the_pharmacy_begin() -> None:
    assert is_low(until(5), lead_days=3, today=TODAY)
    assert not is_low(until(6), lead_days=3, today=TODAY)
    assert not is_low(Outlook(Lasting.LONG), lead_days=3, today=TODAY)


def test_low_is_told_once_a_week() -> None:
    facts: dict[str, Any] = {"lead_days": 3, "today": TODAY, "now": NOW}
    assert must_tell(until(5), reminded_at=None, **facts)
    assert not must_tell(until(5), reminded_at=NOW - 6 * DAY, **facts)
    assert must_tell(until(1), reminded_at=NOW - 7 * DAY, **facts)
    assert not must_tell(until(6), reminded_at=None, **facts)


def test_a_dose_left_out_does_not_make_running_out_new() -> None:
    assert not is_settled(until(6), lead_days=3, today=TODAY)
    assert not is_settled(until(12), lead_days=3, today=TODAY)
    assert is_settled(until(13), lead_days=3, today=TODAY)
    assert is_settled(Outlook(Lasting.PLAN_ENDS), lead_days=3, today=TODAY)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - UTC below
def test_the_next_look_is_at_nine_within_a_day_or_so(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    at = next_check(now, LONDON)
    assert timedelta(0) < at - now <= timedelta(hours=25)
    assert at.astimezone(LONDON).time() == time(9)


def test_nobody_is_asked_to_go_out_at_night() -> None:
    hours = [hour for hour in range(24) if is_waking(NOW.replace(hour=hour), LONDON)]
    assert hours == list(range(9, 19))


@pytest.mark.parametrize(
    ("prn", "dose", "a_day"),
    [
        (Prn(max=PrnLimit(Decimal(24), doses=4)), "2 tablets", Fraction(8)),
        (Prn(max=PrnLimit(Decimal(12), doses=1)), "1", Fraction(2)),
        (Prn(max=PrnLimit(Decimal(24), amount=read_dose("20 mg"))), "1", Fraction(4)),
        (Prn(min_interval_minutes=300), "1", Fraction(5)),
        (
            Prn(min_interval_minutes=60, max=PrnLimit(Decimal(24), doses=3)),
            "1",
            Fraction(3),
        ),
        (Prn(), "1", None),
    ],
)
def test_as_needed_is_packed_at_its_daily_limit(
    prn: Prn, dose: str, a_day: Fraction | None
) -> None:
    assert as_needed_a_day(held(Line("prn", prn=prn, dose=read_dose(dose)))) == a_day


def packed(
    *some: HeldLine, balance: int | None, first: date, days: int
) -> tuple[Any, str]:
    planned = [one for one in some if one.line.kind != "prn"]
    found = packing(
        some,
        coming_needs(planned, AT_HOME, start=NOW, end=NOW + 60 * DAY),
        first=first,
        last=first + (days - 1) * DAY,
        balance=None if balance is None else Fraction(balance),
    )
    return found, enough_words(found, "tablet")


def test_what_to_pack_is_what_the_plan_wants_in_whole_units() -> None:
    halves = held(daily("08:00", start=TODAY, amount="1/2 tablet"))
    found, words = packed(halves, balance=4, first=TODAY + 2 * DAY, days=7)
    assert (found.needed, found.before, found.missing) == (4, Fraction(1, 2), 1)
    assert words == (
        "You have 4 tablets. You use half a tablet before you go. "
        "Get 1 tablet more before you go."
    )
    assert packed(halves, balance=5, first=TODAY + 2 * DAY, days=7)[1].endswith(
        "That is enough."
    )


def test_as_needed_and_planned_on_one_medicine_are_packed_together() -> None:
    prn = Line("prn", prn=Prn(max=PrnLimit(Decimal(24), doses=2)), dose=read_dose("1"))
    both = (held(daily("08:00", start=TODAY)), held(prn))
    found, _ = packed(*both, balance=None, first=TODAY + DAY, days=3)
    assert (found.needed, found.missing) == (9, 0)
    no_limit = held(Line("prn", prn=Prn(), dose=read_dose("1")))
    assert packed(no_limit, balance=3, first=TODAY, days=3)[0].needed is None


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


def test_a_supply_is_told_in_plain_words() -> None:
    assert balance_words(Fraction(28), "tablet") == "28 tablets"
    assert balance_words(Fraction(0), "tablet") == "None left"
    assert "Please count" in balance_words(Fraction(-1), "tablet")
    assert lasting_words(until(29), today=TODAY) == (
        "Enough until the end of Friday 18 December."
    )
    assert lasting_words(until(0), today=TODAY) == "Not enough for today."
    assert lasting_words(until(1), today=TODAY).startswith("Enough for today")
    assert order_words(repeats_left=0, lead_days=3) == (
        "No repeats are left. Ask the doctor now, who needs 3 days."
    )
    assert order_words(repeats_left=2, lead_days=1) == (
        "Get more now. It takes 1 day. 2 repeats are left."
    )
    assert order_words(repeats_left=None, lead_days=0) == "Get more now."
