"""A helper begins; the person hears of it everywhere, and may stop it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, Recovery, RecoveryHelper
from pillweb.accounts.queries import speech_of_account
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.mail_address import email_key
from pillweb.base.tokens import new_token, token_hash
from pillweb.channels.email import NAME as EMAIL
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import accounts_to_tell, patients_to_tell
from pillweb.contacts.rules import ACTIVE, USABLE, Person, Point
from pillweb.outbox.actions.posting import post_delivery
from pillweb.recovery.queries import (
    has_begun_too_often,
    open_recovery,
    own_patients,
)
from pillweb.recovery.rules import DELAY, LASTS, LET_IN


class _Secrets(NamedTuple):
    """What stands in the links of notices: to say yes or stop, and to stop alone."""

    yes: str
    stop: str


def start_recovery(session: Session, trust: RecoveryHelper, *, now: datetime) -> bool:
    """Begin to let somebody in again, and tell them so everywhere at once.

    Nothing is done, and nobody told, where it has begun already. False where the helper
    began too often.
    """
    # Two who begin at once take turns.
    account = session.get_one(Account, trust.account_id, with_for_update=True)
    if open_recovery(session, account.id, now=now) is not None:
        return True
    if has_begun_too_often(session, trust, now=now):
        return False
    secrets = _Secrets(new_token(), new_token())
    recovery = Recovery(
        account_id=account.id,
        helper_id=trust.helper_id,
        yes_hash=token_hash(secrets.yes),
        stop_hash=token_hash(secrets.stop),
        started_at=now,
        ready_at=now + DELAY,
        expires_at=now + LASTS,
    )
    session.add(recovery)
    session.flush()
    _tell(session, recovery, account, secrets, now=now)
    return True


def _tell(
    session: Session,
    recovery: Recovery,
    account: Account,
    secrets: _Secrets,
    *,
    now: datetime,
) -> None:
    helper = session.get_one(Account, recovery.helper_id)
    facts = {"first_name": account.name, "helper_name": helper.name}
    # By the sign-in address in any case, whatever was stopped or is too much there.
    with speaking(speech_of_account(account)):
        post_delivery(
            session,
            kind=LET_IN,
            recipient=account.email,
            dedupe_key=f"{LET_IN}:{recovery.id}",
            context=facts | {"link": _link(secrets.yes)},
            how={"is_urgent": True},
            now=now,
            expires_at=recovery.expires_at,
        )
    for person, point in _points(session, account, now=now):
        # A patient's address may be somebody else's choice: it can only stop it.
        is_own = person.account_id is not None and point.state == ACTIVE
        post_message(
            session,
            person,
            # A notice like this is never one too many.
            replace(point, last_minute=0, last_hour=0),
            kind=LET_IN,
            about=str(recovery.id),
            context=facts | {"link": _link(secrets.yes if is_own else secrets.stop)},
            now=now,
            expires_at=recovery.expires_at,
            is_urgent=True,
        )


def _link(token: str) -> str:
    return link(f"/r/{token}")


def _points(
    session: Session, account: Account, *, now: datetime
) -> Iterator[tuple[Person, Point]]:
    """Yield everywhere somebody is reached, as account and as patient, each once."""
    patients = patients_to_tell(
        session, own_patients(session, account.id, now=now), now=now
    )
    zone = next((one.zone for one in patients.values()), "Etc/UTC")
    accounts = accounts_to_tell(
        session, [account.id], zone=zone, language="en", now=now
    )
    told = {(EMAIL, email_key(account.email))}
    for person in (*accounts.values(), *patients.values()):
        for point in person.points:
            key = (point.channel, email_key(point.address))
            if point.state in USABLE and key not in told:
                told.add(key)
                yield person, point


def agree_to_recovery(recovery: Recovery, *, now: datetime) -> None:
    """Let it go on at once: the person said that they asked for it."""
    recovery.ready_at = min(recovery.ready_at, now)


def stop_recovery(recovery: Recovery, *, now: datetime) -> None:
    """End it: no code of it works any more."""
    recovery.ended_at, recovery.link_hash, recovery.code_index = now, None, None
