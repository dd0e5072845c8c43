from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.base import words
from pillweb.base.i18n import LANGUAGES, Speech, speaking


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("08:00", "8am"),
        ("08:05", "8.05am"),
        ("17:30", "5.30pm"),
        ("12:00", "midday"),
        ("00:00", "midnight"),
        ("00:30", "12.30am"),
        ("12:01", "12.01pm"),
        ("23:59", "11.59pm"),
    ],
)
def test_time_words(clock: str, expected: str) -> None:
    assert words.time_words(time.fromisoformat(clock)) == expected


@given(st.times(), st.times())
def test_time_words_differ_for_different_minutes(one: time, other: time) -> None:
    same = (one.hour, one.minute) == (other.hour, other.minute)
    assert (words.time_words(one) == words.time_words(other)) is same


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        ("1", "tablet", "1 tablet"),
        ("1.0", "tablet", "1 tablet"),
        ("2", "tablet", "2 tablets"),
        ("0.5", "tablet", "half a tablet"),
        ("0.25", "tablet", "a quarter of a tablet"),
        ("0.75", "tablet", "three quarters of a tablet"),
        ("1.5", "tablet", "1 and a half tablets"),
        ("0.3", "tablet", "0.3 tablets"),
        ("0.50", "ml", "0.5 ml"),
        ("10", "ml", "10 ml"),
        ("100", "mg", "100 mg"),
        ("1000", "mg", "1,000 mg"),
        ("2", "patch", "2 patches"),
        ("8", "unit", "8 units"),
        ("3", "", "3"),
        ("1E+1", "drop", "10 drops"),
    ],
)
def test_amount_words(amount: str, unit: str, expected: str) -> None:
    assert words.amount_words(Decimal(amount), unit) == expected


@given(st.decimals(0, 10_000, places=3))
def test_numbers_never_lose_a_zero_or_trail_one(number: Decimal) -> None:
    told = words.number_words(number)
    assert Decimal(told.replace(",", "")) == number
    assert not told.startswith(".")
    assert "." not in told or told[-1] not in "0."


def test_dates() -> None:
    assert words.date_words(date(2026, 11, 20)) == "Friday 20 November"
    assert words.long_date_words(date(2026, 6, 7)) == "7 June 2026"
    shown = datetime(2026, 11, 20, 18, 5)  # noqa: DTZ001 - a wall time
    assert words.greeting(shown) == "Friday 20 November, evening"


def test_join_words() -> None:
    assert words.join_words([]) == ""
    assert words.join_words(["a"]) == "a"
    assert words.join_words(["a", "b"]) == "a and b"
    assert words.join_words(["a", "b", "c"]) == "a, b and c"


def test_ordinals() -> None:
    told = [words.ordinal_words(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 31)]
    assert told == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "31st"]


def test_parts_of_day_cover_it() -> None:
    told = [words.part_of_day(time(hour)) for hour in range(24)]
    assert told[:4] == ["bedtime"] * 4
    assert (told[7], told[12], told[18], told[22]) == (
        "morning",
        "midday",
        "evening",
        "bedtime",
    )
    assert words.greeting_part(time(2)) == "night"
    assert words.greeting_part(time(9)) == "morning"


NOON, EVENING = time(12), time(20, 30)


@pytest.mark.parametrize(
    ("how", "noon", "evening"),
    [
        (Speech("en", "24"), "12:00", "20:30"),
        (Speech("es"), "12:00", "20:30"),
        (Speech("zh", "12"), "中午12:00", "晚上8:30"),
        (Speech("hi"), "दोपहर 12:00", "रात 8:30"),
        (Speech("pl", "12"), "12:00 w południe", "8:30 wieczorem"),
        (Speech("ar", "24", "arab"), "١٢:٠٠", "٢٠:٣٠"),  # noqa: RUF001 - the digits are the point
    ],
)
def test_a_clock_reads_as_its_reader_wants(
    how: Speech, noon: str, evening: str
) -> None:
    with speaking(how):
        assert [words.time_words(NOON), words.time_words(EVENING)] == [noon, evening]


@given(st.sampled_from(sorted(LANGUAGES)), st.sampled_from(["", "12", "24"]))
def test_no_two_hours_read_alike(language: str, hours: str) -> None:
    with speaking(Speech(language, hours)):
        assert len({words.time_words(time(hour)) for hour in range(24)}) == 24


@pytest.mark.parametrize(
    ("language", "number", "told"),
    [
        ("pl", "0.5", "0,5"),
        ("fr", "1.25", "1,25"),
        ("es", "1000", "1\u202f000"),
        ("es", "0.125", "0,125"),
        ("zh", "1000", "1,000"),
        ("ar", "0.5", "0.5"),
    ],
)
def test_numbers_read_as_the_language_has_them(
    language: str, number: str, told: str
) -> None:
    with speaking(Speech(language)):
        assert words.number_words(Decimal(number)) == told


def test_names_of_days_and_months_are_those_of_the_language() -> None:
    with speaking(Speech("pl")):
        assert words.weekday_name(0) == "poniedziałek"
        assert words.month_words(date(2026, 11, 20)) == "listopad 2026"
        assert "listopada" in words.day_words(date(2026, 11, 20))
    with speaking(Speech("zh")):
        assert words.day_words(date(2026, 11, 20)) == "11月20日"
    assert words.weekday_short(0) == "Mon"
    assert words.full_date_words(date(2026, 11, 20)) == "Friday 20 November 2026"


@pytest.mark.parametrize("month", range(1, 13))
def test_no_language_borrows_the_months_of_another(month: int) -> None:
    names = {}
    for language in ("zh", *LANGUAGES):
        with speaking(Speech(language)):
            names[language] = words.month_name(month)
    spoken = [name for name in names.values() if names["zh"] == name]
    assert len(spoken) == 1, names
