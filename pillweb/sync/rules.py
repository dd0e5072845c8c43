"""What becomes of an answer that a device kept while it had no connection."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import safety
from pillweb.doses.rules.days import (
    CANCELLED,
    EARLY_BY,
    HELD,
    LEAD,
    MOMENT,
    OPEN,
    SKIPPED,
    TAKEN,
    UNDO_FOR,
)

TAKE = "take"
UNDO = "undo"
SKIP = "skip"
LATER = "later"
STATE_AFTER = {TAKE: TAKEN, SKIP: SKIPPED}

RECORDED = "recorded"
SAME = "same"
ALREADY = "already"
CHANGED = "changed"
NEWER = "newer"
TOO_OLD = "too_old"
OVER = "over"

DAYS_KEPT = 7
# A device sends a week-old answer at most: none is asked for again after a month.
OLDEST = timedelta(days=DAYS_KEPT)
# Two answers on their way may be this much apart from how they were pressed.
SLACK = timedelta(minutes=1)


class Presser(NamedTuple):
    """Who pressed on a device: an account, or a tablet that is a patient's."""

    account_id: int | None = None
    device_id: int | None = None


class Said(NamedTuple):
    """A dose as it stands, and the newest thing said of it: what, when, by whom.

    `planned_at` is when the plan began that wants it so.
    """

    state: str
    planned_at: datetime
    nominal_date: date
    due_at: datetime
    missed_at: datetime
    what: str
    at: datetime | None
    account_id: int | None


def pressed_at(ago: timedelta, *, received_at: datetime) -> datetime:
    """Return when a button was pressed so long before it reached us.

    A device tells how long ago, not when: its clock may be wrong, its stopwatch less
    so. Nothing is pressed after it was received.
    """
    return received_at - max(ago, timedelta())


def resolve(
    deed: str,
    said: Said,
    *,
    pressed_at: datetime,
    received_at: datetime,
    account_id: int | None,
    later_until: datetime | None = None,
) -> str:
    """Return what becomes of an answer: `recorded`, or why it is not.

    The first who recorded a dose stands. An answer never undoes what is newer than
    itself, nor what its own press had already done. `pressed_at` is told by the
    patient's clock; `later_until` is when to speak again, where the dose can wait so
    long.
    """
    if received_at - pressed_at > OLDEST:
        return TOO_OLD
    if said.state in (CANCELLED, HELD):
        return CHANGED
    if deed == UNDO:
        return _undone(said, pressed_at=pressed_at)
    if said.state == OPEN:
        return _of_open(
            deed,
            said,
            pressed_at=pressed_at,
            received_at=received_at,
            later_until=later_until,
        )
    own = said.account_id == account_id and said.state == STATE_AFTER.get(deed)
    near = said.at is not None and abs(said.at - pressed_at) < MOMENT
    return SAME if own and near else ALREADY


def _of_open(
    deed: str,
    said: Said,
    *,
    pressed_at: datetime,
    received_at: datetime,
    later_until: datetime | None,
) -> str:
    if not _was_offered(deed, said, pressed_at):
        return CHANGED
    if deed == LATER:
        return RECORDED if later_until and received_at < later_until else OVER
    return NEWER if _is_newer(said, pressed_at) else RECORDED


def _was_offered(deed: str, said: Said, pressed_at: datetime) -> bool:
    """Say whether the dose could be meant: as it is planned, and near its time.

    On the page of a day that is over the dose of a later day may be meant.
    """
    early_by = EARLY_BY if deed == TAKE else LEAD
    begins = max(said.planned_at, said.due_at - early_by)
    is_over = said.nominal_date < pressed_at.date() and said.missed_at <= pressed_at
    return begins <= pressed_at and not is_over


def _is_newer(said: Said, pressed_at: datetime) -> bool:
    return said.at is not None and said.at > pressed_at + SLACK


def _undone(said: Said, *, pressed_at: datetime) -> str:
    if said.state == OPEN:
        return SAME
    if _is_newer(said, pressed_at):
        return NEWER
    is_late = said.at is not None and pressed_at - said.at >= UNDO_FOR
    return TOO_OLD if is_late else RECORDED


def outcome_words(
    outcome: str, deed: str, *, pressed: str, recorded: str = "", by: str = ""
) -> str:
    """Return what became of an answer, in words; times as words of a clock."""
    if outcome in (RECORDED, SAME):
        return _deed_words(deed, pressed=pressed)
    if outcome == ALREADY:
        return _already_words(recorded, by=by)
    return {
        CHANGED: _("The plan was changed, so this was not recorded."),
        NEWER: _("This was changed after you pressed. We left it as it is."),
        TOO_OLD: _("You pressed this too long ago, so it was not recorded."),
        OVER: _("You asked to be reminded later. That time is over."),
    }[outcome]


def _deed_words(deed: str, *, pressed: str) -> str:
    return {
        TAKE: _("Recorded as taken at %(time)s.", time=pressed),
        SKIP: _("Recorded as skipped at %(time)s.", time=pressed),
        UNDO: _("You took this back at %(time)s.", time=pressed),
        LATER: _("We remind you later."),
    }[deed]


def _already_words(recorded: str, *, by: str) -> str:
    if not recorded:
        return safety("Already recorded. It was not recorded twice.")
    if not by:
        return safety(
            "Already recorded at %(time)s. It was not recorded twice.", time=recorded
        )
    return safety(
        "Already recorded at %(time)s by %(name)s. It was not recorded twice.",
        time=recorded,
        name=by,
    )


def needs_a_look(outcome: str) -> bool:
    """Say whether a person should look at the day: what was said is not recorded."""
    return outcome not in (RECORDED, SAME, OVER)
