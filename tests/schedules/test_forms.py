"""What may be typed about a medicine: amounts and times, in every hand."""

from datetime import date, time
from decimal import Decimal

import pytest

from pillweb.schedules.forms import fits_form, read_amount, read_time
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json

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


CLOCK = {"kind": "clock", "start_date": "2026-11-20"}
EIGHT = {"at": "08:00", "dose": "1"}


def line(**more: object) -> Line:
    return line_from_json({**CLOCK, **more})


@pytest.mark.parametrize(
    "shown",
    [
        line(times=[EIGHT]),
        line(times=["08:00", "20:00"], dose="0.5"),
        line(times=[EIGHT], end_date="2026-12-24"),
        line(times=[EIGHT], days={"weekdays": ["mon", "thu"]}),
        line(times=[EIGHT, {**EIGHT, "at": "20:00", "slot": 7}], next_slot=8),
    ],
)
def test_a_plan_of_clock_times_fits_the_form(shown: Line) -> None:
    assert fits_form([shown])


@pytest.mark.parametrize(
    "rich",
    [
        line_from_json(
            {"kind": "interval", "first": "2026-11-20T08:00", "interval_hours": 8}
        ),
        line_from_json({"kind": "prn", "dose": "1"}),
        line_from_json({"kind": "once", "at": "2026-11-20T08:00", "dose": "1"}),
        line(steps=[{"days": 3, "times": [EIGHT]}]),
        line(times=[{"at": f"{hour:02}:00", "dose": "1"} for hour in range(8, 13)]),
        line(times=[EIGHT, {"at": "20:00", "dose": "2"}]),
        line(times=[{**EIGHT, "weekdays": ["mon"]}]),
        line(times=[{**EIGHT, "day_parity": "odd"}]),
        line(times=[{**EIGHT, "action": "apply"}]),
        line(times=[{**EIGHT, "day_offset": 1}]),
        line(times=[{"meal": "breakfast", "dose": "1"}]),
        line(times=[EIGHT], days={"every": 2}),
        line(times=[EIGHT], days={"weekdays": ["thu"], "every_n_weeks": 2}),
        line(times=[EIGHT], days={"month_day": 1}),
        line(times=[EIGHT], days={"cycle": [21, 7]}),
        line(times=[EIGHT], count=14),
        line(times=[EIGHT], start_time="12:00"),
        line(times=[EIGHT], zone_policy="home"),
        line(times=[EIGHT], window_min=30),
        line(times=[EIGHT], pauses=[{"from": "2026-11-21"}]),
        line(times=[{"at": "08:00", "dose": "1 tablet"}]),
        line(times=[{"at": "08:00", "dose": "1 to 2 tablets"}]),
        line(times=[{"at": "08:00", "dose": "1/3"}]),
        line(times=["08:00"]),
    ],
)
def test_a_plan_that_says_more_does_not_fit_the_form(rich: Line) -> None:
    assert not fits_form([rich])


def test_only_a_plan_of_one_line_fits_the_form() -> None:
    one = line(times=[EIGHT])
    assert not fits_form([])
    assert not fits_form([one, one])
    assert one.start_date == date(2026, 11, 20)
