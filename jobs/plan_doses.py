"""Plans doses a week ahead, for whoever's plan changed or whose week runs out."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.log import log
from pillweb.doses.actions.planning import plan_doses
from pillweb.doses.queries.days import oldest_unplanned, patients_to_plan
from pillweb.reminders.actions import arm_reminders

BATCH = 50


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when somebody waits to be planned."""
    return oldest_unplanned(session, now=now)


def run() -> int:
    """Plan everybody who waits; return how many people that was.

    Whoever cannot be planned is passed over, so that nobody else waits for it.
    """
    done = 0
    failed: set[int] = set()
    while patients := _waiting(failed):
        try:
            done += _plan(patients)
        except OperationalError:
            raise
        except Exception:  # noqa: BLE001 - one bad plan must not stop the others
            done += sum(_plan_alone(patient, failed) for patient in patients)
    return done


def _waiting(failed: Collection[int]) -> Sequence[tuple[int, str]]:
    with transaction() as (session, now):
        return patients_to_plan(session, now=now, limit=BATCH, without=failed)


def _plan(patients: Sequence[tuple[int, str]]) -> int:
    with transaction() as (session, now):
        added = plan_doses(session, patients, now=now)
        ids = [patient_id for patient_id, _ in patients]
        arm_reminders(session, ids, now=now)
    log.info("doses_planned", patients=len(ids), added=added)
    return len(ids)


def _plan_alone(patient: tuple[int, str], failed: set[int]) -> int:
    try:
        return _plan([patient])
    except OperationalError:
        raise
    except Exception:  # noqa: BLE001 - the same
        failed.add(patient[0])
        log.exception("doses_unplanned", patient=patient[0])
        return 0
