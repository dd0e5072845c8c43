"""The one table of jobs: what is looked after, in this order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from jobs import (
    build_papers,
    build_reports,
    check_shown,
    check_supply,
    deliver,
    fire_reminders,
    forget_deliveries,
    forget_drafts,
    order_reports,
    plan_doses,
    read_bounces,
    send_canaries,
    send_digests,
    tell_late,
)
from pillweb.base.queue import REMINDERS, REPORTS


@dataclass(frozen=True, slots=True)
class Job:
    """A job: since when its work waits, how it is done, and where it is queued."""

    name: str
    oldest: Callable[[Session, datetime], datetime | None]
    run: Callable[[], int]
    queue: str
    timeout_s: int


TIMETABLE = (
    Job("plan_doses", plan_doses.oldest, plan_doses.run, REMINDERS, 120),
    Job("fire_reminders", fire_reminders.oldest, fire_reminders.run, REMINDERS, 30),
    Job("tell_late", tell_late.oldest, tell_late.run, REMINDERS, 30),
    Job("check_supply", check_supply.oldest, check_supply.run, REPORTS, 120),
    Job("send_digests", send_digests.oldest, send_digests.run, REPORTS, 120),
    Job("deliver", deliver.oldest, deliver.run, REMINDERS, 120),
    Job("check_shown", check_shown.oldest, check_shown.run, REMINDERS, 30),
    Job("read_bounces", read_bounces.oldest, read_bounces.run, REPORTS, 600),
    Job("send_canaries", send_canaries.oldest, send_canaries.run, REPORTS, 120),
    Job("order_reports", order_reports.oldest, order_reports.run, REPORTS, 30),
    Job("build_reports", build_reports.oldest, build_reports.run, REPORTS, 120),
    Job("build_papers", build_papers.oldest, build_papers.run, REPORTS, 120),
    Job(
        "forget_deliveries",
        forget_deliveries.oldest,
        forget_deliveries.run,
        REPORTS,
        60,
    ),
    Job("forget_drafts", forget_drafts.oldest, forget_drafts.run, REPORTS, 30),
)
JOBS = {job.name: job for job in TIMETABLE}
