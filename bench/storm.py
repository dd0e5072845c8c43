"""A minute in which ten thousand reminders are due: how soon has the last one left?

Real processes send, each as the clock and its workers do; beside them as many
processes send equal mails by bare smtplib, each on one connection that it keeps.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from bench.delivery import make_due, send_bare, waiting_mails
from bench.place import ROOT, database_kinds, new_database, use_settings
from bench.sink import smtp_sink
from bench.table import Answer
from jobs import deliver, fire_reminders
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.db import database, table_of
from pillweb.base.log import log, start_logging
from pillweb.channels import Message
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.reminders.models import Reminder

PATIENTS = int(os.environ.get("BENCH_STORM_PATIENTS", "100000"))
DUE = int(os.environ.get("BENCH_STORM_DUE", "10000"))
WORKERS = int(os.environ.get("BENCH_STORM_WORKERS", "2"))
GROWTH = int(os.environ.get("BENCH_STORM_GROWTH", "1000"))
STEADY_S = int(os.environ.get("BENCH_STORM_STEADY_S", "30"))
A_SECOND = 20
MANY = 500
PATIENCE_S = 400
TICK_S = 1.0
GO = b"go\n"


def answer(folder: Path) -> Answer:
    """Measure it on every database there is."""
    found = Answer("storm")
    with smtp_sink() as port:
        for kind in database_kinds():
            with new_database(kind, folder):
                use_settings(SMTP_URL=f"smtp://127.0.0.1:{port}?tls=off")
                people = _People()
                _measure_burst(found, kind, people, folder)
                _measure_growth(found, kind, people)
                _measure_steady(found, kind, people)
                use_settings(SMTP_URL="")
    return found


class _People:
    """Patients, of whom some take something now."""

    def __init__(self) -> None:
        self.made = 0
        at = now()
        row = {"name": "Patient", "zone": "Etc/UTC", "created_at": at}
        with database().transaction() as session:
            for _ in range(0, PATIENTS - DUE, MANY):
                session.add_all(Patient(**row) for _ in range(MANY))

    def make_due(self, count: int) -> None:
        """Let so many more people take something that is due now."""
        for first in range(0, count, MANY):
            some = min(MANY, count - first)
            with database().transaction() as session:
                make_due(session, at=now(), first=self.made, count=some)
            self.made += some


def _measure_burst(found: Answer, kind: str, people: _People, folder: Path) -> None:
    mail = folder / "mail.json"
    people.make_due(1)
    mail.write_text(json.dumps(_one_mail()))
    people.make_due(DUE)
    ours, memory = _burst(DUE, WORKERS)
    raw = _raw_burst(mail, DUE, WORKERS)
    found.add(
        f"{kind}: {DUE:,} due of {PATIENTS:,}, rate of raw sending",
        raw / ours,
        at_least=0.5,
        detail=f"{ours:.1f} s against {raw:.1f} s on {WORKERS} connections each",
    )
    found.add(f"{kind}: memory of one of {WORKERS} workers", memory, unit="MB")


def _measure_growth(found: Answer, kind: str, people: _People) -> None:
    took = {}
    for workers in (1, 2, 4):
        people.make_due(GROWTH)
        took[workers], _ = _burst(GROWTH, workers)
    for workers in (2, 4):
        found.add(
            f"{kind}: rate of {workers} workers / of one",
            took[1] / took[workers],
            detail=f"{GROWTH:,} due; {os.cpu_count()} cores",
        )


def _measure_steady(found: Answer, kind: str, people: _People) -> None:
    count = A_SECOND * STEADY_S
    people.make_due(count)
    begin = now() + timedelta(seconds=3)
    due: dict[int, datetime] = {}
    with database().transaction() as session:
        # Those of the coming days are armed, too.
        open_ = select(Reminder.id).where(
            Reminder.last_fired_at.is_(None), Reminder.due_at <= now()
        )
        for number, id_ in enumerate(session.scalars(open_).all()):
            due[id_] = begin + timedelta(seconds=number / A_SECOND)
        rows = [{"id": id_, "next_at": at} for id_, at in due.items()]
        session.execute(update(Reminder), rows)
    with _processes(WORKERS, "work") as running:
        _let_go(running)
        _wait_for(count, since=begin)
    with database().reading() as session:
        rows_left = session.execute(
            select(Delivery.subject_id, Delivery.accepted_at).where(
                Delivery.subject_id.in_(due), Delivery.accepted_at.is_not(None)
            )
        ).all()
    lags = [
        (accepted - due[subject]).total_seconds()
        for subject, accepted in rows_left
        if subject and accepted
    ]
    parts = statistics.quantiles(lags, n=100)
    for name, value, goal in (
        ("p50", parts[49], None),
        ("p95", parts[94], 5),
        ("p99", parts[98], None),
    ):
        found.add(
            f"{kind}: due to accepted at {A_SECOND} a second, {name}",
            value,
            at_most=goal,
            unit="s",
            detail=f"{WORKERS} workers",
        )


def _burst(count: int, workers: int) -> tuple[float, float]:
    """Return in how many seconds all were accepted, and the memory of a worker."""
    with _processes(workers, "work") as running:
        began = now()
        _let_go(running)
        last = _wait_for(count, since=began)
        memory = max(map(_memory_of, running))
    return (last - began).total_seconds(), memory


def _raw_burst(mail: Path, count: int, workers: int) -> float:
    with _processes(workers, "raw", str(mail), str(count // workers)) as running:
        began = time.perf_counter()
        _let_go(running)
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "done\n"
        return time.perf_counter() - began


def _wait_for(count: int, *, since: datetime) -> datetime:
    """Wait until so many were accepted since then; return when the last one was."""
    until = time.monotonic() + PATIENCE_S
    table = table_of(Delivery).c
    asked = select(func.count(), func.max(table.accepted_at)).where(
        table.accepted_at >= since
    )
    while time.monotonic() < until:
        with database().reading() as session:
            row = session.execute(asked).one()
        accepted = int(row[0])
        last: datetime | None = row[1]
        if accepted >= count and last is not None:
            return max(since, last)
        time.sleep(0.25)
    raise TimeoutError(f"{count} wanted, {accepted} accepted")


@contextmanager
def _processes(count: int, *what: str) -> Iterator[list["subprocess.Popen[str]"]]:
    """Run so many of ourselves, ready to be let go, until the block ends."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "bench.storm", *what]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        for _ in range(count)
    ]
    try:
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        yield running
    finally:
        for one in running:
            assert one.stdin is not None
            one.stdin.close()
        for one in running:
            one.wait(PATIENCE_S)


