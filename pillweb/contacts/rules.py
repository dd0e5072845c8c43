"""Which channels a message takes, how loudly, and when it has to wait."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import NamedTuple

from pillweb.base.i18n import Speech, gettext_noop
from pillweb.base.zones import local, zone

UNPROVEN, ACTIVE, FAILING = "unproven", "active", "failing"
GONE, STOPPED = "gone", "stopped"
USABLE = frozenset({UNPROVEN, ACTIVE, FAILING})
FAILURES_ALLOWED = 3
TEST_LIFE = timedelta(days=2)
MOST_A_MINUTE, MOST_AN_HOUR = 6, 30
# Why a message was held back that would have been too many.
STORM = "storm"
# Why a browser fails that took messages over and showed none of them.
UNSEEN = "unseen"

# What people choose channels for, and which messages each is.
DOSES, ALERTS, REFILLS, DAY, WEEK, WELL = (
    "doses",
    "alerts",
    "refills",
    "day",
    "week",
    "well",
)
GROUPS = {
    DOSES: gettext_noop("Reminders to take a medicine"),
    ALERTS: gettext_noop("When something may be wrong"),
    REFILLS: gettext_noop("When a medicine runs out"),
    DAY: gettext_noop("What was not recorded today"),
    WEEK: gettext_noop("How the week was"),
    WELL: gettext_noop("In the evening, that all is well"),
}
# For which of these a message is; one that is for none goes by any channel.
GROUP_OF = {
    "dose_due": DOSES,
    "dose_late": DOSES,
    "dose_alert": ALERTS,
    "refill_due": REFILLS,
    "too_much": ALERTS,
    "day_digest": DAY,
    "week_digest": WEEK,
    "all_well": WELL,
}
# What proves one channel does not go by another.
CONTACT_TEST = "contact_test"
ONE_CHANNEL = frozenset({CONTACT_TEST})
# What is the last that those who lose access hear.
LEAVING = "leaving"
# What answers somebody who just did something waits for no quiet hours to end.
AT_ONCE = frozenset({"contact_test", "answer_late"})


# Whom a message of each group can be for: those who take medicine, those who help.
OF_PATIENTS = (DOSES, REFILLS, WEEK)
OF_HELPERS = (ALERTS, DAY, WEEK, WELL, REFILLS)
# What a helper is told only where it was chosen for them (`sharing.models.Grant`).
WANTED = (DAY, WEEK, WELL, REFILLS)
MOST_POINTS = 20
# Channels whose addresses people know; those of the others are secrets of a program.
SPELLED = frozenset({"email", "sms", "voice", "ntfy"})
# Channels that a browser is the address of: nobody can type it.
BROWSER, OPEN_PAGE = "webpush", "live"


class Owner(NamedTuple):
    """Whose a contact point or a preference is: a patient's, or an account's."""

    patient_id: int | None = None
    account_id: int | None = None

    @property
    def number(self) -> int:
        """The id of whichever it is."""
        return self.patient_id or self.account_id or 0


@dataclass(frozen=True, slots=True)
class Point:
    """One address of a person; how loud its channel is, and what it got lately.

    `last_minute` and `last_hour` count the messages of those times.
    """

    id: int
    channel: str
    address: str
    state: str
    loudness: int = 0
    last_minute: int = 0
    last_hour: int = 0

    @property
    def is_flooded(self) -> bool:
        """Whether one more message would be too many."""
        return self.last_minute >= MOST_A_MINUTE or self.last_hour >= MOST_AN_HOUR


@dataclass(frozen=True, slots=True)
class Wishes:
    """How somebody wants to be told; see `contacts.models.Preference`."""

    unwanted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    quiet_from: str = ""
    quiet_until: str = ""
    urgent_passes: bool = True
    shows_names: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is told: a patient, or an account; `key` is "p7" or "a3".

    `zone` is where they are, for their quiet hours.
    """

    key: str
    name: str
    speech: Speech
    zone: str
    points: tuple[Point, ...] = ()
    wishes: Wishes = Wishes()

    @property
    def patient_id(self) -> int | None:
        """The id of the patient it is, if it is one."""
        return int(self.key[1:]) if self.key[0] == "p" else None

    @property
    def account_id(self) -> int | None:
        """The id of the account it is, if it is one."""
        return int(self.key[1:]) if self.key[0] == "a" else None


class Standing(NamedTuple):
    """How whom a message goes to stands to it now, just before it leaves.

    `state` is their address's, none where it was removed; `is_granted` is false where
    a helper of the patient is none any more; `is_leaving` that all about the patient is
    to be erased.
    """

    state: str | None
    is_granted: bool
    is_leaving: bool
    wishes: Wishes
    zone: str

    def wants(self, kind: str, channel: str) -> bool:
        """Say whether they want such a message by this channel."""
        return channel not in self.wishes.unwanted.get(GROUP_OF.get(kind, ""), ())

    def quiet_until(
        self, *, since: datetime, is_urgent: bool, now: datetime
    ) -> datetime | None:
        """Return when the quiet hours end that began since an instant; None for none.

        What is time-critical does not wait, unless they chose so. What was posted in
        these hours was meant for them.
        """
        if is_urgent and self.wishes.urgent_passes:
            return None
        until = _quiet_until(self.wishes, self.zone, now)
        meant = _quiet_until(self.wishes, self.zone, since)
        return until if until != meant else None


