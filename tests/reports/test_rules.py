"""When a regular report leaves, and which days it is about."""

from datetime import date

import pytest

from pillweb.reports.rules import MONTHLY, NEVER, WEEKLY, next_sending, period_ending


@pytest.mark.parametrize(
    ("every", "after", "sent_on"),
    [
        (WEEKLY, date(2026, 11, 20), date(2026, 11, 23)),
        (WEEKLY, date(2026, 11, 22), date(2026, 11, 23)),
        (WEEKLY, date(2026, 11, 23), date(2026, 11, 30)),
        (WEEKLY, date(2026, 12, 31), date(2027, 1, 4)),
        (WEEKLY, date(2028, 2, 28), date(2028, 3, 6)),
        (MONTHLY, date(2026, 11, 20), date(2026, 12, 1)),
        (MONTHLY, date(2026, 12, 1), date(2027, 1, 1)),
        (MONTHLY, date(2026, 12, 31), date(2027, 1, 1)),
        (MONTHLY, date(2027, 1, 31), date(2027, 2, 1)),
        (MONTHLY, date(2028, 2, 29), date(2028, 3, 1)),
        (MONTHLY, date(2027, 2, 28), date(2027, 3, 1)),
        (NEVER, date(2026, 11, 20), None),
    ],
)
def test_a_regular_report_leaves_on_its_next_day(
    every: str, after: date, sent_on: date | None
) -> None:
    assert next_sending(every, after=after) == sent_on


@pytest.mark.parametrize(
    ("last", "first"),
    [
        (date(2026, 11, 28), date(2026, 11, 1)),
        (date(2027, 1, 10), date(2026, 12, 14)),
        (date(2028, 3, 1), date(2028, 2, 3)),
        (date(2027, 3, 1), date(2027, 2, 2)),
    ],
)
def test_a_report_is_about_28_days(last: date, first: date) -> None:
    assert period_ending(last) == (first, last)
