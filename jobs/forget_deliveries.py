"""Deletes what was kept of messages and sign-ins for longer than anybody needs."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.accounts.actions.entering import forget_sign_in_mails
from pillweb.accounts.actions.identities import forget_oidc_tries
from pillweb.accounts.actions.passkeys import forget_challenges
from pillweb.accounts.actions.printed import forget_entry_tries
from pillweb.accounts.actions.requesting import forget_requests
from pillweb.accounts.actions.sessions import forget_sessions
from pillweb.accounts.actions.telling import forget_notices
from pillweb.accounts.queries import oldest_sign_in
from pillweb.devices.actions.pairing import forget_offers
from pillweb.devices.queries import oldest_offer
from pillweb.outbox.actions.forgetting import forget_deliveries
from pillweb.outbox.queries import oldest_forgettable
from pillweb.sync.actions import forget_replays
from pillweb.sync.queries import oldest_replay

BATCH = 500
FORGETS = (
    forget_deliveries,
    forget_replays,
    forget_sign_in_mails,
    forget_challenges,
    forget_entry_tries,
    forget_oidc_tries,
    forget_requests,
    forget_sessions,
    forget_notices,
    forget_offers,
)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something waits to be forgotten."""
    found = (
        oldest_forgettable(session, now=now),
        oldest_replay(session, now=now),
        oldest_sign_in(session, now=now),
        oldest_offer(session, now=now),
    )
    return min((at for at in found if at is not None), default=None)


def run() -> int:
    """Forget all that is old, a few at a time; return how much that was."""
    done = 0
    for forget in FORGETS:
        while True:
            with transaction() as (session, now):
                gone = forget(session, now=now, limit=BATCH)
            done += gone
            if gone < BATCH:
                break
    return done
