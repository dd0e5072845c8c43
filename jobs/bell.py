"""Where RQ comes in: a bell names a job, and the job looks at its own table."""

from jobs.runtime import hang_up, may_send
from jobs.timetable import JOBS
from pillweb.base.log import log


def answer(job: str) -> None:
    """Do the work of one job, as its table tells."""
    hang_up(job)
    if not may_send():
        return
    done = JOBS[job].run()
    log.info("bell_answered", job=job, done=done)
