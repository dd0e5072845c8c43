"""Treats wishes for an account or another password, each in its own transaction."""

from datetime import datetime

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.runtime import give_way, transaction
from pillweb.accounts.actions.requesting import (
    claim_request,
    postpone_request,
    treat_request,
)
from pillweb.accounts.queries import oldest_request
from pillweb.base.log import log
from pillweb.base.queue import wake

# A flood of them holds up no reminder: the clock rings again within a second.
MOST = 100


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a request waits to be treated."""
    return oldest_request(session, now=now)


def run() -> int:
    """Treat the requests that wait longest; return how many that was."""
    done = 0
    for _ in range(MOST):
        treated = _treat_next()
        if treated is None:
            break
        done += treated
        give_way()
    if done:
        wake("deliver")
    return done


def _treat_next() -> bool | None:
    """Say whether the next request could be treated; None where none waits."""
    request_id = None
    try:
        with transaction() as (session, now):
            request_id = claim_request(session, now=now)
            if request_id is None:
                return None
            treat_request(session, request_id, now=now)
    except OperationalError:
        raise
    except Exception:
        if request_id is None:
            raise
        log.exception("request_untreated", request=request_id)
        with transaction() as (session, now):
            postpone_request(session, request_id, now=now)
        return False
    return True
