"""What may be typed about a medicine: amounts and times, in every hand."""

from datetime import time
from decimal import Decimal

import pytest

from pillweb.schedules.forms.reading import (
    read_amount,
    read_dose_text,
    read_range_text,
    read_time,
    read_times,
)

NO_NUMBER = "Write a number, such as 1 or 0.5."
NOT_ABOVE = "The amount must be more than 0."
TOO_MUCH = "This amount is too large. Please check it."
TOO_FINE = "Use at most 3 digits after the point."
NO_TIMES = [
    "25:00",
    "24:00",
    "08:60",
    "0am",
    "13pm",
    "8:5",
    "-8",
    "8:00:00",
    "8h",
    "",
    "am",
    "noonish",
    "8,30",
    "9999",
    "8 8",
]
NO_TIME = "Write a time such as 8:00 or 8pm."


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("1", "1"),
        (" 2 ", "2"),
        ("1.0", "1"),
        ("10", "10"),
        ("1000", "1000"),
        ("0.5", "0.5"),
        ("0,5", "0.5"),
        (".5", "0.5"),
        ("2.50", "2.5"),
        ("0.125", "0.125"),
        ("1.1250", "1.125"),
        ("½", "0.5"),
        ("1½", "1.5"),
        ("1 ½", "1.5"),
        ("¾", "0.75"),
        ("1/2", "0.5"),
        ("1 1/2", "1.5"),
        ("\u0661", "1"),
        ("\u0660\u066b\u0665", "0.5"),
        ("\uff12", "2"),
        ("\uff11\uff0e\uff15", "1.5"),
        ("\u0967", "1"),
    ],
)
def test_an_amount_is_read_as_it_is_meant(typed: str, amount: str) -> None:
    found = read_amount(typed)
    assert found == Decimal(amount)
    assert format(found, "f") == amount


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1.000", "This can be read in two ways. Write 1, or 1000."),
        ("1,000", "This can be read in two ways. Write 1, or 1000."),
        ("1.500", "This can be read in two ways. Write 1.5, or 1500."),
        ("1,125", "This can be read in two ways. Write 1.1250, or 1125."),
        ("0", NOT_ABOVE),
        ("0.0", NOT_ABOVE),
        ("-1", NOT_ABOVE),
        ("\u22121", NOT_ABOVE),
        ("-½", NOT_ABOVE),
        ("abc", NO_NUMBER),
        ("", NO_NUMBER),
        ("one", NO_NUMBER),
        ("1e3", NO_NUMBER),
        ("1_0", NO_NUMBER),
        ("NaN", NO_NUMBER),
        ("Infinity", NO_NUMBER),
        ("5.", NO_NUMBER),
        ("1 to 2", NO_NUMBER),
        ("1 000", NO_NUMBER),
        ("11/2", NO_NUMBER),
        ("1/3", NO_NUMBER),
        ("1.5½", NO_NUMBER),
        ("5 mg", NO_NUMBER),
        ("1.000.000", NO_NUMBER),
        ("10001", TOO_MUCH),
        ("9" * 400, TOO_MUCH),
        ("0.1234", TOO_FINE),
        ("0.0001", TOO_FINE),
    ],
)
def test_an_amount_that_could_mislead_is_refused_in_plain_words(
    typed: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_amount(typed)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("typed", ["1.000", "1,500", "2.125", "10.000", "999,999"])
def test_what_is_proposed_instead_of_an_amount_can_be_typed(typed: str) -> None:
    with pytest.raises(ValueError, match="two ways") as refused:
        read_amount(typed)
    few, many = str(refused.value).split("Write ")[1].rstrip(".").split(", or ")
    assert read_amount(few) == Decimal(typed.replace(",", "."))
    assert many == typed.replace(",", "").replace(".", "")


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("08:00", time(8)),
        ("8", time(8)),
        ("8.30", time(8, 30)),
        ("0830", time(8, 30)),
        ("8am", time(8)),
        ("8 AM", time(8)),
        ("8.30 pm", time(20, 30)),
        ("8:30 p.m.", time(20, 30)),
        ("12am", time(0)),
        ("12pm", time(12)),
        ("12.05am", time(0, 5)),
        ("midday", time(12)),
        ("Midnight", time(0)),
        ("00:00", time(0)),
        ("23:59", time(23, 59)),
        ("\u0668:\u0660\u0660", time(8)),
        ("\uff18\uff1a\uff10\uff10", time(8)),
    ],
)
def test_a_time_is_read_as_it_is_meant(typed: str, at: time) -> None:
    assert read_time(typed) == at


@pytest.mark.parametrize("typed", NO_TIMES)
def test_what_is_no_time_is_refused_in_plain_words(typed: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_time(typed)
    assert str(refused.value) == NO_TIME


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("1", "1"),
        ("½ tablet", "0.5"),
        ("2 Tablets", "2"),
        ("1 1/2", "1.5"),
        ("0,5", "0.5"),
        ("40 mg", "40 mg"),
        ("40mg", "40 mg"),
        ("2.50 ml", "2.5 ml"),
        ("1/3", "1/3"),
        ("1 1/3 tablet", "1 1/3"),
        ("⅓ cup", "⅓ cup"),
        ("10 units", "10 units"),
        ("\u0661 mg", "1 mg"),
        ("apply thinly", "apply thinly"),
        ("2 चम्मच भर", "2 चम्मच भर"),
        ("1 ស្លាបព្រា", "1 ស្លាបព្រា"),
    ],
)
def test_an_amount_may_have_a_unit_of_its_own(typed: str, kept: str) -> None:
    found = read_dose_text(typed, "tablet", ("apply thinly",))
    assert found == kept
    assert read_dose_text(found, "tablet", (found,)) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "mg",
        "1.000 mg",
        "10U",
        "10 IU",
        "1 to 2",
        "5 mg (half)",
        "apply",
        "0 mg",
        "1/3/4",
        "8am",
        "8 PM",
    ],
)
def test_an_amount_with_a_unit_that_could_mislead_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_dose_text(typed, "tablet")
    assert str(refused.value).endswith(".")


def test_a_range_is_an_amount_where_a_label_gives_one() -> None:
    assert read_range_text("1 to 2", "tablet") == "1 to 2 tablets"
    assert read_range_text("500 mg to 1 g", "tablet") == "500 mg to 1 g"
    assert read_range_text("3", "tablet") == "3"
    with pytest.raises(ValueError, match="unit of both"):
        read_range_text("1 mg to 2", "tablet")


@pytest.mark.parametrize(
    ("typed", "times"),
    [
        ("8am", [time(8)]),
        ("8pm and 8am", [time(8), time(20)]),
        ("8:00, 14:00; 20:00", [time(8), time(14), time(20)]),
        ("8, 14 and 20", [time(8), time(14), time(20)]),
        ("8am,8pm", [time(8), time(20)]),
        ("8:00,20.30", [time(8), time(20, 30)]),
    ],
)
def test_several_times_are_read_in_their_order(typed: str, times: list[time]) -> None:
    assert read_times(typed) == times


@pytest.mark.parametrize("typed", ["8,30", "8 and", "8am and 8:00", "soon, 9"])
def test_several_times_that_could_mislead_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\."):
        read_times(typed)
