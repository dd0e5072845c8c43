"""Plans doses a week ahead, for whoever's plan changed or whose week runs out."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.log import log
from pillweb.doses.actions import plan_doses
from pillweb.doses.queries import oldest_unplanned, patients_to_plan
from pillweb.reminders.actions import arm_reminders

BATCH = 50


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when somebody waits to be planned."""
    return oldest_unplanned(session, now=now)


def run() -> int:
    """Plan everybody who waits; return how many people that was."""
    done = 0
    while planned := _plan_some():
        done += planned
    return done


def _plan_some() -> int:
    with transaction() as (session, now):
        patients = patients_to_plan(session, now=now, limit=BATCH)
        if not patients:
            return 0
        ids = [patient_id for patient_id, _ in patients]
        added = plan_doses(session, patients, now=now)
        arm_reminders(session, ids, now=now)
    log.info("doses_planned", patients=len(ids), added=added)
    return len(ids)
