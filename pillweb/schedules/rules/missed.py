"""What may be said about a dose whose time is over: domain 4.1, in its order."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from pillweb.base.i18n import gettext_noop, safety
from pillweb.schedules.rules.lateness import MedicineClass
from pillweb.schedules.rules.line import EveryDays, Line

GENERAL = (
    gettext_noop("Take it as soon as you remember."),
    gettext_noop(
        "If it is nearly time for your next dose, leave out the missed one and take "
        "the next at the usual time."
    ),
)
NEVER_TWO = (
    gettext_noop("Never take 2 doses at the same time to make up for a forgotten one."),
    gettext_noop("Check the leaflet or ask your pharmacist."),
)
NEXT_IS_DUE = gettext_noop("It is time for your next dose: leave out the missed one.")
ASK = gettext_noop("Ask your pharmacist what to do.")
A_DAY = timedelta(days=1)
HOURS_A_DAY = 24


class Advice(NamedTuple):
    """What is said: the words of the leaflet, empty for none, then our sentences."""

    leaflet: str
    sentences: tuple[str, ...]


def missed_advice(
    line: Line,
    *,
    leaflet: str,
    medicine_class: MedicineClass,
    is_dangerous: bool,
    days_without: int,
    next_is_due: bool,
) -> Advice:
    """Return what may be said about a dose without a record.

    The stored leaflet comes first; then the general words, for ordinary medicines
    taken once a day or more often; otherwise "ask". `days_without` is how many days in
    a row, this dose's the last, have no record of this medicine; `next_is_due` says
    whether the time of a later dose has come.
    """
    if leaflet:
        return _advice(leaflet)
    special = medicine_class != "ordinary" or is_dangerous or days_without > 1
    if special or not is_daily(line):
        return _advice("", ASK)
    return _advice("", NEXT_IS_DUE) if next_is_due else _advice("", *GENERAL)


def _advice(leaflet: str, *sentences: str) -> Advice:
    return Advice(leaflet, tuple(safety(one) for one in (*sentences, *NEVER_TWO)))


def is_daily(line: Line) -> bool:
    """Say whether a line is an ordinary one with a dose every day, or more often.

    A taper is not ordinary, nor are days off, a patch to change or a single dose.
    """
    if line.steps or line.kind in ("once", "prn"):
        return False
    if line.kind == "interval":
        return line.interval_hours is not None and line.interval_hours <= HOURS_A_DAY
    if any(entry.day_parity is not None for entry in line.times):
        return False
    return line.days == EveryDays() and any(
        entry.weekdays is None for entry in line.times
    )


def days_without_record(days: Iterable[tuple[date, bool]], *, on: date) -> int:
    """Count the days in a row up to `on` that had doses and no record of any taken.

    `days` holds (nominal date, whether it was taken) of each dose.
    """
    taken: dict[date, bool] = {}
    for day, was_taken in days:
        taken[day] = taken.get(day, False) or was_taken
    count = 0
    while taken.get(on) is False:
        count, on = count + 1, on - A_DAY
    return count
