"""What is true of doses without asking anybody: their states, and what may be done."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.words import plural
from pillweb.base.zones import Zone, day_bounds, local
from pillweb.medications.rules import FORMS, Looks
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.slots_of_day import ACTIONS, TAKE

OPEN = "open"
TAKEN = "taken"
PART = "part"
SKIPPED = "skipped"
NOT_TAKEN = "not_taken"
HELD = "held"
CANCELLED = "cancelled"
# The reason of a cancelled dose that a journey brought too near to the one before.
TRAVEL = "travel"
RECORDED = (TAKEN, PART, SKIPPED, NOT_TAKEN)

HORIZON = timedelta(days=7)
REPLAN_BEFORE = timedelta(days=6)
LEAD = timedelta(minutes=30)
UNDO_FOR = timedelta(hours=24)
EARLY_BY = timedelta(hours=12)
LATE_EVENING = timedelta(hours=12)
LATE = timedelta(hours=2)
NIGHT = timedelta(hours=4)
# How much later one may want to hear of a dose again.
LATER = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60))
# A second press of somebody else so soon is the same dose, told twice.
MOMENT = timedelta(minutes=5)
# Words of an amount that tell nothing of the medicine.
PLAIN_UNITS = frozenset(
    {"", "g", "mg", "mcg", "microgram", "micrograms", "l", "ml"}
    | {word for unit in FORMS.values() for word in (unit, plural(unit))}
)
_UNSAID: dict[str, Any] = dict.fromkeys(("strength", "reason", "instruction"), "")
_NO_AMOUNT: dict[str, Any] = {"amount": None, "dose_text": None, "action": None}
DAY = re.compile(r"20\d\d-\d\d-\d\d", re.ASCII)


class DoseFacts(NamedTuple):
    """A dose with what a page says of its medicine."""

    id: int
    name: str
    strength: str
    unit: str
    reason: str
    instruction: str
    amount: Decimal | None
    dose_text: str | None
    action: str | None
    nominal_date: date
    clock: time
    due_at: datetime
    missed_at: datetime
    state: str
    recorded_at: datetime | None
    taken_at: datetime | None
    zone: str
    medication_id: int = 0
    window: timedelta = LATE
    skip_reason: str | None = None
    later_until: datetime | None = None
    looks: Looks = Looks()
    system_fault: bool = False


def is_due(dose: DoseFacts, *, now: datetime) -> bool:
    """Say whether a dose is to be taken now: from half an hour before its time."""
    return dose.state == OPEN and dose.due_at - LEAD <= now < dose.missed_at


def may_take(dose: DoseFacts, *, now: datetime) -> bool:
    """Say whether a dose can be recorded: from half a day before its time, for ever."""
    return dose.state == OPEN and now >= dose.due_at - EARLY_BY


def may_skip(dose: DoseFacts, *, now: datetime) -> bool:
    """Say whether a dose can be left out: once it is due, for ever."""
    return dose.state == OPEN and now >= dose.due_at - LEAD


def waiting(doses: Iterable[DoseFacts], *, now: datetime) -> list[DoseFacts]:
    """Return what is due and may still wait: whose on-time window is not over.

    All of one moment wait together, or none: one that cannot wait holds the others.
    """
    found = [dose for dose in doses if dose.state == OPEN]
    over = {dose.due_at for dose in found if now >= dose.due_at + dose.window}
    return [d for d in found if is_due(d, now=now) and d.due_at not in over]


def told_again_at(
    doses: Iterable[DoseFacts], wait: timedelta, *, now: datetime
) -> datetime | None:
    """Return when to speak of waiting doses again; None where one cannot wait so long.

    It is never before one is due, and never past the window of any.
    """
    found = list(doses)
    if not found:
        return None
    at = max(now + wait, *(dose.due_at for dose in found))
    return at if all(at <= dose.due_at + dose.window for dose in found) else None


def may_undo(recorded_at: datetime | None, *, now: datetime) -> bool:
    """Say whether what was recorded can be taken back: for 24 hours."""
    return recorded_at is not None and now - recorded_at < UNDO_FOR


def may_be_another(dose: DoseFacts, *, now: datetime) -> bool:
    """Say whether "taken" said again may be one more: not within minutes."""
    return (
        dose.state in (TAKEN, PART)
        and dose.recorded_at is not None
        and now - dose.recorded_at >= MOMENT
    )


def belongs_to_today(dose: DoseFacts, *, today: date, now: datetime) -> bool:
    """Say whether a dose stands on today's page.

    A dose belongs to its nominal date even when it falls after midnight (domain,
    T8); yesterday's stays while it can still be taken.
    """
    return dose.nominal_date == today or is_due(dose, now=now)


def answered_until(
    doses: Iterable[DoseFacts], *, place: Zone, now: datetime
) -> datetime:
    """Return until when a copy of today's page may offer to take something.

    That is the end of the day, and some of the night for what is still open then;
    longer it would offer the doses of one day on the next.
    """
    _, end = day_bounds(local(now, place).date(), place)
    open_until = (dose.missed_at for dose in doses if dose.state == OPEN)
    return min(max((end, *open_until)), end + NIGHT)


def shown_state(dose: DoseFacts, *, now: datetime) -> str:
    """Return the state a page shows: an open dose is due, to come or unrecorded."""
    if dose.state != OPEN:
        return dose.state
    if now >= dose.missed_at:
        return "not_reminded" if dose.system_fault else "no_record"
    return "due" if is_due(dose, now=now) else "to_come"


def is_deed(dose: DoseFacts) -> bool:
    """Say whether a dose is done rather than taken: a patch that comes off."""
    return dose.action not in (None, "", TAKE)


def without_names(doses: Iterable[DoseFacts]) -> list[DoseFacts]:
    """Return doses that tell how many and when, but not which medicine.

    Words of an amount may tell it, too: "1 tablet of warfarin".
    """
    hidden = _UNSAID | {"name": _("Medicine"), "skip_reason": None, "looks": Looks()}
    return [
        dose._replace(**hidden, **({} if _is_number_alone(dose) else _NO_AMOUNT))
        for dose in doses
    ]


def _is_number_alone(dose: DoseFacts) -> bool:
    if dose.action not in (None, "", TAKE, *ACTIONS):
        return False
    if not dose.dose_text:
        return True
    told = read_dose(dose.dose_text)
    return told.fraction is not None and told.unit.casefold() in PLAIN_UNITS


def told_here(doses: Iterable[DoseFacts], place: Zone) -> list[DoseFacts]:
    """Return doses with the times of the clock that is in force now."""
    return [
        dose
        if dose.zone == place.key
        else dose._replace(clock=local(dose.due_at, place).time())
        for dose in doses
    ]


def is_late_entry(dose: DoseFacts, *, today: date, now: datetime) -> bool:
    """Say whether recording a dose now says of a past day that it was taken then.

    When it was taken nobody knows then, so no time is kept.
    """
    return dose.nominal_date < today and not is_due(dose, now=now)


def read_day(text: str) -> date | None:
    """Return the day of this century that a path names, as in 2026-11-20.

    >>> read_day("2026-11-20"), read_day("2026-02-31"), read_day("20261120")
    (datetime.date(2026, 11, 20), None, None)
    """
    if not DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
