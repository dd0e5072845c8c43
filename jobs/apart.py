"""Work for many people at once, in which nobody suffers from a row of somebody else."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.runtime import give_way, transaction
from pillweb.base.log import log
from pillweb.reminders.actions.passing import note_reached, pass_over
from pillweb.reminders.queries.waiting import passed_over, waiting_patients

# About five rows each: nobody waits long for the next batch to end.
BATCH = 50


class Some(Protocol):
    """Does something for the patients that wait longest; returns how much that was."""

    def __call__(
        self,
        session: Session,
        *,
        now: datetime,
        limit: int,
        besides: Collection[int] = (),
        only: int | None = None,
    ) -> int:
        """Do it for up to `limit` patients but some, or for one alone."""


def do_all(some: Some, *, state: str) -> int:
    """Do some, each time in a transaction of its own, until none are left.

    `state` is that of the reminders it is about. A batch that fails is done again one
    by one. Whom it fails for alone is passed over: an incident says so, and they are
    tried again, apart from all others, until it works.
    """
    done = 0
    with transaction() as (session, _now):
        apart = passed_over(session)
    while True:
        try:
            with transaction() as (session, now):
                did = some(session, now=now, limit=BATCH, besides=apart)
        except OperationalError:
            raise
        except Exception:
            found = _waiting(state, apart)
            if not found:
                raise
            apart |= found
            continue
        if not did:
            break
        done += did
        give_way()
    return done + sum(_do_alone(some, one, state=state) for one in sorted(apart))


def _waiting(state: str, besides: Collection[int]) -> set[int]:
    with transaction() as (session, now):
        return waiting_patients(session, state, now=now, limit=BATCH, besides=besides)


def _do_alone(some: Some, patient_id: int, *, state: str) -> int:
    try:
        with transaction() as (session, now):
            did = some(session, now=now, limit=1, only=patient_id)
            if did:
                note_reached(session, patient_id, now=now)
    except OperationalError:
        raise
    except Exception:  # noqa: BLE001 - one bad row must not stop the others
        log.exception("patient_passed_over", patient=patient_id)
        with transaction() as (session, now):
            pass_over(session, patient_id, state=state, now=now)
        return 0
    give_way()
    return did
