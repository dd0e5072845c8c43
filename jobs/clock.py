"""The clock: asks every second what is due, rings, and works where nobody answers.

Several may run; none leads. `python -m jobs.clock`.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from jobs.crew import Crew, do
from jobs.runtime import look_back, transaction
from jobs.timetable import TIMETABLE, Job
from pillweb.base.clock import database_clock, database_now, seconds_passed
from pillweb.base.clock import now as clock_now
from pillweb.base.config import settings
from pillweb.base.db import database
from pillweb.base.heartbeat import beat, disbelieved
from pillweb.base.high_water import note_high_water
from pillweb.base.log import log, start_logging
from pillweb.base.queue import wake
from pillweb.base.zones import is_tzdata_old, tzdata_version
from pillweb.watch.actions.incidents import note_gap, note_jump, note_troubles
from pillweb.watch.queries import CLOCK, is_held, reminder_since
from pillweb.watch.rules.alarm import jump_of

TICK_S = 1.0
BEAT_EVERY_S = 10.0
PATIENCE = timedelta(seconds=5)
# Less than whoever stops us waits.
LAST_WORK_S = 8.0


def waiting_jobs() -> tuple[list[tuple[Job, datetime]], datetime]:
    """Return the jobs with work, since when each waits, and the database's time."""
    with database().reading() as session:
        now = database_now(session)
        if is_held(session):
            return [], now
        found = [(job, _since(job, session, now)) for job in TIMETABLE]
    return [(job, since) for job, since in found if since is not None], now


def _since(job: Job, session: Session, now: datetime) -> datetime | None:
    """Return since when a job's work waits; one that fails holds up no other."""
    try:
        return job.oldest(session, now)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        log.exception("job_not_asked", job=job.name)
        return None


def tick(begin: Callable[[Job], int] = do) -> int:
    """Ring for what is due; begin what nobody heard or came for. Return how much."""
    done = 0
    waiting, now = waiting_jobs()
    for job, since in waiting:
        heard = wake(job.name, queue=job.queue, timeout_s=job.timeout_s)
        if not heard or now - since >= PATIENCE:
            done += begin(job)
    return done


class Pulse:
    """The signs of life of this clock, and what it notices between two of them."""

    def __init__(self) -> None:
        self._shown: tuple[datetime, float] | None = None
        self._is_held = False
        self._has_beaten = False
        self._due_s = 0.0

    def look(self) -> None:
        """See whether the database's clock jumped since the last look."""
        with database().reading() as session:
            shown, passed_s = database_clock(session), seconds_passed()
            self._is_held = bool(disbelieved(session, shown))
        before, self._shown = self._shown, (shown, passed_s)
        if before is None:
            return
        by = jump_of(before[0], shown, passed_s=passed_s - before[1])
        if by:
            with transaction() as (session, now):
                note_jump(session, by, shown=shown, now=now)
            self._is_held = True
            log.error("clock_jump", before=str(before[0]), after=str(shown))

    def beat_if_due(self) -> None:
        """Beat every ten seconds; before the first beat look at what was before."""
        if time.monotonic() < self._due_s:
            return
        if not self._has_beaten:
            look_back()
        self.beat()
        self._due_s = time.monotonic() + BEAT_EVERY_S

    def beat(self) -> None:
        """Write that this clock is well, and what is not."""
        with transaction() as (session, now):
            if not self._has_beaten and note_gap(session, now=now):
                log.warning("nothing_ran_before")
            since = reminder_since(session, now=now)
            beat(
                session,
                component=CLOCK,
                instance=f"{socket.gethostname()}:{os.getpid()}",
                now=now,
                lag_s=int((now - since).total_seconds()) if since else 0,
            )
            note_troubles(session, now=now, is_held=self._is_held)
        self._has_beaten = True
        note_high_water(now)


def main() -> None:
    """Tick every second until told to stop."""
    start_logging(settings().log_level)
    log.info("clock_started", tzdata=tzdata_version())
    if is_tzdata_old(clock_now()):
        log.warning("old_tzdata", answer="install a newer tzdata and restart")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    crew, pulse = Crew(), Pulse()
    while not stopping.is_set():
        try:
            pulse.look()
            pulse.beat_if_due()
            tick(crew.begin)
        except SQLAlchemyError as error:
            log.warning("tick_failed", error=type(error).__name__)
        except Exception:  # noqa: BLE001 - a clock that ends reminds nobody
            log.exception("tick_failed")
        stopping.wait(TICK_S)
    crew.wait(LAST_WORK_S)


if __name__ == "__main__":
    main()
