"""Plans doses a week ahead, for whoever's plan changed or whose week runs out."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.runtime import give_way, transaction
from pillweb.base.log import log
from pillweb.base.zones import tzdata_version
from pillweb.doses.actions.planning import Planning, replan_doses
from pillweb.doses.queries.days import oldest_unplanned, patients_to_plan
from pillweb.reminders.actions.arming import arm_reminders, tell_of_new_clock

BATCH = 50
A_DAY = timedelta(days=1)


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
        give_way()
    return done


def _waiting(failed: Collection[int]) -> Sequence[tuple[int, str]]:
    with transaction() as (session, now):
        return patients_to_plan(session, now=now, limit=BATCH, without=failed)


def _plan(patients: Sequence[tuple[int, str]]) -> int:
    with transaction() as (session, now):
        ids = [patient_id for patient_id, _ in patients]
        planned = replan_doses(session, ids, now=now)
        arm_reminders(session, ids, now=now)
        _tell_of_new_clocks(session, planned, now=now)
    log.info("doses_planned", patients=len(ids), added=planned.added)
    return len(ids)


def _tell_of_new_clocks(session: Session, planned: Planning, *, now: datetime) -> None:
    """Log whose zone data changed; write to whom a dose of the next 24 hours moves."""
    for patient_id, before in planned.zone_data.items():
        moves = [move for move in planned.moves if move.patient_id == patient_id]
        log.warning(
            "zone_data_changed",
            patient=patient_id,
            before=before,
            after=tzdata_version(),
            moved=len(moves),
        )
        if any(min(move.before, move.after) < now + A_DAY for move in moves):
            tell_of_new_clock(session, patient_id, version=tzdata_version(), now=now)


def _plan_alone(patient: tuple[int, str], failed: set[int]) -> int:
    try:
        return _plan([patient])
    except OperationalError:
        raise
    except Exception:  # noqa: BLE001 - the same
        failed.add(patient[0])
        log.exception("doses_unplanned", patient=patient[0])
        return 0
