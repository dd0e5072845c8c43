from typing import Any

import pytest

from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.words import in_words, pause_words

DAILY = {"kind": "clock", "start_date": "2026-06-01"}
TWICE = {**DAILY, "times": ["08:00", "20:00"], "dose": "1"}
MON_THU = {"weekdays": ["thu", "mon"]}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            {**TWICE, "end_date": "2026-06-07"},
            "1 tablet at 8am and 8pm, every day, until 7 June 2026",
        ),
        (
            {**TWICE, "days": MON_THU},
            "1 tablet at 8am and 8pm, on Mondays and Thursdays",
        ),
        (
            {**TWICE, "days": {**MON_THU, "every_n_weeks": 2}},
            "1 tablet at 8am and 8pm, every 2 weeks on Mondays and Thursdays",
        ),
        ({**TWICE, "days": {"every": 2}}, "1 tablet at 8am and 8pm, every 2 days"),
        ({**TWICE, "days": {"every": 7}}, "1 tablet at 8am and 8pm, once a week"),
        ({**TWICE, "days": {"every": 84}}, "1 tablet at 8am and 8pm, every 12 weeks"),
        (
            {**TWICE, "days": {"month_day": 31}},
            (
                "1 tablet at 8am and 8pm, on the 31st"
                " (or the last day of a shorter month) of every month"
            ),
        ),
        (
            {**TWICE, "days": {"month_day": 1, "every_n_months": 3}},
            "1 tablet at 8am and 8pm, on the 1st, every 3 months",
        ),
        (
            {**TWICE, "days": {"month_day": 1, "every_n_months": 12}},
            "1 tablet at 8am and 8pm, on 1 June, once a year",
        ),
        (
            {
                **TWICE,
                "start_date": "2028-02-29",
                "days": {"month_day": 29, "every_n_months": 12},
            },
            (
                "1 tablet at 8am and 8pm,"
                " on 29 February (28 February in other years), once a year"
            ),
        ),
        (
            {
                **TWICE,
                "start_date": "2026-11-20",
                "days": {"month_day": 10, "every_n_months": 12},
            },
            "1 tablet at 8am and 8pm, on 10 December, once a year",
        ),
        (
            {**TWICE, "days": {"cycle": [21, 7]}},
            "1 tablet at 8am and 8pm, 21 days with doses, then 7 days without",
        ),
        (
            {
                **DAILY,
                "times": [
                    {"at": "12:00", "dose": "1/2 tablet"},
                    {"at": "00:00", "dose": "2 tablets"},
                ],
                "count": 14,
            },
            (
                "half a tablet at midday and 2 tablets at midnight, every day,"
                " 14 doses in all"
            ),
        ),
        (
            {
                **DAILY,
                "times": [
                    {"meal": "breakfast", "offset_min": -30, "dose": "10 mg"},
                    {"meal": "dinner", "dose": "10 mg"},
                    {"meal": "bedtime", "dose": "10 mg"},
                    {"meal": "lunch", "offset_min": 120, "dose": "10 mg"},
                ],
            },
            (
                "10 mg, 30 minutes before breakfast, with dinner, at bedtime and"
                " 2 hours after lunch, every day"
            ),
        ),
        (
            {
                **DAILY,
                "times": [
                    {"at": "18:00", "dose": "3 mg", "weekdays": ["mon", "sun"]},
                    {"at": "18:00", "dose": "4 mg", "weekdays": ["tue"]},
                ],
            },
            "3 mg at 6pm on Mondays and Sundays and 4 mg at 6pm on Tuesdays",
        ),
        (
            {
                **DAILY,
                "steps": [
                    {"days": 3, "times": [{"at": "08:00", "dose": "40 mg"}]},
                    {"days": None, "times": [{"at": "08:00", "dose": "5 mg"}]},
                ],
            },
            "40 mg at 8am for 3 days, then 5 mg at 8am, every day",
        ),
        (
            {
                **DAILY,
                "times": [
                    {"at": "09:00", "dose": "apply"},
                    {"at": "21:00", "dose": "1 patch", "action": "remove"},
                ],
            },
            "apply at 9am and remove 1 patch at 9pm, every day",
        ),
        (
            {
                "kind": "interval",
                "first": "2026-06-01T08:00",
                "interval_hours": 8,
                "dose": "2",
            },
            "2 tablets every 8 hours, day and night",
        ),
        (
            {"kind": "interval", "first": "2026-06-01T08:00", "interval_hours": 72},
            "every 72 hours",
        ),
        (
            {**DAILY, "steps": [{"days": 1, "times": ["08:00"]}], "dose": "1"},
            "1 tablet at 8am for 1 day",
        ),
        (
            {
                **DAILY,
                "times": [
                    {"at": "08:00", "dose": "1", "day_parity": 0},
                    {"at": "08:00", "dose": "2", "day_parity": 1},
                ],
            },
            (
                "1 tablet at 8am on the first of every 2 days"
                " and 2 tablets at 8am on the second of every 2 days"
            ),
        ),
        (
            {**DAILY, "times": [{"meal": "wake"}], "dose": "1/3 tablet"},
            "1/3 tablet on getting up, every day",
        ),
        (
            {
                **TWICE,
                "action": "apply",
                "dose": "1 patch",
                "days": {"month_day": 15, "every_n_months": 24},
            },
            "apply 1 patch at 8am and 8pm, on 15 June, every 2 years",
        ),
        ({**TWICE, "days": {"cycle": [7, 0]}}, "1 tablet at 8am and 8pm, every day"),
        (
            {"kind": "interval", "first": "2026-06-01T08:00", "interval_hours": 1},
            "every hour, day and night",
        ),
        (
            {"kind": "prn", "min_interval_minutes": 90},
            "when needed, at least 90 minutes apart",
        ),
        (
            {"kind": "once", "at": "2026-11-20T17:30", "dose": "0.5 ml"},
            "0.5 ml once, at 5.30pm on 20 November 2026",
        ),
        (
            {
                "kind": "prn",
                "reason": "pain",
                "dose": "1 g",
                "min_interval_minutes": 240,
                "max": {"doses": 4, "amount": "4 g", "hours": 24},
            },
            (
                "1 g when needed for pain, at least 4 hours apart,"
                " at most 4 doses and 4 g in 24 hours"
            ),
        ),
    ],
)
def test_in_words(rule: dict[str, Any], expected: str) -> None:
    assert in_words(line_from_json(rule), "tablet") == expected


def test_pause_words() -> None:
    pauses = [{"from": "2026-05-04", "to": "2026-05-08"}, {"from": "2026-06-01"}]
    line = line_from_json({**TWICE, "pauses": pauses})
    assert [pause_words(pause) for pause in line.pauses] == [
        "paused from 4 May 2026 to 8 May 2026",
        "paused from 1 June 2026 until further notice",
    ]
