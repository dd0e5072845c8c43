"""Hands for the clock: each job in a thread of its own, never one job twice at once.

So a mail server that hangs holds up mail, and nothing else.
"""

import time
from threading import Thread

from jobs.timetable import Job
from pillweb.base.log import log


def do(job: Job) -> int:
    """Do a job here and now; one that fails is told to the log. Return how much."""
    try:
        return job.run()
    except Exception:  # noqa: BLE001 - one job must not stop the others
        log.exception("job_failed", job=job.name)
        return 0


class Crew:
    """The jobs that are being done."""

    def __init__(self) -> None:
        self._at_work: dict[str, Thread] = {}

    def begin(self, job: Job) -> int:
        """Begin a job unless it is being done; how much is done, nobody knows yet."""
        known = self._at_work.get(job.name)
        if known is None or not known.is_alive():
            hand = Thread(target=do, args=(job,), name=job.name, daemon=True)
            self._at_work[job.name] = hand
            hand.start()
        return 0

    def wait(self, seconds: float) -> None:
        """Give what is being done so much time to end."""
        until = time.monotonic() + seconds
        for hand in self._at_work.values():
            hand.join(max(0.0, until - time.monotonic()))
