"""One RQ worker of one queue: `python -m jobs.worker reminders`."""

import os
import signal
import socket
import sys
import time
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue, Worker
from sqlalchemy.exc import SQLAlchemyError

from jobs import timetable
from jobs.runtime import look_back, transaction
from pillweb.base.config import settings
from pillweb.base.heartbeat import beat
from pillweb.base.log import log, start_logging
from pillweb.base.pdf import load_printer
from pillweb.base.queue import REPORTS
from pillweb.base.zones import tzdata_version

BEAT_EVERY_S = 10.0
WORKER_TTL_S = 30
KNOWN = {job.queue for job in timetable.TIMETABLE}


class _BeatingWorker(Worker):
    """A worker that also tells the database that it is well."""

    beat_at = 0.0

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Beat in Redis, and every ten seconds in the database."""
        super().heartbeat(*args, **kwargs)
        if time.monotonic() - self.beat_at < BEAT_EVERY_S:
            return
        self.beat_at = time.monotonic()
        try:
            with transaction() as (session, now):
                beat(
                    session,
                    component=self.queues[0].name,
                    instance=f"{socket.gethostname()}:{os.getpid()}",
                    now=now,
                )
        except SQLAlchemyError as error:
            log.warning("beat_unwritten", error=type(error).__name__)


def _check_memory_policy(connection: Redis) -> None:
    """Refuse a Redis that may drop bells silently; one that hides it is believed."""
    try:
        found = connection.config_get("maxmemory-policy")
    except ResponseError:
        return
    policy = found.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        sys.exit(
            f"Redis drops keys when it is full (maxmemory-policy {policy}). "
            "Set it to noeviction."
        )


def main(queue: str) -> None:
    """Answer the bells of one queue until told to stop."""
    if queue not in KNOWN:
        sys.exit(f"There is no queue {queue}: name one of {', '.join(sorted(KNOWN))}.")
    start_logging(settings().log_level)
    log.info("worker_started", queue=queue, tzdata=tzdata_version())
    look_back()
    if not settings().redis_url:
        log.warning("no_redis", queue=queue, answer="the clock does this work")
        signal.pause()
        return
    connection = Redis.from_url(settings().redis_url)
    _check_memory_policy(connection)
    if queue == REPORTS:
        load_printer()
    _BeatingWorker(
        [Queue(queue, connection=connection, serializer="json")],
        connection=connection,
        serializer="json",
        worker_ttl=WORKER_TTL_S,
        job_monitoring_interval=5,
        maintenance_interval=60,
        log_job_description=False,
    ).work(logging_level="WARNING")


if __name__ == "__main__":
    main(sys.argv[1])
