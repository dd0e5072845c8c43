"""Wall clocks and instants, by the zone data the application pins.

Python reads the system's zone files first, which may be years old, so this module
empties the search path before the first zone is made: every zone then comes from the
`tzdata` package (domain 2.2). Nothing else may create a ZoneInfo.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, reset_tzpath  # noqa: TID251 - the one door to zones

import tzdata  # type: ignore[import-untyped]  # it ships data, not types

from pillweb.base.i18n import gettext as _

reset_tzpath(())
ZoneInfo.clear_cache()  # a zone made earlier may have come from the system

OLD_AFTER = timedelta(days=180)

Zone = ZoneInfo  # the type, for whoever is handed a zone


class UnknownZone(ValueError):  # noqa: N818 - reads as the sentence it stands for
    """The name is not a time zone of the pinned zone data."""

    def __init__(self, name: object) -> None:
        super().__init__(
            _(
                "We do not know the time zone %(name)s. Choose one like Europe/London.",
                name=repr(name),
            )
        )


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name such as `Europe/London`.

    Aliases (`Asia/Calcutta`) are accepted, because browsers still send them.

    Raises:
        UnknownZone: no such zone in the pinned data.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError, ImportError) as problem:
        raise UnknownZone(name) from problem


def tzdata_version() -> str:
    """Return the IANA version of the pinned zone data, such as `2026f`."""
    return str(tzdata.IANA_VERSION)


@lru_cache(maxsize=1)
def tzdata_installed() -> datetime:
    """Return when the zone data was installed (UTC): it is at least as old as that."""
    written = Path(tzdata.__file__).stat().st_mtime
    return datetime.fromtimestamp(written, UTC)


def is_tzdata_old(now: datetime) -> bool:
    """Return whether nobody has renewed the zone data for 180 days."""
    return now - tzdata_installed() > OLD_AFTER


@lru_cache(maxsize=1)
def all_zones() -> tuple[str, ...]:
    """Return the zone names a person may choose from, sorted.

    These are the names of `zone.tab`: one or more for every inhabited country, named
    after a city there; no aliases, no `Etc/…`, no `posix` or `right` copies.
    """
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line[:1] != "#")
    return tuple(sorted({row[2] for row in rows}))


@lru_cache(maxsize=1 << 16)
def instant(place: ZoneInfo, day: date, minute: int) -> datetime:
    """Return the UTC instant of a minute of the day (0 to 1439), remembered.

    The gap and overlap rules are those of `to_utc`.
    """
    hour, minute = divmod(minute, 60)
    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=place)
    return wall.astimezone(UTC)


@lru_cache(maxsize=1 << 16)
def steady_midnight(place: ZoneInfo, day: date) -> datetime | None:
    """Return the UTC instant of 00:00 on a day whose clocks run on, None on another.

    From it every wall time of the day is a plain sum. No zone has changed its clocks
    twice within a day since 1900, so the offsets of both midnights say it all.
    """
    begin = datetime(day.year, day.month, day.day, tzinfo=place)
    if begin.utcoffset() != (begin + timedelta(days=1)).utcoffset():
        return None
    return begin.astimezone(UTC)


def to_utc(day: date, clock: time, place: ZoneInfo) -> datetime:
    """Return the UTC instant of a wall time.

    A wall time that does not exist uses the offset before the gap (02:30 becomes
    03:30); one that happens twice is the first of the two. Domain: T2, T3; RFC 5545.
    """
    return datetime.combine(day, clock.replace(fold=0), place).astimezone(UTC)


def exists(day: date, clock: time, place: ZoneInfo) -> bool:
    """Return whether the zone's clocks ever show this wall time."""
    shown = to_utc(day, clock, place).astimezone(place)
    return shown.replace(tzinfo=None) == datetime.combine(day, clock).replace(fold=0)


def local(moment: datetime, place: ZoneInfo) -> datetime:
    """Return the instant as the zone's clocks show it.

    Raises:
        ValueError: the moment has no zone of its own.
    """
    if moment.tzinfo is None:
        raise ValueError("An instant needs a zone: this one is naive.")
    return moment.astimezone(place)


def day_bounds(day: date, place: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the half-open UTC bounds of a calendar day: [its start, its end).

    A day the zone skipped altogether (Apia, 30 December 2011) is empty: both are equal.
    """
    return instant(place, day, 0), instant(place, day + timedelta(days=1), 0)
