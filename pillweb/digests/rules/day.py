"""What of a day is told in the evening: domain 4.3."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from typing import NamedTuple

from pillweb.adherence.rules.outcome import EXCUSED_REASONS
from pillweb.doses.rules.days import HELD, NOT_TAKEN, OPEN, SKIPPED


class DayDose(NamedTuple):
    """A dose as a digest sees it; `clock` is its planned wall time."""

    due_at: datetime
    nominal_date: date
    clock: time
    state: str
    missed_at: datetime
    recorded_at: datetime | None
    skip_reason: str | None
    is_our_fault: bool
    is_alerted: bool
    name: str
    medication_id: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which something has no record, or was recorded as not taken.

    `is_alerted` says that somebody was told at once, `is_our_fault` that we could not
    remind. `names` are those of the medicines.
    """

    on: date
    clock: time
    is_recorded: bool
    is_alerted: bool
    is_our_fault: bool
    names: tuple[str, ...]


class Counts(NamedTuple):
    """How many doses of a day are recorded, of those whose time is over."""

    recorded: int
    over: int
    to_come: int


def gaps_of(
    doses: Iterable[DayDose], *, since: datetime, until: datetime
) -> tuple[Gap, ...]:
    """Return what turned out untaken or unrecorded after `since` and up to `until`.

    So every dose is told of on one evening only: the one after it was recorded as not
    taken, or after its time for being recorded was over.
    """
    found = [dose for dose in doses if _is_gap(dose, since=since, until=until)]
    return tuple(
        Gap(
            on=key[0],
            clock=key[1],
            is_recorded=key[2],
            is_alerted=any(dose.is_alerted for dose in together),
            is_our_fault=any(dose.is_our_fault for dose in together),
            names=tuple(dict.fromkeys(dose.name for dose in together)),
        )
        for key, several in groupby(sorted(found, key=_moment), key=_moment)
        for together in [list(several)]
    )


def _moment(dose: DayDose) -> tuple[date, time, bool]:
    return dose.nominal_date, dose.clock, dose.state != OPEN


def _is_gap(dose: DayDose, *, since: datetime, until: datetime) -> bool:
    if dose.state == OPEN:
        return since < dose.missed_at <= until
    is_untaken = dose.state == NOT_TAKEN or (
        dose.state == SKIPPED and dose.skip_reason not in EXCUSED_REASONS
    )
    known_at = dose.recorded_at or dose.due_at
    return is_untaken and since < known_at <= until


def counts_of(doses: Iterable[DayDose], on: date, *, until: datetime) -> Counts:
    """Return how the doses of one date stand at an instant; a pause counts nothing."""
    mine = [one for one in doses if one.nominal_date == on and one.state != HELD]
    to_come = sum(one.state == OPEN and one.missed_at > until for one in mine)
    recorded = sum(one.state != OPEN for one in mine)
    return Counts(recorded, len(mine) - to_come, to_come)


class Health(NamedTuple):
    """Whether somebody's reminders work, as far as one can know.

    `since` is when they last did not, or the first arrived; None while none has.
    """

    since: datetime | None = None
    is_disturbed: bool = False
    is_unreachable: bool = False
    has_failed: bool = False

    @property
    def is_good(self) -> bool:
        """Whether nothing is known to be wrong."""
        return not (self.is_disturbed or self.is_unreachable or self.has_failed)


def is_well(gaps: Sequence[Gap], health: Health) -> bool:
    """Say whether there is nothing that a family should look at."""
    return not gaps and health.is_good
