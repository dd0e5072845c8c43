"""The day it runs out, when that is told, and what to pack."""

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
from pillweb.supply.rules.words import (
    balance_words,
    enough_words,
    lasting_words,
    order_words,
)
from tests.world import daily

LONDON = zone("Europe/London")
AT_HOME = Life("Europe/London", "Europe/London")
NOW = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


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
