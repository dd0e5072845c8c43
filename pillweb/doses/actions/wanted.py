"""What plans want, as the values of the rows of doses."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row

from pillweb.base.zones import tzdata_version
from pillweb.doses.rules.days import CANCELLED, HELD, OPEN, TRAVEL
from pillweb.schedules.queries import PlannedLine
from pillweb.schedules.rules.lateness import missed_after
from pillweb.schedules.rules.lateness import window as on_time_window
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.occurrence import Occurrence

A_DAY = timedelta(days=1)
A_MINUTE = timedelta(minutes=1)

Identity = tuple[int, int, date, int]


class Wanted(NamedTuple):
    """A dose that a plan asks for, as the values of its row."""

    patient_id: int
    medication_id: int
    line_id: int
    plan_id: int
    nominal_date: date
    slot: int
    zone_epoch: int
    due_at: datetime
    local_label: str
    zone: str
    tzdata_version: str
    amount: Decimal | None
    dose_text: str | None
    action: str | None
    window_min: int
    missed_at: datetime
    state: str
    skip_reason: str | None
    system_fault: bool


def wanted_of(
    planned: PlannedLine, life: Life, *, window: tuple[datetime, datetime]
) -> Iterator[Wanted]:
    """Yield the doses one line asks for, inside the time its plan holds."""
    start = max(window[0], planned.holds_from)
    end = window[1] if planned.valid_to is None else min(window[1], planned.valid_to)
    line = planned.rule
    # The first dose after the window tells how long its last one stays open.
    found = life.occurrences(line, (start, end + A_DAY))
    dues = [due for due in found if due.due_at < end]
    beyond = found[len(dues)] if len(dues) < len(found) else None
    if dues and beyond is None:
        beyond = life.next_after(line, dues[-1].due_at)
    for due, following in zip(dues, [*dues[1:], beyond], strict=False):
        yield _row_of(planned, line, due, following)
    for due in life.held(line, (start, end)):
        yield _row_of(planned, line, due, None)._replace(state=HELD)
    for due in life.moved_by_travel(line, (start, end)):
        yield _row_of(planned, line, due, None)._replace(
            state=CANCELLED, skip_reason=TRAVEL
        )


def _row_of(
    planned: PlannedLine, line: Line, due: Occurrence, following: Occurrence | None
) -> Wanted:
    next_due_at = None if following is None else following.due_at
    return Wanted(
        patient_id=planned.patient_id,
        medication_id=planned.medication_id,
        line_id=planned.line_id,
        plan_id=planned.plan_id,
        nominal_date=due.nominal_date,
        slot=due.slot,
        zone_epoch=due.zone_epoch,
        due_at=due.due_at,
        local_label=due.local_label,
        zone=due.zone,
        tzdata_version=tzdata_version(),
        amount=due.amount,
        dose_text=due.dose or None,
        action=due.action or None,
        window_min=on_time_window(line, planned.category) // A_MINUTE,
        missed_at=due.due_at + missed_after(line, due.due_at, next_due_at),
        state=OPEN,
        skip_reason=None,
        system_fault=False,
    )


def identity_of(row: Wanted | Row[Any]) -> Identity:
    """Return what makes a dose that dose, whatever the version of its plan."""
    return (row.line_id, row.zone_epoch, row.nominal_date, row.slot)
