from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pillweb.schedules.rules.lateness import MedicineClass, lateness
from pillweb.schedules.rules.line_json import line_from_json

DUE = datetime(2026, 6, 1, 7, tzinfo=UTC)
ONCE: dict[str, Any] = {"kind": "clock", "start_date": "2026-06-01", "times": ["08:00"]}
TWICE = {**ONCE, "times": ["08:00", "20:00"]}
WARFARIN = {
    **ONCE,
    "times": [
        {"at": "18:00", "weekdays": ["mon"]},
        {"at": "18:00", "weekdays": ["tue"]},
    ],
}
EVERY_8 = {"kind": "interval", "first": "2026-06-01T08:00", "interval_hours": 8}
MONTHLY = {**ONCE, "days": {"month_day": 1}}


@pytest.mark.parametrize(
    ("rule", "medicine_class", "next_hours", "window", "missed_hours"),
    [
        (ONCE, "ordinary", 24, 120, 12),
        (ONCE, "ordinary", 23, 120, 11.5),
        (ONCE, "time_critical", 24, 30, 12),
        (ONCE, "high_alert", 24, 120, 12),
        (TWICE, "high_alert", 12, 60, 6),
        (TWICE, "ordinary", 1, 60, 1),
        (WARFARIN, "ordinary", 24, 120, 12),
        (EVERY_8, "ordinary", 8, 60, 4),
        (ONCE, "ordinary", 24 * 7 - 1, 120, 48),
        (ONCE, "ordinary", 24 * 6, 120, 12),
        (ONCE, "ordinary", None, 120, 12),
        (MONTHLY, "ordinary", None, 120, 48),
        ({**ONCE, "days": {"every": 7}}, "ordinary", None, 120, 48),
        ({**ONCE, "days": {"weekdays": ["mon"]}}, "ordinary", None, 120, 48),
        ({**ONCE, "days": {"cycle": [1, 20]}}, "ordinary", None, 120, 12),
        ({**EVERY_8, "interval_hours": 168}, "ordinary", None, 120, 48),
        (
            {**ONCE, "window_min": 15, "missed_after_min": 45},
            "time_critical",
            24,
            15,
            0.75,
        ),
    ],
)
def test_lateness(
    rule: dict[str, Any],
    medicine_class: MedicineClass,
    next_hours: int | None,
    window: int,
    missed_hours: float,
) -> None:
    next_due = None if next_hours is None else DUE + timedelta(hours=next_hours)
    found = lateness(line_from_json(rule), DUE, next_due, medicine_class)
    assert found.window == timedelta(minutes=window)
    assert found.missed_at == DUE + timedelta(hours=missed_hours)
