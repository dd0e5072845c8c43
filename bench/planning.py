"""How near does planning doses come to merely writing the rows?"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from bench.people import ZONE, many_patients
from bench.place import POSTGRES, SQLITE, database_kinds, new_database
from bench.table import Answer
from jobs.plan_doses import BATCH
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.doses.actions.planning import plan_doses
from pillweb.reminders.actions.arming import arm_reminders

PATIENTS = 600
A_DAY = timedelta(days=1)


@dataclass
class Stretch:
    """The seconds of each batch, ours and the floor's side by side, and the rows."""

    planned: list[float] = field(default_factory=list)
    armed: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    rows: int = 0

    @property
    def times_floor(self) -> float:
        """Our time as a multiple of the floor's, the median of the batches."""
        pairs = zip(self.planned, self.floor, strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


def answer(folder: Path) -> Answer:
    """Measure it on every database there is."""
    found = Answer("planning")
    for kind in database_kinds():
        with new_database(kind, folder):
            _measure(found, kind)
    return found


def _measure(found: Answer, kind: str) -> None:
    at = now()
    with database().transaction() as session:
        ids = many_patients(session, PATIENTS, now=at)
    batches = [ids[i : i + BATCH] for i in range(0, len(ids), BATCH)]
    vacuum(kind)
    week = plan_all(kind, batches, at=at)
    before = _rows()
    again = plan_all(kind, batches, at=at)
    assert again.rows == 0, "a re-run adds nothing"
    assert _rows() == before, "a re-run changes no row"
    day = plan_all(kind, batches, at=at + A_DAY)
    for name, stretch in (("a first week", week), ("one day more", day)):
        rate = f"{stretch.rows / sum(stretch.planned):,.0f} rows/s, {stretch.rows} rows"
        if kind == SQLITE:
            found.add(
                f"{kind}: {name}, rows/s of raw executemany",
                1 / stretch.times_floor,
                at_least=0.5,
                detail=rate,
            )
        else:
            found.add(
                f"{kind}: {name}, time / INSERT ... SELECT",
                stretch.times_floor,
                at_most=1.6,
                detail=rate,
            )
    found.add(
        f"{kind}: the first week again, time / the first time",
        statistics.median(again.planned) / statistics.median(week.planned),
        at_most=1,
    )
    found.add(
        f"{kind}: arming a first week's reminders, time / planning it",
        statistics.median(week.armed) / statistics.median(week.planned),
    )


def vacuum(kind: str) -> None:
    """Let Postgres know its tables, as its own housekeeping soon would."""
    if kind == POSTGRES:
        with database().engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("vacuum analyze")


def _rows() -> Sequence[object]:
    with database().engine.connect() as connection:
        return connection.execute(text("select * from dose order by id")).all()


def plan_all(kind: str, batches: Sequence[Sequence[int]], *, at: datetime) -> Stretch:
    """Plan batch by batch, each followed by the floor: the same rows, merely written.

    The rows a batch has added are taken away and written again by the barest means.
    """
    stretch = Stretch()
    for batch in batches:
        last = _newest_dose()
        patients = [(patient_id, ZONE) for patient_id in batch]
        began = time.perf_counter()
        with database().transaction() as session:
            added = plan_doses(session, patients, now=at)
        stretch.planned.append(time.perf_counter() - began)
        began = time.perf_counter()
        with database().transaction() as session:
            arm_reminders(session, batch, now=at)
        stretch.armed.append(time.perf_counter() - began)
        stretch.rows += added
        if added:
            floor = _floor_sqlite if kind == SQLITE else _floor_postgres
            stretch.floor.append(floor(last))
    return stretch


def _newest_dose() -> int:
    with database().engine.connect() as connection:
        newest = text("select coalesce(max(id), 0) from dose")
        return int(connection.execute(newest).scalar_one())


def _floor_sqlite(last: int) -> float:
    with database().engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "select * from dose where id > ?", (last,)
        ).fetchall()
        connection.exec_driver_sql("delete from dose where id > ?", (last,))
        connection.commit()
        statement = f"insert into dose values ({','.join('?' * len(rows[0]))})"  # noqa: S608 - marks only
        values = [tuple(row) for row in rows]
        return _timed(
            connection,
            lambda: connection.exec_driver_sql(statement, values),
        )


def _floor_postgres(last: int) -> float:
    with database().engine.connect() as connection:
        connection.execute(
            text("create temp table kept as select * from dose where id > :last"),
            {"last": last},
        )
        connection.execute(text("delete from dose where id > :last"), {"last": last})
        connection.commit()
        took = _timed(
            connection,
            lambda: connection.exec_driver_sql("insert into dose select * from kept"),
        )
        connection.exec_driver_sql("drop table kept")
        connection.commit()
        return took


def _timed(connection: Connection, call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    connection.commit()
    return time.perf_counter() - began
