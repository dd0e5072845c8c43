"""What pages show of doses: a card each, today in its parts, and one day."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.words import (
    PartOfDay,
    full_date_words,
    greeting,
    part_of_day,
    time_words,
)
from pillweb.doses.rules.days import (
    HELD,
    LATE,
    LATER,
    PART,
    RECORDED,
    REPLAN_BEFORE,
    TAKEN,
    DoseFacts,
    belongs_to_today,
    is_deed,
    is_due,
    is_late_entry,
    may_skip,
    may_take,
    may_undo,
    shown_state,
    told_again_at,
    waiting,
)
from pillweb.doses.rules.sentences import (
    PART_NAMES,
    amount_of,
    answer,
    headline,
    later_words,
    said_words,
    state_words,
    take_all_label,
)
from pillweb.medications.rules import Looks


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
    looks: Looks = Looks()


class Group(NamedTuple):
    """The doses of one part of a day, under its name."""

    part: PartOfDay
    title: str
    cards: tuple[Card, ...]


class Said(NamedTuple):
    """What a press did, said on top of the page; `undo` names what can be undone."""

    words: str
    undo: str = ""


@dataclass(frozen=True, slots=True)
class DayPage:
    """One day as one looks back on it, or ahead."""

    day_words: str
    cards: tuple[Card, ...]
    nothing_words: str


@dataclass(frozen=True, slots=True)
class Today:
    """The page that answers: what now, and did I take it?

    `answer` is empty while something is to be taken, for that comes first.
    """

    day_words: str
    headline: str
    all_done: bool
    answer: str
    later: str
    wait_words: str
    take_all_label: str | None
    now: tuple[Card, ...]
    groups: tuple[Group, ...]

    def card(self, dose_id: int) -> Card | None:
        """Return the card of one dose, wherever on the page it stands."""
        everywhere = [self.now, *(group.cards for group in self.groups)]
        return next((c for cards in everywhere for c in cards if c.id == dose_id), None)


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
        state_words=state_words(dose, state, clock=clock),
        can_take=may_mark and may_take(dose, now=now),
        can_undo=may_mark
        and dose.state in RECORDED
        and may_undo(dose.recorded_at, now=now),
        take_words=_("I have done it") if is_deed(dose) else _("I have taken it"),
        links=_links(dose, state, now=now) if may_mark else (),
        looks=dose.looks,
    )


def _links(
    dose: DoseFacts, state: str, *, now: datetime
) -> tuple[tuple[str, str], ...]:
    links = []
    if may_take(dose, now=now) and state != "to_come" and dose.amount:
        links.append(("amount", _("I took a different amount")))
    if may_skip(dose, now=now):
        links.append(("skip", _("I am not taking this one")))
    if state in (TAKEN, PART) and not is_deed(dose):
        links.append(("again", _("I took another one")))
    is_late = state == "due" and now >= dose.due_at + LATE
    if is_late or state in ("no_record", "not_reminded"):
        links.append(("missed", _("What to do now")))
    return tuple(links)


def said_of(
    doses: Sequence[DoseFacts],
    *,
    now: datetime,
    clock: Callable[[datetime], str],
) -> Said | None:
    """Return what a press did to these doses, in words, and what may be undone."""
    words = said_words(doses, clock=clock)
    undo = [
        str(dose.id)
        for dose in doses
        if dose.state in RECORDED and may_undo(dose.recorded_at, now=now)
    ]
    return Said(words, " ".join(undo)) if words else None


def by_part_of_day(
    doses: Iterable[DoseFacts],
    *,
    now: datetime,
    clock: Callable[[datetime], str],
    may_mark: bool,
) -> tuple[Group, ...]:
    """Return doses, already in order, as cards under morning, midday and so on."""
    return tuple(
        Group(
            part,
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
        day_words=full_date_words(on),
        cards=tuple(cards),
        nothing_words=_("Nothing was planned for this day.")
        if planned
        else _("This day is not planned yet."),
    )


def _wait_words(doses: Iterable[DoseFacts], *, who: str, now: datetime) -> str:
    """Return what leads to being told later; empty where nothing can wait."""
    if told_again_at(waiting(doses, now=now), LATER[0], now=now) is None:
        return ""
    return _("Remind %(name)s later", name=who) if who else _("Remind me later")


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
        answer="" if due else answer(mine, who=who, now=now, clock=clock),
        later=later_words(mine, who=who, now=now, clock=clock),
        wait_words=_wait_words(mine, who=who, now=now) if may_mark else "",
        take_all_label=take_all_label(len(due)) if may_mark else None,
        now=tuple(make_card(d, now=now, clock=clock, may_mark=may_mark) for d in due),
        groups=by_part_of_day(rest, now=now, clock=clock, may_mark=may_mark),
    )