def spelled_address(channel: str, address: str) -> str:
    """Return an address as people know it; empty where it is nothing for people."""
    return address if channel in SPELLED else ""


def working(points: Sequence[Point]) -> list[Point]:
    """Return the points that are known to work; where there is none, those that may.

    Silence would be worse than a message to an address nobody has answered from yet.
    An open page that showed nothing lately is told all the same: it may be opened.
    """
    known = [
        point
        for point in points
        if point.state == ACTIVE
        or (point.channel == OPEN_PAGE and point.state == FAILING)
    ]
    if any(_is_sure(point) for point in known):
        return known
    return [point for point in points if point.state in USABLE]


def _is_sure(point: Point) -> bool:
    """Say whether a message gets there: it works, and is no page that may be closed."""
    return point.state == ACTIVE and point.channel != OPEN_PAGE


def _wanted(points: Sequence[Point], group: str, wishes: Wishes) -> list[Point]:
    """Return which of these points work and are wanted for messages of this group.

    Of doses somebody is told by a channel they did not want, when no other works.
    """
    unwanted = set(wishes.unwanted.get(group, ()))
    found = working([point for point in points if point.channel not in unwanted])
    if group != DOSES:
        return found
    return max(
        (found, working(points)),
        key=lambda some: (any(_is_sure(point) for point in some), bool(some)),
    )


def reminding_states(ways: Iterable[tuple[str, str]], wishes: Wishes) -> list[str]:
    """Return the states of those of a patient's ways by which they want reminders.

    Each is a channel and a state. An open page is none: nobody may look at it.
    """
    unwanted = {*wishes.unwanted.get(DOSES, ()), OPEN_PAGE}
    return [state for channel, state in ways if channel not in unwanted]


def is_reached(states: Collection[str], *, has_lost: bool = False) -> bool:
    """Say whether somebody with contact points in these states is reached.

    One that works is enough. What nobody has answered from yet may work, and is
    believed only while nothing else was lost: a first address, or one instead of it.
    `has_lost` says that one that worked was taken away.

    >>> is_reached(["gone", "active"]), is_reached(["gone", "unproven"])
    (True, False)
    """
    return ACTIVE in states or (not has_lost and set(states) == {UNPROVEN})


def chosen_points(person: Person, group: str, *, loudest: int = 0) -> list[Point]:
    """Return by which addresses a message of this group goes to somebody.

    All that are no louder than `loudest`, or else the quietest there are, beside an
    open page. A channel that is unwanted for the group is left out (`_wanted`).
    """
    wanted = _wanted(person.points, group, person.wishes)
    quietest = min(
        (point.loudness for point in wanted if point.channel != OPEN_PAGE), default=0
    )
    limit = max(loudest, quietest)
    return [point for point in wanted if point.loudness <= limit]


def is_way(person: Person, kind: str, contact_id: int) -> bool:
    """Say whether such a message goes to somebody by this of their contact points."""
    found = _wanted(person.points, GROUP_OF.get(kind, ""), person.wishes)
    return contact_id in {point.id for point in found}


def points_beside(person: Person, kind: str, *, failed: int) -> list[Point]:
    """Return where a message goes that did not arrive at a point: the quietest first.

    Nowhere where it is unwanted, and nowhere where the person was not reached either.
    An open page is no way round: what it took over may never be seen.
    """
    if kind in ONE_CHANNEL:
        return []
    left = [
        point
        for point in person.points
        if point.id != failed and point.channel != OPEN_PAGE
    ]
    wanted = _wanted(left, GROUP_OF.get(kind, ""), person.wishes)
    return sorted(wanted, key=lambda point: point.loudness)


def is_cut_off(points: Sequence[Point], failing: Collection[str]) -> bool:
    """Say whether nothing arrives while these channels fail, or there is no point.

    An open page may be closed: it is no help beside another.
    """
    ways = {point.channel for point in points}
    return (ways - {OPEN_PAGE} or ways).issubset(failing)


def quiet_until(person: Person, now: datetime) -> datetime | None:
    """Return when the quiet hours end in which somebody is now; None outside them."""
    return _quiet_until(person.wishes, person.zone, now)


def _quiet_until(wishes: Wishes, where: str, now: datetime) -> datetime | None:
    if not wishes.quiet_from or wishes.quiet_from == wishes.quiet_until:
        return None
    begin = time.fromisoformat(wishes.quiet_from)
    end = time.fromisoformat(wishes.quiet_until)
    place = zone(where)
    here = local(now, place)
    clock = here.time()
    is_inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not is_inside:
        return None
    day = here.date() + timedelta(days=1) if clock >= end else here.date()
    return datetime.combine(day, end, place).astimezone(now.tzinfo)
