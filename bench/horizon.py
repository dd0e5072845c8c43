"""What does a week cost when thousands wait for it, and does memory stay flat?"""

import os
import statistics
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy.orm import Session

from bench.people import ZONE, daily
from bench.place import SQLITE, database_kinds, new_database
from bench.planning import plan_all, vacuum
from bench.table import Answer
from jobs.plan_doses import BATCH
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.models import Line, Plan
from pillweb.schedules.rules.line_text import line_to_json

PATIENTS = int(os.environ.get("BENCH_PATIENTS", "10000"))
FEW = 1000
CLOCKS = (("08:00", "20:00"), ("07:30", "14:00"))
STATM = Path("/proc/self/statm")
MEGABYTE = 1 << 20


def answer(folder: Path) -> Answer:
    """Plan a week of everybody on every database there is."""
    found = Answer("horizon")
    for kind in database_kinds():
        with new_database(kind, folder):
            _measure(found, kind)
    return found


def _measure(found: Answer, kind: str) -> None:
    at = now()
    with database().transaction() as session:
        ids = _people(session, PATIENTS, at=at)
    vacuum(kind)
    few, rest = ids[:FEW], ids[FEW:]
    first = plan_all(kind, _batches(few), at=at)
    begun = _resident()
    week = plan_all(kind, _batches(rest), at=at)
    beside = "executemany" if kind == SQLITE else "INSERT ... SELECT"
    rate = f"{week.rows / sum(week.planned):,.0f} doses/s, {week.rows:,} doses"
    found.add(f"{kind}: a week, time / {beside}", week.times_floor, detail=rate)
    found.add(
        f"{kind}: a batch of the last {FEW:,}, time / of the first",
        statistics.median(week.planned[-FEW // BATCH :])
        / statistics.median(first.planned),
        at_most=1.2,
    )
    found.add(
        f"{kind}: memory after {PATIENTS:,} patients / after {FEW:,}",
        _resident() / begun,
        at_most=1.1,
        detail=f"{_resident() / MEGABYTE:,.0f} MB",
    )
    if kind != SQLITE:
        share = week.rows / sum(week.planned) / _copied_per_second()
        found.add(f"{kind}: a week, doses/s of one raw COPY", share)


def _copied_per_second() -> float:
    """Return how fast the planned rows go into an equal table, without planning."""
    with database().transaction() as session:
        driver: Any = session.connection().connection.driver_connection
        with driver.cursor() as cursor:
            cursor.execute("CREATE TABLE bare_dose (LIKE dose INCLUDING ALL)")
            with cursor.copy("COPY dose TO STDOUT") as out:
                told = b"".join(out)
            start = perf_counter()
            with cursor.copy("COPY bare_dose FROM STDIN") as into:
                into.write(told)
            took = perf_counter() - start
            return float(cursor.rowcount / took)


def _batches(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[i : i + BATCH] for i in range(0, len(ids), BATCH)]


def _resident() -> float:
    """Return the memory this process holds, in bytes."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _people(session: Session, count: int, *, at: datetime) -> list[int]:
    """Add patients of two medicines each, whose plans began on different days."""
    ids = range(1, count + 1)
    patients = [
        Patient(
            id=number,
            name=f"Patient {number}",
            zone=ZONE,
            created_at=at,
            plan_revision=1,
        )
        for number in ids
    ]
    session.add_all(patients)
    session.flush()
    drugs = [(2 * number + which, number, which) for number in ids for which in (0, 1)]
    session.add_all(
        Medication(
            id=drug,
            patient_id=number,
            name="Medicine of the list",
            strength="5 mg",
            form="tablet",
            reason="",
            instruction="",
            category="ordinary",
            created_at=at,
        )
        for drug, number, _ in drugs
    )
    session.flush()
    session.add_all(
        Plan(
            id=drug,
            patient_id=number,
            medication_id=drug,
            version=1,
            valid_from=at,
            reason="",
            source="patient",
            urgent=False,
            created_at=at,
        )
        for drug, number, _ in drugs
    )
    session.flush()
    session.add_all(
        Line(
            id=drug,
            plan_id=drug,
            patient_id=number,
            sequence=0,
            kind="clock",
            rule=line_to_json(daily(*CLOCKS[which], start=_start(number, at))),
        )
        for drug, number, which in drugs
    )
    session.flush()
    return list(ids)


def _start(number: int, at: datetime) -> date:
    return (at.astimezone(UTC) - timedelta(days=number % 365)).date()
