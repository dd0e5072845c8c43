"""Ends access that is over, and asks the patient's side about what is asked or old."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.audit.actions import append_entry
from pillweb.base.queue import wake
from pillweb.base.visits import JOB, Visit
from pillweb.invitations.actions.looking_after import ask_about_access
from pillweb.invitations.queries import oldest_to_ask_about
from pillweb.sharing.actions.granting import end_grants
from pillweb.sharing.queries.access import oldest_ended

BATCH = 100


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when access is over, or its patient's side waits to be asked."""
    found = [oldest_ended(session, now=now), oldest_to_ask_about(session, now=now)]
    return min((at for at in found if at is not None), default=None)


def run() -> int:
    """End and ask; return about how many grants."""
    done = 0
    while True:
        with transaction() as (session, now):
            ended = end_grants(session, now=now, limit=BATCH)
            for grant in ended:
                append_entry(
                    session,
                    Visit(grant.patient_id, JOB),
                    act="jobs.look_after_access",
                    ids={"grant_id": grant.id},
                    now=now,
                )
            asked = ask_about_access(session, now=now, limit=BATCH)
        if not len(ended) + asked:
            break
        done += len(ended) + asked
    if done:
        wake("deliver")
    return done
