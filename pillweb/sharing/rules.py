"""What a grant and a link allow."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop


class Level(IntEnum):
    """How much one person may do for another."""

    VIEW = 1
    MARK = 2
    MANAGE = 3


LEVELS = {
    Level.VIEW: gettext_noop("Look, and change nothing"),
    Level.MARK: gettext_noop("Look, and record doses"),
    Level.MANAGE: gettext_noop("See and change everything"),
}

# What became of a grant or an invitation.
PENDING, ACCEPTED, DECLINED = "pending", "accepted", "declined"
REVOKED, ENDED = "revoked", "ended"
# Put aside while the patient or the account is leaving; or while nothing is shared.
ASIDE, KEPT_OUT = "aside", "kept_out"

SELF, CAREGIVER, DOCTOR, PHARMACIST = "self", "caregiver", "doctor", "pharmacist"
ROLES = {
    CAREGIVER: gettext_noop("Family or helper"),
    DOCTOR: gettext_noop("Doctor"),
    PHARMACIST: gettext_noop("Pharmacist"),
}

# What somebody who does not manage may look at, beside today.
NAMES, HISTORY, REPORTS = "names", "history", "reports"
SCOPES = {
    NAMES: gettext_noop("Which medicines they are"),
    HISTORY: gettext_noop("The days before, and the calendar"),
    REPORTS: gettext_noop("The report for the doctor"),
}
EVERYTHING = frozenset(SCOPES)
USUAL = {
    SELF: EVERYTHING,
    CAREGIVER: frozenset({NAMES, HISTORY}),
    DOCTOR: EVERYTHING,
    PHARMACIST: frozenset({NAMES}),
}

# What somebody sees on a tablet that is for them, and whether others are on it.
ON_TABLETS = frozenset({NAMES, HISTORY})
OWN, SHARED = "own", "shared"

# The pages a link can open, and what each shows.
TODAY, CALENDAR = "today", "calendar"
PAGES = {TODAY: gettext_noop("Today"), CALENDAR: gettext_noop("The calendar")}

LINK_DAYS = (7, 30, 90)
LINK_DAYS_DEFAULT = 7
PIN_DIGITS, PINS_ALLOWED = 6, 5
OPENINGS_KEPT, LONGEST_DEVICE = 20, 40
A_YEAR = timedelta(days=365)


def may(level: int, need: Level) -> bool:
    """Say whether a granted level is enough.

    >>> may(Level.VIEW, Level.MARK)
    False
    """
    return level >= need


def link_is_live(
    *,
    expires_at: datetime,
    revoked_at: datetime | None,
    now: datetime,
    wrong_pins: int = 0,
) -> bool:
    """Say whether a shared link still opens; it ends at its expiry to the second."""
    is_locked = wrong_pins >= PINS_ALLOWED
    return revoked_at is None and now < expires_at and not is_locked


def link_words(pages: Collection[str], *, names: bool) -> str:
    """Return in plain sentences what a link shows."""
    shown = {TODAY: _("Shows today."), CALENDAR: _("Shows the calendar.")}
    told = [words for page, words in shown.items() if page in pages]
    return " ".join([*told, _("Names the medicines.")] if names else told)


def seen_by(level: int, sees: Collection[str]) -> frozenset[str]:
    """Return what somebody may look at: all of it for who manages.

    >>> sorted(seen_by(Level.VIEW, ["names", "unheard"]))
    ['names']
    """
    if may(level, Level.MANAGE):
        return EVERYTHING
    return EVERYTHING & frozenset(sees)


def access_words(level: int, sees: Collection[str]) -> str:
    """Return in plain sentences what somebody may do and see."""
    if may(level, Level.MANAGE):
        return _("May see and change everything.")
    told = [
        _("May look and record doses.")
        if may(level, Level.MARK)
        else _("May look at today.")
    ]
    seen = {
        NAMES: _("Sees which medicines they are."),
        HISTORY: _("Sees the days before."),
        REPORTS: _("Sees the report."),
    }
    told += [words for scope, words in seen.items() if scope in sees]
    return " ".join(told)


def link_expiry(days: int, *, now: datetime) -> datetime:
    """Return when a link made now ends; days beyond 90 count as 90."""
    return now + timedelta(days=min(days, LINK_DAYS[-1]))


class Terms(NamedTuple):
    """On what terms somebody is let in; until `ends_at`, or until it is stopped."""

    level: Level
    role: str
    sees: frozenset[str]
    ends_at: datetime | None = None


# What somebody has who is the patient.
OWN_TERMS = Terms(Level.MANAGE, SELF, EVERYTHING)


def gives_more(offer: Terms, held: Terms) -> bool:
    """Say whether an offer adds to what somebody has, and takes nothing of it.

    Who helps does not become the patient by one, nor the other way round.

    >>> look = Terms(Level.VIEW, CAREGIVER, frozenset({NAMES}))
    >>> record = look._replace(level=Level.MARK)
    >>> [gives_more(record, look), gives_more(look, record), gives_more(look, look)]
    [True, False, False]
    >>> gives_more(OWN_TERMS, look)
    False
    """
    if SELF in {offer.role, held.role} or offer.level < held.level:
        return False
    offered, seen = (seen_by(one.level, one.sees) for one in (offer, held))
    is_as_long = offer.ends_at is None or (
        held.ends_at is not None and held.ends_at <= offer.ends_at
    )
    is_same = (offer.level, offered, offer.ends_at) == (held.level, seen, held.ends_at)
    return offered >= seen and is_as_long and not is_same


class Helper(NamedTuple):
    """Somebody who helps, what they are told, and what they may do.

    See `sharing.models.Grant`.
    """

    grant_id: int
    account_id: int
    name: str
    alerts: bool
    ladder_place: int | None
    wants: Sequence[str]
    level: int
    role: str
    sees: Sequence[str]
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Door:
    """An opened patient: who it is, and how much the viewer may see and do.

    `zone` is the zone the patient lives by now, `home_zone` the one at home.
    `is_unreached` says that reminders reach the patient nowhere, `has_lost` that the
    last one was given up. `sees` is what the viewer may look at (`SCOPES`), `pages`
    what a shared link opens (`PAGES`). `tablet` is set where a tablet opened it that is
    theirs (`OWN`), or for others too (`SHARED`).
    """

    patient_id: int
    patient_name: str
    zone: str
    level: int
    is_self: bool
    base_url: str
    is_shared: bool = False
    sees: frozenset[str] = EVERYTHING
    pages: frozenset[str] = frozenset(PAGES)
    home_zone: str = ""
    is_unreached: bool = False
    has_lost: bool = False
    tablet: str = ""

    @property
    def shows_names(self) -> bool:
        """Whether the viewer may know which medicines they are."""
        return NAMES in self.sees

    @property
    def may_mark(self) -> bool:
        """Whether the viewer may record doses."""
        return may(self.level, Level.MARK)

    @property
    def may_manage(self) -> bool:
        """Whether the viewer may change plans and sharing."""
        return may(self.level, Level.MANAGE)


@dataclass(frozen=True, slots=True)
class Nav:
    """What the head of a page says: whose it is, where one can go, and what is wrong.

    `alarm` is said on every page of a patient; `alarm_url` is where it is put right.
    `zone` is by which clock it tells times, empty where it tells none. `tablet` is as
    of a door: it leads nowhere but to this patient's own pages.
    """

    patient_name: str = ""
    base_url: str = ""
    places: tuple[tuple[str, str], ...] = ()
    signed_in: bool = True
    clock_words: str = ""
    alarm: str = ""
    alarm_url: str = ""
    zone: str = ""
    tablet: str = ""


def clock_words(door: Door) -> str:
    """Return by which clock a patient's pages tell times, where that is a question.

    It is one for whoever helps from elsewhere, and for everybody on a journey (T15).
    """
    if door.is_self and door.zone == door.home_zone:
        return ""
    city = door.zone.rpartition("/")[2].replace("_", " ")
    return _("Times are by the clock in %(city)s.", city=city)


def alarm_words(door: Door) -> str:
    """Return what every page says while reminders reach the patient nowhere.

    Who helps reads of one that was lost, too: there may be reason to call.
    """
    if door.is_unreached and door.is_self:
        return _("No reminder reaches you now.")
    if door.is_unreached:
        return _("No reminder reaches %(name)s now.", name=door.patient_name)
    if door.has_lost and not door.is_self:
        name = door.patient_name
        return _("The last reminder for %(name)s did not arrive.", name=name)
    return ""


def _alarm_url(door: Door) -> str:
    """Return where it is put right; of one that was lost, where it says why."""
    if door.has_lost and not door.is_unreached:
        return f"{door.base_url}/messages" if HISTORY in door.sees else ""
    return f"{door.base_url}/contacts" if door.may_manage else ""


def nav_of(door: Door) -> Nav:
    """Return the head of a patient's pages: nothing that the viewer may not open."""
    places = [("today", _("Today"))] if TODAY in door.pages else []
    if CALENDAR in door.pages and HISTORY in door.sees:
        places.append(("calendar", _("Calendar")))
    if door.shows_names and not (door.is_shared or door.tablet):
        places.append(("medicines", _("Medicines")))
    if door.may_manage:
        places += [
            ("contacts", _("Reminders")),
            ("sharing", _("Sharing")),
            ("reports", _("Reports")),
        ]
    elif REPORTS in door.sees and not door.is_shared:
        places.append(("reports/now", _("Report")))
    return Nav(
        patient_name=door.patient_name,
        base_url=door.base_url,
        places=tuple(places),
        signed_in=not (door.is_shared or door.tablet),
        clock_words=clock_words(door),
        alarm=alarm_words(door),
        alarm_url=_alarm_url(door),
        zone=door.zone,
        tablet=door.tablet,
    )
