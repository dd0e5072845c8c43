"""An account gets another address, or its first one back and everybody out."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.addresses import (
    end_begun,
    give_address,
    may_have,
    prove_address,
)
from pillweb.accounts.actions.ending import end_chosen, endables_of
from pillweb.accounts.actions.sessions import end_sessions, renew_session
from pillweb.accounts.actions.telling import tell_change
from pillweb.accounts.models import Account, AccountNotice
from pillweb.accounts.queries import email_index, live_notice
from pillweb.accounts.rules import NEW_EMAIL, STOPPED
from pillweb.base.turns import take_turns
from pillweb.base.visits import ACCOUNT, MESSAGE, Visit, note_visit
from pillweb.contacts.actions.moving import doubt_numbers, follow_address
from pillweb.recovery.queries import SMS, patients_reached_at


class Moved(NamedTuple):
    """What became of a code that was typed: the session's new secret, or neither.

    `is_taken`: the code was right, and another account has the address meanwhile.
    """

    secret: str = ""
    is_taken: bool = False


def change_address(
    session: Session,
    account_id: int,
    *,
    browser: str,
    code: str,
    session_id: int,
    device: str,
    now: datetime,
) -> Moved:
    """Let an account have the address that this browser's code proves.

    The one before is told. All other sessions end, this one gets another secret; what
    was mailed before lets nobody in. Where reminders went to it they go to the new one.
    """
    # Before any row: two who change at once take turns, and the second finds no code.
    take_turns(session, Account)
    email = prove_address(session, account_id, browser=browser, code=code, now=now)
    if email is None:
        return Moved()
    account = session.get_one(Account, account_id, populate_existing=True)
    if not may_have(session, account, email):
        return Moved(is_taken=True)
    before = account.email
    _move(session, account, email=email, by=ACCOUNT, now=now)
    end_sessions(session, account_id, but=session_id, now=now)
    secret = renew_session(session, session_id, now=now, is_proof=True)
    tell_change(session, account_id, NEW_EMAIL, device=device, email=before, now=now)
    return Moved(secret)


def _move(
    session: Session,
    account: Account,
    *,
    email: str,
    by: str,
    now: datetime,
    since: datetime | None = None,
) -> None:
    before = account.email
    patients = patients_reached_at(session, account.id, before, now=now)
    for patient_id in patients:
        note_visit(session, Visit(patient_id, by, account_id=account.id))
    give_address(session, account, email=email, now=now)
    follow_address(session, account, patients, before=before, since=since, now=now)


def stop_change(session: Session, token: str, *, now: datetime) -> bool:
    """End every way into an account but mail to the address that a message went to.

    That is the account's address then, whatever it was changed to since, and no message
    that told of a later change ends anything. False where another account has it: the
    ways in are ended all the same.

    Raises:
        LinkGoneError: the message's secret is wrong, used or too old.
    """
    take_turns(session, Account)
    notice = live_notice(session, token, now=now)
    account = session.get_one(Account, notice.account_id, populate_existing=True)
    session.execute(
        update(AccountNotice)
        .where(
            AccountNotice.account_id == account.id,
            AccountNotice.id >= notice.id,
            AccountNotice.ended_at.is_(None),
        )
        .values(ended_at=now)
    )
    end_begun(session, account.id, now=now)
    ways = [way.chosen_as for way in endables_of(session, account.id, now=now)]
    end_chosen(session, account.id, ways, now=now)
    doubt_numbers(session, account.id, channel=SMS, now=now)
    before = account.email
    if email_index(notice.email) == account.email_index:
        return True
    if not may_have(session, account, notice.email):
        return False
    since = notice.told_at
    _move(session, account, email=notice.email, by=MESSAGE, since=since, now=now)
    tell_change(session, account.id, STOPPED, email=before, may_stop=False, now=now)
    return True
