"""Files from anywhere: read whole and sound, or refused with nothing done."""

import json
import stat
import struct
import zipfile
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pillweb.doses.models import Dose
from pillweb.patients.models import Patient
from pillweb.transfers.rules import archive, reading
from pillweb.transfers.rules.archive import BadArchiveError, open_archive, read_entry
from pillweb.transfers.rules.fields import NotOursError
from pillweb.transfers.rules.reading import (
    NewerFileError,
    read_archive,
    read_file,
)
from pillweb.transfers.rules.wanted import check_wanted
from tests.transfers.lives import Life, brought, taken_out

OCTOBER = datetime(2026, 10, 23, 7, 5, tzinfo=UTC)
Change = Callable[[dict[str, Any]], object]


def zipped(*entries: tuple[str | ZipInfo, bytes]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as file:
        for entry, content in entries:
            file.writestr(entry, content, ZIP_DEFLATED)
    return out.getvalue()


def linked(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


NAMES = [
    "/etc/passwd",
    "../pillweb.json",
    "a/../../b",
    "a\\..\\b",
    "C:evil",
    "a\x07b",
    "a\u202eb",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """No path in it is ever one of ours (27)."""
    with pytest.raises(BadArchiveError):
        open_archive(zipped((name, b"x")))


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one entry that grows a thousandfold, nor many that add up (25)."""
    with pytest.raises(BadArchiveError, match="far more"):
        open_archive(zipped(("pillweb.json", b"0" * 5_000_000)))
    monkeypatch.setattr(archive, "MOST_UNPACKED", 10_000)
    with pytest.raises(BadArchiveError, match="too much"):
        open_archive(zipped(*((f"{n}", b"12" * 100 * n) for n in range(20))))
    monkeypatch.setattr(archive, "MOST_ENTRIES", 5)
    with pytest.raises(BadArchiveError, match="too many"):
        open_archive(zipped(*((f"{n}", b"") for n in range(9))))


def many_names(count: int, told: int, *, is_64: bool = False) -> bytes:
    """Return a ZIP file of nothing but names, which says to have `told` of them."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"a"
    names = entry * count
    more, size = b"", len(names)
    if is_64:
        ends = struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, told, told, size, 0)
        place = struct.pack("<LQL", 0, size, 1)
        more = b"PK\x06\x06" + ends + b"PK\x06\x07" + place
        told, size = 0xFFFF, 0xFFFFFFFF
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, told, told, size, 0, 0)
    return names + more + end


@pytest.mark.parametrize(
    "raw",
    [
        many_names(6000, 6000),
        many_names(60_000, 3),
        many_names(60_000, 60_000, is_64=True),
        many_names(60_000, 3)[:-2] + b"\5\0later",
    ],
    ids=["many", "said to be few", "of a ZIP64", "before a comment"],
)
def test_a_list_of_many_names_is_refused_before_it_is_read(
    raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 MB of names alone are a million objects, 8 s and half a GB (25)."""

    def opened(*_args: object) -> None:
        pytest.fail("it was read")

    monkeypatch.setattr(zipfile, "ZipFile", opened)
    with pytest.raises(BadArchiveError):
        open_archive(raw)


@pytest.mark.parametrize("flag", [0x20, 0x40], ids=["patched", "strong encryption"])
def test_packed_as_nobody_reads_is_refused_and_no_fault_of_ours(flag: int) -> None:
    raw = bytearray(zipped(("pillweb.json", b"{}")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= flag
    with pytest.raises(BadArchiveError, match="do not read"):
        read_archive(bytes(raw))


def test_a_size_that_is_a_lie_is_found_out() -> None:
    """What an entry says of its size is never trusted (25)."""
    raw = zipped(("pillweb.json", b"x" * 5000))
    lied = raw.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(BadArchiveError):
        read_entry(open_archive(lied), "pillweb.json", most=100_000)
    with pytest.raises(BadArchiveError, match="larger"):
        read_entry(open_archive(raw), "pillweb.json", most=100)


def test_what_is_no_honest_file_is_refused() -> None:
    """Not a ZIP, cut off, with a link, or nothing at all (25)."""
    good = zipped(("pillweb.json", b"{}" * 99))
    for raw in (b"", b"PK", b"%PDF-1.7", good[:-30], b"<svg/>" * 99):
        with pytest.raises(BadArchiveError):
            open_archive(raw)
    with pytest.raises(BadArchiveError, match="no file"):
        open_archive(zipped((linked("pillweb.json"), b"/etc/passwd")))
    with pytest.raises(BadArchiveError, match="missing"):
        read_archive(zipped(("other.json", b"{}")))
    damaged = bytearray(good)
    damaged[45] ^= 0xFF
    with pytest.raises(ValueError):  # noqa: PT011 - any of them is a no
        read_archive(bytes(damaged))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "nul",
        '{"format": "pillweb"}',
        '{"format": "pillweb", "format": "pillweb"}',
        '{"format": "pillweb", "version": NaN}',
        '{"format": "pillweb", "version": true}',
        "[" * 100_000,
        '{"a": ' * 50_000,
        "1" * 100_000,
        "\ufeff{}",
    ],
    ids=range(12),
)
def test_json_that_is_none_of_ours_is_refused(text: str) -> None:
    """Too deep, twice the same key, or something else altogether (62)."""
    with pytest.raises(ValueError):  # noqa: PT011 - any of them is a no
        read_archive(zipped(("pillweb.json", text.encode())))


def test_many_small_things_are_counted_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is small in the file and large in memory is refused unread (25, 62)."""
    monkeypatch.setattr(reading, "MOST_THINGS", 100)
    told = json.dumps({"format": "pillweb", "doses": [[] for _ in range(200)]})
    with pytest.raises(NotOursError, match="more things"):
        read_archive(zipped(("pillweb.json", told.encode())))


def test_a_language_nobody_speaks_here_is_none(good: dict[str, Any]) -> None:
    good["patient"]["language"] = "tlh"
    assert read_file(good).patient["language"] == ""


@pytest.fixture
def good(session: Session) -> dict[str, Any]:
    """What a sound file says."""
    life = Life(session, OCTOBER)
    for deed in ("receive", "take", "skip", "extra", "pause", "travel", "book"):
        life.tell(deed, 1, 1)
    raw = taken_out(session, life.own.patient.id, now=life.own.now)
    told: dict[str, Any] = json.loads(ZipFile(BytesIO(raw)).read("pillweb.json"))
    return told


def test_a_newer_file_is_told_apart(good: dict[str, Any]) -> None:
    with pytest.raises(NewerFileError):
        read_file(good | {"version": 2, "more": []})


CHANGES: dict[str, Change] = {
    "a state nobody knows": lambda t: t["doses"][0].update(state="eaten"),
    "a state of another kind": lambda t: t["doses"][0].update(state=["taken"]),
    "recorded, and never": lambda t: t["doses"][0].update(
        state="taken", recorded_at=None
    ),
    "missed before it is due": lambda t: t["doses"][0].update(
        missed_at="2020-01-01T00:00:00+00:00"
    ),
    "an amount below nought": lambda t: t["doses"][0].update(amount="-1"),
    "an amount that is none": lambda t: t["doses"][0].update(amount="NaN"),
    "a number for a text": lambda t: t["patient"].update(name=7),
    "no name": lambda t: t["patient"].update(name=None),
    "a name of nothing": lambda t: t["patient"].update(name=" "),
    "a year of no life": lambda t: t["patient"].update(born="44"),
    "codes in codes": lambda t: t["medicines"][0].update(codes=[{"code": {}}]),
    "too many medicines": lambda t: t.update(medicines=t["medicines"] * 600),
    "a name with a NUL": lambda t: t["patient"].update(name="A\0B"),
    "half a letter": lambda t: t["patient"].update(name="\ud800"),
    "a name without end": lambda t: t["patient"].update(name="x" * 201),
    "no such place": lambda t: t["patient"].update(zone="Europe/Nowhere"),
    "a place that is a path": lambda t: t["patient"].update(zone="../../etc/passwd"),
    "naive time": lambda t: t["patient"].update(created_at="2026-01-01T00:00:00"),
    "an impossible day": lambda t: t["doses"][0].update(nominal_date="2026-02-30"),
    "a day of another age": lambda t: t["doses"][0].update(nominal_date="0001-01-01"),
    "a truth for a number": lambda t: t["doses"][0].update(slot=True),
    "a rule that is none": lambda t: t["lines"][0].update(rule={"kind": "clock"}),
    "a ladder that is none": lambda t: t["medicines"][0].update(ladder=[1]),
    "a medicine of nobody": lambda t: t["plans"][0].update(medicine=999),
    "a line before its origin": lambda t: t["lines"][0].update(
        origin=t["lines"][0]["id"]
    ),
    "one number twice": lambda t: t["doses"].append(dict(t["doses"][-1])),
    "two doses in one": lambda t: t["doses"].append(
        {**t["doses"][-1], "id": 10**6},
    ),
    "a column of ours": lambda t: t["doses"][0].update(patient_id=1),
    "a level to be had": lambda t: t["patient"].update(is_demo=True),
    "something more": lambda t: t.update(grants=[]),
    "something less": lambda t: t.pop("events"),
    "a list that is none": lambda t: t.update(doses={}),
    "divided by nought": lambda t: t["supply"][0].update(denominator=0),
    "too much for a column": lambda t: t["supply"][0].update(numerator=2**63),
    "a huge number": lambda t: t["doses"][0].update(id=10**30),
    "deep wishes": lambda t: t.update(
        wishes={
            "unwanted": {"dose": [["x"]]},
            "quiet_from": "",
            "quiet_until": "",
            "urgent_passes": True,
            "shows_names": False,
        }
    ),
}


def test_what_cannot_be_is_refused(good: dict[str, Any]) -> None:
    """No impossible dates, amounts or states, no column nobody asked (10, 44)."""
    read_file(deepcopy(good))
    for how, change in CHANGES.items():
        told = deepcopy(good)
        change(told)
        try:
            read_file(told)
        except NotOursError:
            continue
        pytest.fail(f"{how}: was read")


def places_in(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Return every (container, key) in it."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            found += [(value, key), *places_in(value[key])]
    return found


ANYTHING = st.sampled_from(
    [
        *(None, True, 0, -1, 1, 7, 2**40, "", "x", "1", "-0.5", "00:00", "24:00"),
        *("2026-11-01T01:30:00+00:00", "9999-12-31", "tablet", "UTC", [], {}, [None]),
        *({"kind": "prn"}, "A" * 5000, "clinician_said", "\u202e", "0" * 30),
    ]
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(number=st.integers(0, 10**6), what=ANYTHING)
def test_whatever_is_changed_it_is_refused_or_brought_in(
    session: Session, good: dict[str, Any], number: int, what: object
) -> None:
    """Nothing that can be typed into a file breaks us, or half of it stays."""
    told = deepcopy(good)
    places = places_in(told)
    container, key = places[number % len(places)]
    container[key] = what
    raw = zipped(("pillweb.json", json.dumps(told).encode()))
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    try:
        read_archive(raw)
    except ValueError:
        return
    with session.begin_nested() as inside:
        try:
            new = brought(session, raw, now=now)
            assert session.get(Patient, new) is not None
        except (IntegrityError, NotOursError):
            inside.rollback()
            return
        inside.rollback()
    assert session.scalar(sa.select(sa.func.count()).select_from(Patient)) == 1


NOVEMBER = datetime(2026, 11, 1, 12, tzinfo=UTC)
LONG_AGO, LATER = "1900-01-02T00:00:00+00:00", "2199-01-02T00:00:00+00:00"


def made_of(session: Session, told: dict[str, Any]) -> int:
    """Bring in what a file says; return who that is."""
    raw = zipped(("pillweb.json", json.dumps(told).encode()))
    return brought(session, raw, now=NOVEMBER)


def test_plans_that_want_more_than_anybody_takes_are_refused(
    session: Session, good: dict[str, Any]
) -> None:
    """3 KB of lines were 44,000 doses, in a transaction beside which nobody writes."""
    line = good["lines"][-1]
    clocks = [{"at": f"{hour:02d}:00", "dose": "1"} for hour in range(24)]
    more = {**line, "origin": None, "rule": {**line["rule"], "times": clocks}}
    good["lines"] += [
        {**more, "id": line["id"] + n, "sequence": n} for n in range(1, 201)
    ]
    with pytest.raises(NotOursError, match="more doses"):
        made_of(session, good)
    assert session.scalar(sa.select(sa.func.count()).select_from(Patient)) == 1


@pytest.mark.parametrize("horizon", ["of long ago", "none"])
def test_a_plan_nobody_planned_for_a_century_is_refused(
    session: Session, good: dict[str, Any], horizon: str
) -> None:
    told = {"planned_until": LONG_AGO, "planned_at": LONG_AGO, "is_current": False}
    good["horizon"] = good["horizon"] | told if horizon != "none" else None
    for plan in good["plans"]:
        plan["valid_from"] = LONG_AGO
    for line in good["lines"]:
        line["rule"]["start_date"] = "1900-01-01"
    for kind in ("doses", "events", "intakes", "stocks", "supply"):
        good[kind] = []
    with pytest.raises(NotOursError, match="more doses"):
        made_of(session, good)


def test_nobody_is_believed_to_be_planned_for_long(
    session: Session, good: dict[str, Any]
) -> None:
    """Else nothing would ever be planned any more, and nobody reminded."""
    good["horizon"]["planned_until"] = LATER
    mine = sa.select(sa.func.max(Dose.due_at)).where(
        Dose.patient_id == made_of(session, good)
    )
    last = session.scalar(mine)
    assert last is not None
    assert last > NOVEMBER + timedelta(days=5)


def test_a_file_of_the_future_is_refused(
    session: Session, good: dict[str, Any]
) -> None:
    """Its clock may be a day ahead; more is no clock."""
    good["made_at"] = (NOVEMBER + timedelta(days=1)).isoformat()
    made_of(session, deepcopy(good))
    good["made_at"] = (NOVEMBER + timedelta(days=1, seconds=1)).isoformat()
    with pytest.raises(NotOursError, match="to come"):
        made_of(session, good)


def test_a_meal_nobody_told_the_time_of_is_refused_at_the_first_look(
    good: dict[str, Any],
) -> None:
    good["lines"][-1]["rule"]["times"] = [{"meal": "bedtime", "dose": "1"}]
    good["patient"]["meals"] = {"breakfast": "08:00"}
    with pytest.raises(NotOursError, match="lines"):
        check_wanted(read_file(good), now=NOVEMBER)
