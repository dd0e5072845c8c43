"""Whom to call where somebody took too much, by the country they live in."""

from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from pillweb.base.known_settings import Settings

ANYWHERE = "112"
UNITED_STATES = ("911", "1-800-222-1222")

# Emergency and poison numbers; in the countries of the EU and elsewhere it is 112.
NUMBERS = {
    "GB": ("999", "111"),
    "IE": ("112", "01 809 2166"),
    **dict.fromkeys(("US", "PR", "VI", "GU", "AS", "MP"), UNITED_STATES),
    "CA": ("911", "1-844-764-7669"),
    "AU": ("000", "13 11 26"),
    "NZ": ("111", "0800 764 766"),
    "CH": ("112", "145"),
}


class Help(NamedTuple):
    """The numbers to call; `poison` is empty where none is known."""

    emergency: str
    poison: str


def help_in(zone: str, settings: Settings) -> Help:
    """Return the numbers of the country a zone lies in; a setting comes before them.

    `zone` is an IANA name; an old one (`Asia/Calcutta`) will do.
    """
    emergency, poison = NUMBERS.get(country_of(zone), (ANYWHERE, ""))
    if settings.emergency_number != ANYWHERE:
        emergency = settings.emergency_number
    return Help(emergency, settings.poison_number or poison)


@lru_cache(maxsize=1024)
def country_of(zone: str) -> str:
    """Return the two letters of the country a zone lies in; empty for none."""
    known = {place: code for code, _, place, *_ in _rows("zone.tab", "\t")}
    if zone in known:
        return known[zone]
    links = [row for row in _rows("tzdata.zi", " ") if row[0] == "L"]
    return next((known.get(new, "") for _, new, old in links if old == zone), "")


def _rows(file: str, between: str) -> list[list[str]]:
    """Return the rows of a table of the pinned zone data."""
    text = resources.files("tzdata.zoneinfo").joinpath(file).read_text("utf-8")
    lines = [line for line in text.splitlines() if line[:1] not in ("", "#")]
    return [line.split(between) for line in lines]
