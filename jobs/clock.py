"""The clock: asks every second what is due, rings, and works where nobody answers.

Several may run; none leads. `python -m jobs.clock`.
"""

import os
import signal
import socket
import threading
import time
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from jobs.runtime import transaction
from jobs.timetable import TIMETABLE, Job
from pillweb.base.clock import database_now
from pillweb.base.clock import now as clock_now
from pillweb.base.config import settings
from pillweb.base.db import database
from pillweb.base.heartbeat import beat
from pillweb.base.log import log, start_logging
from pillweb.base.queue import wake
from pillweb.base.zones import is_tzdata_old, tzdata_version

TICK_S = 1.0
BEAT_EVERY_S = 10.0
PATIENCE = timedelta(seconds=5)


def waiting_jobs() -> tuple[list[tuple[Job, datetime]], datetime]:
    """Return the jobs with work, since when each waits, and the database's time."""
    with database().reading() as session:
        now = database_now(session)
        found = [(job, job.oldest(session, now)) for job in TIMETABLE]
    return [(job, since) for job, since in found if since is not None], now


def tick() -> int:
    """Ring for what is due; do what nobody heard or came for. Return how much."""
    done = 0
    waiting, now = waiting_jobs()
    for job, since in waiting:
        heard = wake(job.name, queue=job.queue, timeout_s=job.timeout_s)
        if heard and now - since < PATIENCE:
            continue
        try:
            done += job.run()
        except Exception:  # noqa: BLE001 - one job must not stop the others
            log.exception("job_failed", job=job.name)
    return done


def _beat() -> None:
    waiting, now = waiting_jobs()
    lag = max((now - since for _, since in waiting), default=timedelta(0))
    with transaction() as (session, now):
        beat(
            session,
            component="clock",
            instance=f"{socket.gethostname()}:{os.getpid()}",
            now=now,
            lag_s=int(lag.total_seconds()),
        )


def main() -> None:
    """Tick every second until told to stop."""
    start_logging(settings().log_level)
    log.info("clock_started", tzdata=tzdata_version())
    if is_tzdata_old(clock_now()):
        log.warning("old_tzdata", answer="install a newer tzdata and restart")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    beaten = -BEAT_EVERY_S
    while not stopping.is_set():
        try:
            if time.monotonic() - beaten >= BEAT_EVERY_S:
                _beat()
                beaten = time.monotonic()
            tick()
        except SQLAlchemyError as error:
            log.warning("tick_failed", error=type(error).__name__)
        stopping.wait(TICK_S)


if __name__ == "__main__":
    main()
