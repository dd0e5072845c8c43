"""What a scanned code means: the doses of one time of day, today."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import ngettext
from pillweb.doses.rules.days import LEAD, OPEN, RECORDED, DoseFacts, is_due
from pillweb.doses.rules.sentences import amount_of, take_all_label

Stand = Literal["nothing", "changed", "early", "due", "late", "done"]
LONG_AGO = timedelta(hours=1)
A_NIGHT = timedelta(hours=12)


class Scanned(NamedTuple):
    """The doses of a code, and how they stand; `due` may be recorded now.

    `is_old` says that the plan asks for more, or other, than the sheet does.
    """

    stand: Stand
    due: tuple[DoseFacts, ...]
    recorded: tuple[DoseFacts, ...]
    due_at: datetime | None
    is_old: bool


def meant(
    doses: Iterable[DoseFacts], clock: time, *, today: date, now: datetime
) -> list[DoseFacts]:
    """Return the doses a code is about: today's, or last night's that still run.

    `doses` are those of yesterday and today by the clock that is in force.
    """
    mine = [
        dose
        for dose in doses
        if dose.clock.replace(second=0) == clock and dose.state in (OPEN, *RECORDED)
    ]
    running = {
        dose.nominal_date
        for dose in mine
        if dose.due_at - LEAD <= now < min(dose.missed_at, dose.due_at + A_NIGHT)
    }
    on = max(running, default=today)
    return [dose for dose in mine if dose.nominal_date == on]


def scanned(
    doses: Sequence[DoseFacts], *, now: datetime, unprinted: Collection[int] = ()
) -> Scanned:
    """Return how the doses of a code stand; no word about one that is not on paper."""
    printed = [dose for dose in doses if dose.id not in unprinted]
    still_open = [dose for dose in printed if dose.state == OPEN]
    due = tuple(dose for dose in still_open if is_due(dose, now=now))
    stand: Stand = "late"
    if not printed:
        stand = "changed" if doses else "nothing"
    elif not still_open:
        stand = "done"
    elif due:
        stand = "due"
    elif any(now < dose.due_at - LEAD for dose in still_open):
        stand = "early"
    return Scanned(
        stand,
        due,
        tuple(dose for dose in printed if dose.state in RECORDED),
        min((dose.due_at for dose in printed), default=None),
        is_old=len(printed) < len(doses),
    )


def is_long_ago(found: Scanned, *, now: datetime) -> bool:
    """Say whether the time was over an hour ago: then nobody is told to take it."""
    return found.due_at is not None and now - found.due_at > LONG_AGO


def taken_label(due: int) -> str:
    """Return the words of the one button."""
    return take_all_label(due) or _("I have taken it")


def told_lines(
    doses: Sequence[DoseFacts], *, shows_names: bool
) -> list[tuple[str, str]]:
    """Return (what, how much) of each dose; only how many where names are hidden."""
    if shows_names:
        return [
            (f"{dose.name} {dose.strength}".strip(), amount_of(dose)) for dose in doses
        ]
    return [(ngettext("%(num)s medicine", "%(num)s medicines", len(doses)), "")]
