"""A calendar whose alarms ring without us: RFC 5545."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from icalendar import Alarm, Calendar, Event, Timezone

from pillweb.base.i18n import gettext as _
from pillweb.base.words import join_words, time_words
from pillweb.base.zones import local, zone

DAYS_BACK, DAYS_AHEAD = timedelta(days=7), timedelta(days=60)
RINGS = (timedelta(0), timedelta(minutes=15))
LASTS = timedelta(minutes=15)
READ_AGAIN = timedelta(hours=1)
# Numbers of versions count the minutes from here: a calendar keeps them small.
FIRST_VERSION = datetime(2026, 1, 1, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)
A_YEAR = timedelta(days=366)


class FeedDose(NamedTuple):
    """A dose as a calendar sees it; `changed_at` is when something was said of it."""

    due_at: datetime
    nominal_date: date
    local_label: str
    zone: str
    zone_epoch: int
    name: str
    is_recorded: bool = False
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything due at one instant: one entry of the calendar.

    `key` is the same through every change that leaves its day and time.
    """

    key: str
    due_at: datetime
    zone: str
    names: tuple[str, ...]
    is_recorded: bool
    changed_at: datetime


class Face(NamedTuple):
    """What all entries share: whose, which page, and whether medicines are named."""

    patient_id: int
    patient_name: str
    host: str
    url: str
    shows_names: bool


def _due(dose: FeedDose) -> datetime:
    return dose.due_at


def moments_of(doses: Iterable[FeedDose], *, planned_at: datetime) -> list[Moment]:
    """Return the moments of doses, in order; none changed before it was planned."""
    moments, seen = [], Counter[str]()
    for due_at, several in groupby(sorted(doses, key=_due), _due):
        together = list(several)
        first = together[0]
        name = f"{first.nominal_date:%Y%m%d}-{first.local_label}-{first.zone_epoch}"
        seen[name] += 1
        # On the night the clocks go back, an hour may come twice.
        key = name if seen[name] == 1 else f"{name}-{seen[name]}"
        said = (dose.changed_at for dose in together if dose.changed_at)
        moments.append(
            Moment(
                key=key.replace(":", ""),
                due_at=due_at,
                zone=first.zone,
                names=tuple(dict.fromkeys(dose.name for dose in together)),
                is_recorded=all(dose.is_recorded for dose in together),
                changed_at=max(planned_at, *said, planned_at),
            )
        )
    return moments


def calendar_of(moments: Sequence[Moment], face: Face) -> bytes:
    """Return the calendar as a file, in the words of who speaks now.

    What is recorded has no alarm any more; nothing makes anybody busy.
    """
    made = Calendar()
    made.add("prodid", "-//PillWeb//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    title = _("Medicines")
    if face.shows_names:
        title = _("Medicines of %(name)s", name=face.patient_name)
    made.add("x-wr-calname", title)
    made.add("name", title)
    made.add("refresh-interval", READ_AGAIN, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT1H")
    for one in _zones(moments):
        made.add_component(one)
    for moment in moments:
        made.add_component(_entry(moment, face))
    return bytes(made.to_ical())


def _zones(moments: Sequence[Moment]) -> list[Timezone]:
    if not moments:
        return []
    first, last = moments[0].due_at - A_YEAR, moments[-1].due_at + A_YEAR
    names = dict.fromkeys(moment.zone for moment in moments)
    return [_zone(name, first.date(), last.date()) for name in names if name != "UTC"]


@lru_cache(maxsize=256)
def _zone(name: str, first: date, last: date) -> Timezone:
    return Timezone.from_tzid(name, first_date=first, last_date=last)


def _start(moment: Moment) -> datetime:
    """Return the wall time; of an hour that comes twice, the second has no name."""
    here = local(moment.due_at, zone(moment.zone))
    return moment.due_at if here.fold or moment.zone == "UTC" else here


def _entry(moment: Moment, face: Face) -> Event:
    words = _words(moment, face)
    entry = Event()
    entry.add("uid", f"{face.patient_id}-{moment.key}@{face.host}")
    entry.add("dtstamp", moment.changed_at)
    entry.add("last-modified", moment.changed_at)
    entry.add("sequence", max(0, (moment.changed_at - FIRST_VERSION) // A_MINUTE))
    entry.add("dtstart", _start(moment))
    entry.add("duration", LASTS)
    entry.add("summary", words)
    entry.add("url", face.url)
    entry.add("transp", "TRANSPARENT")
    entry.add("class", "PRIVATE")
    for after in () if moment.is_recorded else RINGS:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", words)
        alarm.add("trigger", after)
        entry.add_component(alarm)
    return entry


def _words(moment: Moment, face: Face) -> str:
    time = time_words(local(moment.due_at, zone(moment.zone)).time())
    what = (
        _("%(time)s: %(names)s", time=time, names=join_words(moment.names))
        if face.shows_names
        else _("Medicines for %(time)s", time=time)
    )
    return _("Recorded: %(what)s", what=what) if moment.is_recorded else what
