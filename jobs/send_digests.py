"""Tells families in the evening how the day was, and on Sunday how the week was."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.log import log
from pillweb.base.queue import wake
from pillweb.digests.actions.clocks import Due, start_clocks, take_days, take_weeks
from pillweb.digests.actions.days import tell_days
from pillweb.digests.actions.weeks import tell_weeks
from pillweb.digests.models import DigestClock
from pillweb.digests.queries import When, oldest_digest, patients_due

BATCH = 100
NEW = 1000
# Well under the time RQ gives this job; what is left is rung for again.
RUN_FOR_S = 60.0

Take = Callable[..., tuple[int, list[Due]]]
Tell = Callable[..., int]
KINDS: tuple[tuple[When, Take, Tell], ...] = (
    (DigestClock.day_at, take_days, tell_days),
    (DigestClock.week_at, take_weeks, tell_weeks),
)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a family waits to be told."""
    return oldest_digest(session, now=now)


def run() -> int:
    """Tell everybody whose evening has come; return of how many patients.

    Of whom nothing can be told is passed over, so that nobody else waits for it.
    """
    began = time.monotonic()
    done = _start_clocks()
    for at, take, tell in KINDS:
        while time.monotonic() - began < RUN_FOR_S and (patients := _due(at)):
            try:
                moved = _tell(patients, take, tell)
            except OperationalError:
                raise
            except Exception:  # noqa: BLE001 - one bad day must not stop the others
                moved = sum(_tell_alone(one, take, tell) for one in patients)
            if not moved:
                break
            done += moved
    if done:
        wake("deliver")
    return done


def _start_clocks() -> int:
    done = 0
    while True:
        with transaction() as (session, now):
            started = start_clocks(session, now=now, limit=NEW)
        if not started:
            return done
        done += started


def _due(at: When) -> Sequence[int]:
    with transaction() as (session, now):
        return patients_due(session, at, now=now, limit=BATCH)


def _tell(patients: Sequence[int], take: Take, tell: Tell) -> int:
    with transaction() as (session, now):
        moved, due = take(session, patients, now=now)
        posted = tell(session, due, now=now)
    log.info("digests_posted", patients=moved, messages=posted)
    return moved


def _tell_alone(patient: int, take: Take, tell: Tell) -> int:
    try:
        return _tell([patient], take, tell)
    except OperationalError:
        raise
    except Exception:  # noqa: BLE001 - the same
        log.exception("digest_failed", patient=patient)
        with transaction() as (session, now):
            return take(session, [patient], now=now)[0]
