"""What is true of doses without asking anybody: states, words, and today's order."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext
from pillweb.base.words import (
    PartOfDay,
    amount_words,
    date_words,
    greeting,
    part_of_day,
    plural,
    time_words,
)
from pillweb.base.zones import Zone, local
from pillweb.medications.rules import FORMS
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.slots_of_day import ACTIONS, TAKE
from pillweb.schedules.rules.words import intake_words

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
# A second press of somebody else so soon is the same dose, told twice.
MOMENT = timedelta(minutes=5)
# Words of an amount that tell nothing of the medicine.
PLAIN_UNITS = frozenset(
    {"", "g", "mg", "mcg", "microgram", "micrograms", "l", "ml"}
    | {word for unit in FORMS.values() for word in (unit, plural(unit))}
)
_UNSAID: dict[str, Any] = dict.fromkeys(("strength", "reason", "instruction"), "")
_NO_AMOUNT: dict[str, Any] = {"amount": None, "dose_text": None, "action": None}
_WORDS = {
    TAKEN: gettext_noop("Taken"),
    PART: gettext_noop("Part taken"),
    "done": gettext_noop("Done"),
    SKIPPED: gettext_noop("Skipped"),
    NOT_TAKEN: gettext_noop("Not taken"),
    HELD: gettext_noop("Paused"),
    CANCELLED: gettext_noop("Moved by travel"),
    "no_record": gettext_noop("No record"),
}
_WORDS_AT = {
    TAKEN: gettext_noop("Taken at %(time)s"),
    PART: gettext_noop("Part taken at %(time)s"),
    "done": gettext_noop("Done at %(time)s"),
    "due": gettext_noop("Due at %(time)s"),
    "to_come": gettext_noop("Later, at %(time)s"),
}
PART_NAMES: dict[PartOfDay, str] = {
    "morning": gettext_noop("Morning"),
    "midday": gettext_noop("Midday"),
    "evening": gettext_noop("Evening"),
    "bedtime": gettext_noop("Bedtime"),
}
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


class Card(NamedTuple):
    """One dose as a page shows it; `links` are (path, words) of its quiet ways on."""

    id: int
    name: str
    strength: str
    amount_words: str
    instruction: str
    reason: str
    time_words: str
    state: str
    state_words: str
    can_take: bool
    can_undo: bool
    take_words: str
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DayPage:
    """One day as one looks back on it, or ahead."""

    day_words: str
    cards: tuple[Card, ...]
    nothing_words: str


@dataclass(frozen=True, slots=True)
class Today:
    """The page that answers: what now, and did I take it?"""

    day_words: str
    headline: str
    all_done: bool
    take_all_label: str | None
    now: tuple[Card, ...]
    groups: tuple[tuple[str, tuple[Card, ...]], ...]

    def card(self, dose_id: int) -> Card | None:
        """Return the card of one dose, wherever on the page it stands."""
        everywhere = [self.now, *(group[1] for group in self.groups)]
        return next((c for cards in everywhere for c in cards if c.id == dose_id), None)


def is_due(dose: DoseFacts, *, now: datetime) -> bool:
    """Say whether a dose is to be taken now: from half an hour before its time."""
    return dose.state == OPEN and dose.due_at - LEAD <= now < dose.missed_at


def may_take(dose: DoseFacts, *, now: datetime) -> bool:
    """Say whether a dose can be recorded: from half a day before its time, for ever."""
    return dose.state == OPEN and now >= dose.due_at - EARLY_BY


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


def shown_state(dose: DoseFacts, *, now: datetime) -> str:
    """Return the state a page shows: an open dose is due, to come or unrecorded."""
    if dose.state != OPEN:
        return dose.state
    if now >= dose.missed_at:
        return "no_record"
    return "due" if is_due(dose, now=now) else "to_come"


def _state_words(
    dose: DoseFacts, state: str, *, clock: Callable[[datetime], str]
) -> str:
    due = time_words(dose.clock)
    if state in {TAKEN, PART}:
        done = "done" if state == TAKEN and is_deed(dose) else state
        if dose.taken_at is None:
            return _(_WORDS[done])
        return _(_WORDS_AT[done], time=clock(dose.taken_at))
    if state in _WORDS_AT:
        return _(_WORDS_AT[state], time=due)
    return _(_WORDS[state])


def is_deed(dose: DoseFacts) -> bool:
    """Say whether a dose is done rather than taken: a patch that comes off."""
    return dose.action not in (None, "", TAKE)


def amount_of(dose: DoseFacts) -> str:
    """Return how much, in words: by the plan's unit, else by the medicine's."""
    if dose.dose_text or dose.action:
        action = dose.action if is_deed(dose) else ""
        return intake_words(dose.dose_text or "", action or "", dose.unit)
    return amount_words(dose.amount, dose.unit) if dose.amount else ""


def make_card(
    dose: DoseFacts,
    *,
    now: datetime,
    clock: Callable[[datetime], str],
    may_mark: bool,
) -> Card:
    """Return a dose as a page shows it; `clock` words an instant by the local clock."""
    state = shown_state(dose, now=now)
    return Card(
        id=dose.id,
        name=dose.name,
        strength=dose.strength,
        amount_words=amount_of(dose),
        instruction=dose.instruction,
        reason=dose.reason,
        time_words=time_words(dose.clock),
        state=state,
        state_words=_state_words(dose, state, clock=clock),
        can_take=may_mark and may_take(dose, now=now),
        can_undo=may_mark
        and dose.state in RECORDED
        and may_undo(dose.recorded_at, now=now),
        take_words=_("I have done it") if is_deed(dose) else _("I have taken it"),
        links=_links(dose, state, now=now) if may_mark else (),
    )


def _links(
    dose: DoseFacts, state: str, *, now: datetime
) -> tuple[tuple[str, str], ...]:
    links = []
    if may_take(dose, now=now) and state != "to_come" and dose.amount:
        links.append(("amount", _("I took a different amount")))
    if state in (TAKEN, PART) and not is_deed(dose):
        links.append(("again", _("I took another one")))
    if state == "no_record" or (state == "due" and now >= dose.due_at + LATE):
        links.append(("missed", _("What to do now")))
    return tuple(links)


def without_names(doses: Iterable[DoseFacts]) -> list[DoseFacts]:
    """Return doses that tell how many and when, but not which medicine.

    Words of an amount may tell it, too: "1 tablet of warfarin".
    """
    hidden = {"name": _("Medicine")} | _UNSAID
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


def headline(doses: Sequence[DoseFacts], *, who: str, now: datetime) -> str:
    """Return the one sentence of the page; `who` is a name, or empty for "you"."""
    doses = [dose for dose in doses if dose.state != HELD]
    due = [dose for dose in doses if is_due(dose, now=now)]
    if due:
        return _to_take_now(len(due), who=who)
    later = [d for d in doses if d.state == OPEN and d.due_at > now]
    if later:
        first = min(later, key=lambda dose: dose.due_at)
        clock = time_words(first.clock)
        if any(d.state in RECORDED for d in doses):
            return _("All done for now. Next: %(time)s.", time=clock)
        return _("Nothing to take now. Next: %(time)s.", time=clock)
    if not doses:
        return _("Nothing to take today.")
    unrecorded = [d for d in doses if d.state == OPEN]
    if unrecorded:
        return _("Nothing to take now. Some medicines have no record.")
    return _("All done for today.")


def _to_take_now(count: int, *, who: str) -> str:
    if not who:
        return ngettext(
            "You have %(num)s medicine to take now.",
            "You have %(num)s medicines to take now.",
            count,
        )
    return ngettext(
        "%(name)s has %(num)s medicine to take now.",
        "%(name)s has %(num)s medicines to take now.",
        count,
        name=who,
    )


def take_all_label(due: int) -> str | None:
    """Return the words of the one large button; a single dose has its own.

    >>> take_all_label(1), take_all_label(2), take_all_label(3)
    (None, 'I have taken both', 'I have taken all 3')
    """
    if due < 2:  # noqa: PLR2004 - one needs no button for all
        return None
    if due == 2:  # noqa: PLR2004
        return _("I have taken both")
    return ngettext("I have taken all %(num)s", "I have taken all %(num)s", due)


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


def by_part_of_day(
    doses: Iterable[DoseFacts],
    *,
    now: datetime,
    clock: Callable[[datetime], str],
    may_mark: bool,
) -> tuple[tuple[str, tuple[Card, ...]], ...]:
    """Return doses, already in order, as cards under morning, midday and so on."""
    return tuple(
        (
            _(PART_NAMES[part]),
            tuple(make_card(d, now=now, clock=clock, may_mark=may_mark) for d in group),
        )
        for part, group in groupby(doses, key=lambda d: part_of_day(d.clock))
    )


def day_page(
    doses: Sequence[DoseFacts],
    *,
    on: date,
    today: date,
    now: datetime,
    clock: Callable[[datetime], str],
    may_mark: bool,
) -> DayPage:
    """Return the page of one day; doses of days to come cannot be recorded yet."""
    cards = []
    for dose in doses:
        may = may_mark and on <= today
        card = make_card(dose, now=now, clock=clock, may_mark=may)
        if is_late_entry(dose, today=today, now=now):
            card = card._replace(take_words=_("I took it"))
        cards.append(card)
    planned = on < today + REPLAN_BEFORE
    return DayPage(
        day_words=f"{date_words(on)} {on.year}",
        cards=tuple(cards),
        nothing_words=_("Nothing was planned for this day.")
        if planned
        else _("This day is not planned yet."),
    )


def today_page(
    doses: Sequence[DoseFacts],
    *,
    who: str,
    here: datetime,
    now: datetime,
    clock: Callable[[datetime], str],
    may_mark: bool,
) -> Today:
    """Return today's page: what is due first, then the day in its parts.

    `here` is now on the patient's clock; `who` is empty when they look themselves.
    """
    mine = sorted(
        (d for d in doses if belongs_to_today(d, today=here.date(), now=now)),
        key=lambda dose: (dose.due_at, dose.id),
    )
    due = [dose for dose in mine if is_due(dose, now=now)]
    rest = [dose for dose in mine if not is_due(dose, now=now)]
    return Today(
        day_words=greeting(here),
        headline=headline(mine, who=who, now=now),
        all_done=any(d.state in RECORDED for d in mine)
        and all(d.state in (*RECORDED, HELD) for d in mine),
        take_all_label=take_all_label(len(due)) if may_mark else None,
        now=tuple(make_card(d, now=now, clock=clock, may_mark=may_mark) for d in due),
        groups=by_part_of_day(rest, now=now, clock=clock, may_mark=may_mark),
    )
