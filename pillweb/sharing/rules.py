"""What a grant and a link allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from pillweb.base.i18n import gettext as _


class Level(IntEnum):
    """How much one person may do for another."""

    VIEW = 1
    MARK = 2
    MANAGE = 3


LINK_DAYS = (7, 30, 90)
LINK_DAYS_DEFAULT = 30


def may(level: int, need: Level) -> bool:
    """Say whether a granted level is enough.

    >>> may(Level.VIEW, Level.MARK)
    False
    """
    return level >= need


def link_is_live(
    *, expires_at: datetime, revoked_at: datetime | None, now: datetime
) -> bool:
    """Say whether a shared link still opens; it ends at its expiry to the second."""
    return revoked_at is None and now < expires_at


def link_expiry(days: int, *, now: datetime) -> datetime:
    """Return when a link made now ends; days beyond 90 count as 90."""
    return now + timedelta(days=min(days, LINK_DAYS[-1]))


class Helper(NamedTuple):
    """Somebody who helps, and what they are told; see `sharing.models.Grant`."""

    grant_id: int
    account_id: int
    name: str
    alerts: bool
    ladder_place: int | None
    wants: Sequence[str]


@dataclass(frozen=True, slots=True)
class Door:
    """An opened patient: who it is, and how much the viewer may see and do.

    `zone` is the zone the patient lives by now, `home_zone` the one at home.
    `is_unreached` says that reminders reach the patient nowhere, `has_lost` that the
    last one was given up.
    """

    patient_id: int
    patient_name: str
    zone: str
    level: int
    is_self: bool
    base_url: str
    is_shared: bool = False
    shows_names: bool = True
    home_zone: str = ""
    is_unreached: bool = False
    has_lost: bool = False

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
    `zone` is by which clock it tells times, empty where it tells none.
    """

    patient_name: str = ""
    base_url: str = ""
    places: tuple[tuple[str, str], ...] = ()
    signed_in: bool = True
    clock_words: str = ""
    alarm: str = ""
    alarm_url: str = ""
    zone: str = ""


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
        return f"{door.base_url}/messages"
    return f"{door.base_url}/contacts" if door.may_manage else ""


def nav_of(door: Door) -> Nav:
    """Return the head of a patient's pages: nothing that the viewer may not open."""
    places = [("today", _("Today")), ("calendar", _("Calendar"))]
    if not door.is_shared:
        places.append(("medicines", _("Medicines")))
    if door.may_manage:
        places += [
            ("contacts", _("Reminders")),
            ("sharing", _("Sharing")),
            ("reports", _("Reports")),
        ]
    return Nav(
        patient_name=door.patient_name,
        base_url=door.base_url,
        places=tuple(places),
        signed_in=not door.is_shared,
        clock_words=clock_words(door),
        alarm=alarm_words(door),
        alarm_url=_alarm_url(door),
        zone=door.zone,
    )
