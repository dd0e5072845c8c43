import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.base import zones

ZONES = (*zones.all_zones()[::4], "Pacific/Apia", "Europe/Dublin", "Africa/Cairo")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told_by(code: str, **environment: str) -> list[str]:
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return told.stdout.splitlines()


PILL = """
from datetime import date, time
from pillweb.base import zones
print(zones.to_utc(date(2026, 12, 1), time(8), zones.zone("America/Vancouver")))
"""


def test_the_pinned_data_and_not_the_system_is_read(tmp_path: Path) -> None:
    old = tmp_path / "America"
    old.mkdir()
    tokyo = resources.files("tzdata.zoneinfo").joinpath("Asia", "Tokyo").read_bytes()
    (old / "Vancouver").write_bytes(tokyo)
    early = "import zoneinfo; print(zoneinfo.ZoneInfo('America/Vancouver').key)"
    found = told_by(early + PILL, PYTHONTZPATH=str(tmp_path))
    assert found == ["America/Vancouver", "2026-12-01 15:00:00+00:00"]


@pytest.mark.parametrize("module", ["jobs.worker", "jobs.clock", "pillweb.web.server"])
def test_what_a_process_starts_or_forks_reads_it_too(module: str) -> None:
    forked = f"""
import importlib, os, sys
importlib.import_module({module!r})
from pillweb.base import zones
sys.stdout.flush()
if (child := os.fork()):
    os.waitpid(child, 0)
{PILL.strip()}
"""
    found = told_by(forked, PYTHONTZPATH="/usr/share/zoneinfo:/usr/lib/zoneinfo")
    assert found == ["2026-12-01 15:00:00+00:00"] * 2


def test_version_is_recent_enough() -> None:
    assert zones.tzdata_version() >= "2026f"


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "Europe", "/etc/localtime", "x\0y"]
)
def test_an_unknown_zone_is_refused_kindly(name: str) -> None:
    with pytest.raises(zones.UnknownZone, match="do not know the time zone"):
        zones.zone(name)


def test_zones_to_choose_from() -> None:
    names = zones.all_zones()
    assert len(names) > 400
    assert list(names) == sorted(set(names))
    assert {"Europe/London", "Asia/Kolkata", "America/New_York"} < set(names)
    for alias in ("US/Pacific", "Etc/UTC", "GB", "Asia/Calcutta", "Factory"):
        assert alias not in names
    for name in names:
        assert zones.zone(name).key == name


@pytest.mark.parametrize(
    ("name", "day", "clock", "expected", "real"),
    [
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30", False),
        ("Europe/London", "2026-10-25", "01:30", "2026-10-25T00:30", True),
        ("Asia/Kathmandu", "2026-05-01", "08:00", "2026-05-01T02:15", True),
        ("America/Nuuk", "2026-03-28", "23:30", "2026-03-29T01:30", False),
        ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T19:00", False),
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00", False),
        ("Antarctica/Troll", "2026-03-29", "02:15", "2026-03-29T02:15", False),
    ],
)
def test_gaps_and_overlaps(
    name: str, day: str, clock: str, expected: str, *, real: bool
) -> None:
    place = zones.zone(name)
    on, at = date.fromisoformat(day), time.fromisoformat(clock)
    assert zones.to_utc(on, at, place) == utc(expected)
    assert zones.instant(place, on, at.hour * 60 + at.minute) == utc(expected)
    assert zones.exists(on, at, place) is real


def test_second_of_two_is_never_meant() -> None:
    place = zones.zone("Europe/London")
    second = time(1, 30, fold=1)
    assert zones.to_utc(date(2026, 10, 25), second, place) == utc("2026-10-25T00:30")


def test_day_bounds() -> None:
    london = zones.zone("Europe/London")
    start, end = zones.day_bounds(date(2026, 10, 25), london)
    assert end - start == timedelta(hours=25)
    start, end = zones.day_bounds(date(2011, 12, 30), zones.zone("Pacific/Apia"))
    assert start == end


def test_local_refuses_naive_moments() -> None:
    with pytest.raises(ValueError, match="naive"):
        zones.local(datetime(2026, 1, 1), zones.zone("Europe/London"))  # noqa: DTZ001
    shown = zones.local(utc("2026-06-01T07:00"), zones.zone("Europe/London"))
    assert shown.time() == time(8)


@pytest.mark.parametrize("name", ZONES)
def test_a_daily_dose_is_never_lost_or_doubled(name: str) -> None:
    place, first = zones.zone(name), date(2025, 1, 1)
    days = [first + timedelta(days=n) for n in range(730)]
    for minute in (0, 30, 150, 1425):
        dues = [zones.instant(place, day, minute) for day in days]
        for before, after in pairwise(dues):
            assert timedelta(hours=20) < after - before < timedelta(hours=28)


@given(st.sampled_from(ZONES), st.dates(date(2010, 1, 1)), st.integers(0, 1439))
def test_the_fast_way_is_the_plain_way(name: str, day: date, minute: int) -> None:
    clock = time(minute // 60, minute % 60)
    if day < date(9999, 1, 1):
        place = zones.zone(name)
        assert zones.instant(place, day, minute) == zones.to_utc(day, clock, place)


@given(st.sampled_from(ZONES), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_days_follow_one_another(name: str, day: date) -> None:
    place = zones.zone(name)
    _, end = zones.day_bounds(day, place)
    assert zones.day_bounds(day + timedelta(days=1), place)[0] == end
