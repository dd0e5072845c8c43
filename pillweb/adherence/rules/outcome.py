"""What became of one dose."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Literal

State = Literal["open", "taken", "part", "skipped", "not_taken", "held", "cancelled"]
Timing = Literal["early", "on_time", "late"]
Verdict = Literal[
    "open",
    "taken",
    "part",
    "no_record",
    "not_reminded",
    "not_taken",
    "skipped",
    "excused",
    "held",
    "cancelled",
    "as_needed",
]

EXCUSED_REASONS = frozenset({"clinician_said", "in_hospital", "not_needed"})
OTHER_REASONS = frozenset(
    {
        "forgot",
        "side_effects",
        "ran_out",
        "did_not_want",
        "unwell",
        "away",
        "other",
    }
)
COUNTED: frozenset[Verdict] = frozenset(
    {"taken", "part", "no_record", "not_taken", "skipped"}
)
WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One dose and what is known of it.

    `due_at`, `taken_at`, `missed_at` and `entered_at` are UTC instants; `local_time` is
    the planned wall time; `fraction` the part of the planned amount that was taken;
    `extra` counts further doses taken in the same slot; `medicine` groups doses.
    `system_fault` says that we were down and no reminder of it left.
    """

    due_at: datetime
    nominal_date: date
    state: State
    window: timedelta
    missed_at: datetime
    taken_at: datetime | None = None
    fraction: Fraction = WHOLE
    reason: str = ""
    as_needed: bool = False
    extra: int = 0
    medicine: Hashable = None
    local_time: time | None = None
    entered_at: datetime | None = None
    entered_by_carer: bool = False
    system_fault: bool = False


def verdict(outcome: Outcome, as_of: datetime) -> Verdict:
    """Return what the dose counts as at an instant.

    Without a record it is open while `as_of` is before `missed_at`, then "no_record",
    or "not_reminded" where that is our fault: nobody is judged by such a dose.
    Decided here: what was recorded stands, whatever `as_of`; whoever looks back at an
    earlier instant passes the states known then. A part of 1 or more is taken.
    """
    if outcome.state == "cancelled":
        return "cancelled"
    if outcome.as_needed:
        return "as_needed"
    if outcome.state == "open":
        unsaid: Verdict = "not_reminded" if outcome.system_fault else "no_record"
        return "open" if as_of < outcome.missed_at else unsaid
    if outcome.state in ("taken", "part"):
        return "taken" if outcome.fraction >= 1 else "part"
    if outcome.state == "skipped" and outcome.reason in EXCUSED_REASONS:
        return "excused"
    return outcome.state


def share_taken(outcome: Outcome, as_of: datetime) -> Fraction:
    """Return how much of the planned amount was taken, 0 to 1."""
    if verdict(outcome, as_of) not in ("taken", "part"):
        return Fraction(0)
    return min(max(outcome.fraction, Fraction(0)), WHOLE)


def timing(outcome: Outcome) -> Timing | None:
    """Return when a taken dose was taken; None where no time is known.

    On time is at most `window` from the due instant either way, inclusive, in real
    time (T10).
    """
    if outcome.taken_at is None:
        return None
    off = outcome.taken_at - outcome.due_at
    if abs(off) <= outcome.window:
        return "on_time"
    return "late" if off > timedelta(0) else "early"
