"""What a sheet and a card say."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest

from pillweb.base.code import QUIET, code_of
from pillweb.base.emergency import Help
from pillweb.base.i18n import Speech, speaking
from pillweb.doses.rules.days import OPEN, TAKEN, DoseFacts
from pillweb.papers.rules.card import LINES, CardMedicine, make_card
from pillweb.papers.rules.scan import meant, scanned, taken_label, told_lines
from pillweb.papers.rules.sheet import (
    TOGETHER,
    Around,
    Planned,
    Sheet,
    clocks_of,
    make_sheet,
    paper_in,
    week_of,
)
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line_json import line_from_json

FRIDAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONDON = Life(zone="Europe/London", home="Europe/London")
AROUND = Around("Rosa", FRIDAY, "Europe/London", Help("999", "111"), "")
WINDOW = (NOON - timedelta(days=3), NOON + timedelta(days=12))


def planned(
    number: int, rule: Mapping[str, object], *, life: Life = LONDON, name: str = "A"
) -> Planned:
    line = line_from_json({"start_date": "2026-11-01", **rule})
    doses = life.occurrences(line, WINDOW)
    held = life.held(line, WINDOW)
    is_held = any(dose.nominal_date in week_of(FRIDAY) for dose in held)
    return Planned(
        number, name, "5 mg", "With food", "tablet", number, line, doses, is_held
    )


def sheet(*lines: Planned) -> Sheet:
    return make_sheet(lines, AROUND, first=FRIDAY, codes={})


def clock(*times: object, **more: object) -> dict[str, object]:
    return {"kind": "clock", "times": list(times), "dose": "1", **more}


def test_each_time_is_a_block_with_a_box_for_each_day() -> None:
    made = sheet(planned(1, clock("20:00", "08:00")), planned(2, clock("08:00")))
    assert [moment.time_words for moment in made.moments] == ["8am", "8pm"]
    assert [len(moment.rows) for moment in made.moments] == [2, 1]
    row = made.moments[0].rows[0]
    assert row.days == (True,) * 7
    assert (row.amount_words, row.only_words) == ("1 tablet", "")
    assert [day.name for day in made.days][:2] == ["Friday", "Saturday"]
    assert [day.number for day in made.days][:2] == ["20", "21"]
    assert made.period_words == "Friday 20 November 2026 to Thursday 26 November 2026"


def test_a_medicine_of_some_days_has_boxes_on_those_alone_and_says_so() -> None:
    made = sheet(planned(1, clock("08:00", days={"weekdays": ["mon", "thu"]})))
    (row,) = made.moments[0].rows
    assert [number for number, due in enumerate(row.days) if due] == [3, 6]
    assert row.only_words == "Only on Monday and Thursday."


def test_an_amount_that_changes_in_the_week_is_a_row_of_its_own() -> None:
    steps = [
        {"days": 20, "times": [{"at": "08:00", "dose": "2"}]},
        {"days": None, "times": [{"at": "08:00", "dose": "1"}]},
    ]
    made = sheet(planned(1, {"kind": "clock", "steps": steps}))
    rows = made.moments[0].rows
    assert [row.amount_words for row in rows] == ["2 tablets", "1 tablet"]
    assert [row.days.index(True) for row in rows] == [0, 1]


def test_a_dose_after_midnight_stands_below_the_evening_of_its_day() -> None:
    late = {"at": "00:30", "day_offset": 1}
    made = sheet(planned(1, clock(late, "22:00")))
    assert clocks_of(made) == ["22:00", "00:30"]


def test_a_paused_medicine_is_named_and_has_no_box() -> None:
    pauses = [{"from": "2026-11-01", "to": "2026-12-31"}]
    made = sheet(planned(1, clock("08:00", pauses=pauses), name="Ramipril"))
    assert made.moments == ()
    assert made.paused_words == "Ramipril"


def test_a_medicine_taken_as_needed_stands_apart_with_its_limits() -> None:
    rule = {"kind": "prn", "dose": "2", "max": {"doses": 4, "hours": 24}}
    ended = {"kind": "prn", "dose": "2", "end_date": "2026-11-10"}
    made = sheet(planned(1, rule), planned(2, ended))
    assert [one.plan_words for one in made.needed] == [
        "2 tablets when needed, at most 4 doses in 24 hours"
    ]
    assert made.moments == ()


def test_many_medicines_of_one_time_go_on_below_and_none_is_lost() -> None:
    lines = [planned(n, clock("08:00"), name=f"M{n}") for n in range(20)]
    made = sheet(*lines)
    assert all(len(moment.rows) <= TOGETHER for moment in made.moments)
    names = [row.name for moment in made.moments for row in moment.rows]
    assert names == [f"M{n}" for n in range(20)]
    assert clocks_of(made) == ["08:00"]


def test_a_sheet_speaks_the_language_of_its_reader() -> None:
    with speaking(Speech("es", hours="24")):
        made = sheet(planned(1, clock("20:00")))
    assert made.days[0].name == "viernes"
    assert made.moments[0].time_words == "20:00"


@pytest.mark.parametrize(
    ("zone", "paper"),
    [("Europe/London", "A4"), ("America/New_York", "letter"), ("Etc/GMT+5", "A4")],
)
def test_the_paper_is_what_is_sold_there(zone: str, paper: str) -> None:
    assert paper_in(zone) == paper


def test_a_code_keeps_the_quiet_zone_a_camera_needs() -> None:
    code = code_of("https://pills.example/p/" + "x" * 43)
    left, top, side, high = (int(part) for part in code.box.split())
    assert left == top == -QUIET
    assert side == high
    assert (side - 2 * QUIET) % 4 == 1
    assert code.path.startswith("M0 0h7v1h-7z")


@pytest.mark.parametrize("count", [0, 1, 7, 12, 40])
def test_a_card_loses_no_medicine_and_overfills_no_side(count: int) -> None:
    plan = "1 tablet at 8am, 1pm and 8pm, every day"
    medicines = [CardMedicine(f"Medicine {n}", "5 mg", plan) for n in range(count)]
    card = make_card(medicines, AROUND)
    sides = [card.first, *(side for strip in card.strips for side in strip)]
    assert [one for side in sides for one in side] == medicines
    assert all(len(side) * 2 <= LINES for side in sides)


def test_a_medicine_too_long_for_a_side_has_one_alone() -> None:
    long = CardMedicine("W" * 200, "W" * 200, "W" * 400)
    short = CardMedicine("A", "", "daily")
    card = make_card([short, long, short], AROUND)
    assert (card.first, card.strips) == ((short,), (((long,), (short,)),))


def dose(at: datetime, *, state: str = OPEN, on: date | None = None) -> DoseFacts:
    return DoseFacts(
        id=at.day,
        name="Amlodipine",
        strength="5 mg",
        unit="tablet",
        reason="",
        instruction="",
        amount=None,
        dose_text="1",
        action=None,
        nominal_date=on or at.date(),
        clock=at.time(),
        due_at=at,
        missed_at=at + timedelta(hours=12),
        state=state,
        recorded_at=at if state == TAKEN else None,
        taken_at=None,
        zone="UTC",
    )


@pytest.mark.parametrize(
    ("now", "day", "stand"),
    [
        ("2026-11-20T07:29", 20, "early"),
        ("2026-11-20T07:30", 20, "due"),
        ("2026-11-20T19:59", 20, "due"),
        ("2026-11-20T20:00", 20, "late"),
        ("2026-11-20T23:59", 20, "late"),
    ],
)
def test_a_code_means_its_time_of_today_and_opens_for_its_window(
    now: str, day: int, stand: str
) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    eight = datetime(2026, 11, 19, 8, tzinfo=UTC)
    doses = [dose(eight), dose(eight + timedelta(days=1))]
    found = meant(doses, time(8), today=at.date(), now=at)
    assert [one.id for one in found] == [day]
    assert scanned(found, now=at).stand == stand


@pytest.mark.parametrize("state", [OPEN, TAKEN])
def test_after_midnight_a_code_still_means_the_evening(state: str) -> None:
    evening = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    doses = [dose(evening, state=state), dose(evening + timedelta(days=1))]
    now = evening + timedelta(hours=1)
    found = meant(doses, time(23, 30), today=now.date(), now=now)
    assert [one.id for one in found] == [19]


def test_a_weekly_dose_of_yesterday_is_not_meant_though_it_still_runs() -> None:
    eight = datetime(2026, 11, 19, 8, tzinfo=UTC)
    weekly = dose(eight)._replace(missed_at=eight + timedelta(hours=48))
    now = eight + timedelta(days=1)
    assert meant([weekly], time(8), today=now.date(), now=now) == []


@pytest.mark.parametrize("state", ["held", "cancelled"])
def test_what_is_not_to_be_taken_is_not_meant(state: str) -> None:
    eight = datetime(2026, 11, 20, 8, tzinfo=UTC)
    found = meant([dose(eight, state=state)], time(8), today=FRIDAY, now=eight)
    assert scanned(found, now=eight).stand == "nothing"


def test_names_are_told_only_where_that_was_chosen() -> None:
    doses: Sequence[DoseFacts] = [dose(NOON), dose(NOON)]
    assert told_lines(doses, shows_names=False) == [("2 medicines", "")]
    assert told_lines(doses, shows_names=True)[0] == ("Amlodipine 5 mg", "1 tablet")
    assert taken_label(1) == "I have taken it"
    assert taken_label(3) == "I have taken all 3"