def _let_go(running: Sequence["subprocess.Popen[str]"]) -> None:
    for one in running:
        assert one.stdin is not None
        one.stdin.write(GO.decode())
        one.stdin.flush()


def _memory_of(process: "subprocess.Popen[str]") -> float:
    """Return the most memory it had so far, in MB (Linux: VmHWM)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _is_over() -> bool:
    """Say whether whoever started this process hung up."""
    try:
        return os.read(sys.stdin.fileno(), 1) == b""
    except BlockingIOError:
        return False


def _work() -> None:
    """Send what is due, looking every second, until nobody listens any more."""
    os.set_blocking(sys.stdin.fileno(), False)
    while not _is_over():
        began = time.monotonic()
        for job in (fire_reminders, deliver):
            try:
                job.run()
            except SQLAlchemyError as error:
                # As the clock does: what waits is found again.
                log.warning("job_failed", job=job.__name__, error=type(error).__name__)
        time.sleep(max(0.0, TICK_S - (time.monotonic() - began)))


def _one_mail() -> dict[str, str]:
    """Return the words of a reminder, as the raw side is to send them, too."""
    fire_reminders.run()
    (mail,) = waiting_mails()
    deliver.run()
    return {"subject": mail.subject, "text": mail.text, "html": mail.html}


def _send_raw(mail: str, count: str) -> None:
    words = json.loads(Path(mail).read_text())
    port = urlsplit(settings().smtp_url).port
    mails = [
        Message(key=str(number), recipient=f"patient{number}@example.org", **words)
        for number in range(int(count))
    ]
    send_bare(mails, port or 0)


def main(what: str, *values: str) -> None:
    """Be one of the processes: say that it is ready, wait, and do it."""
    start_logging("WARNING")
    database()
    print("ready", flush=True)
    assert os.read(sys.stdin.fileno(), len(GO)) == GO
    if what == "work":
        _work()
    else:
        _send_raw(*values)
        print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
