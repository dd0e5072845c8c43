"""The one table of jobs: what is looked after, in this order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from jobs import (
    account_requests,
    back_up,
    bring_in,
    build_papers,
    build_reports,
    check_shown,
    check_supply,
    deliver,
    erase,
    fire_reminders,
    forget_deliveries,
    forget_drafts,
    look_after_access,
    order_reports,
    plan_doses,
    read_bounces,
    rotate_keys,
    seal_audit,
    send_canaries,
    send_digests,
    take_out,
    tell_late,
    try_restore,
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
    Job(
        "look_after_access",
        look_after_access.oldest,
        look_after_access.run,
        REMINDERS,
        30,
    ),
    Job("fire_reminders", fire_reminders.oldest, fire_reminders.run, REMINDERS, 30),
    Job("tell_late", tell_late.oldest, tell_late.run, REMINDERS, 30),
    Job("check_supply", check_supply.oldest, check_supply.run, REPORTS, 120),
    Job("send_digests", send_digests.oldest, send_digests.run, REPORTS, 120),
    Job(
        "account_requests",
        account_requests.oldest,
        account_requests.run,
        REMINDERS,
        30,
    ),
    Job("deliver", deliver.oldest, deliver.run, REMINDERS, 120),
    Job("check_shown", check_shown.oldest, check_shown.run, REMINDERS, 30),
    Job("read_bounces", read_bounces.oldest, read_bounces.run, REPORTS, 600),
    Job("send_canaries", send_canaries.oldest, send_canaries.run, REPORTS, 120),
    Job("order_reports", order_reports.oldest, order_reports.run, REPORTS, 30),
    Job("build_reports", build_reports.oldest, build_reports.run, REPORTS, 120),
    Job("build_papers", build_papers.oldest, build_papers.run, REPORTS, 120),
    Job("take_out", take_out.oldest, take_out.run, REPORTS, 600),
    Job("bring_in", bring_in.oldest, bring_in.run, REPORTS, 600),
    Job(
        "forget_deliveries",
        forget_deliveries.oldest,
        forget_deliveries.run,
        REPORTS,
        60,
    ),
    Job("erase", erase.oldest, erase.run, REPORTS, 600),
    Job("seal_audit", seal_audit.oldest, seal_audit.run, REPORTS, 120),
    Job("rotate_keys", rotate_keys.oldest, rotate_keys.run, REPORTS, 600),
    Job("forget_drafts", forget_drafts.oldest, forget_drafts.run, REPORTS, 30),
    Job("back_up", back_up.oldest, back_up.run, REPORTS, 3600),
    Job("try_restore", try_restore.oldest, try_restore.run, REPORTS, 3600),
)
JOBS = {job.name: job for job in TIMETABLE}
