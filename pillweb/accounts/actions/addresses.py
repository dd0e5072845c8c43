"""Another e-mail address of an account: asked for, proven, kept."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.ending import end_mailed
from pillweb.accounts.actions.entering import end_mails, keep_mail, use_code
from pillweb.accounts.models import Account, Recovery, SignInMail
from pillweb.accounts.queries import (
    account_by_email,
    email_index,
    speech_of_account,
)
from pillweb.accounts.rules import MAIL_LIFE
from pillweb.base.digits import spaced
from pillweb.base.i18n import speaking
from pillweb.base.turns import take_turns
from pillweb.outbox.actions.posting import post_delivery

# Some account that was answered for has it already: its owner is told instead.
NEW_ADDRESS, ADDRESS_TRIED = "new_address", "address_tried"


def mail_new_address(
    session: Session, account_id: int, *, email: str, client: str, now: datetime
) -> str:
    """Mail a code to what is to be the address of an account.

    As much is done for an address that another account has; what is typed then proves
    nothing. Returns the secret for the cookie of the browser that asks.
    """
    take_turns(session, SignInMail)
    owner = account_by_email(session, email)
    is_free = _is_free(owner)
    end_mails(
        session,
        SignInMail.account_id == account_id,
        SignInMail.new_email.is_not(None),
        now=now,
    )
    kept = keep_mail(
        session,
        account_id=account_id if is_free else None,
        email=email,
        client=client,
        new_email=email,
        now=now,
    )
    asker = session.get_one(Account, account_id)
    with speaking(speech_of_account(asker if is_free or owner is None else owner)):
        post_delivery(
            session,
            kind=NEW_ADDRESS if is_free else ADDRESS_TRIED,
            recipient=email,
            dedupe_key=kept.dedupe_key,
            context={"code": spaced(kept.code)} if is_free else {},
            now=now,
            expires_at=now + MAIL_LIFE,
        )
    return kept.browser


def prove_address(
    session: Session, account_id: int, *, browser: str, code: str, now: datetime
) -> str | None:
    """Use up the code that this browser asked for; return the address it proves.

    Each call is a try, as in `enter_by_code`.
    """
    mail = use_code(
        session,
        SignInMail.new_email.is_not(None),
        SignInMail.account_id == account_id,
        browser=browser,
        code=code,
        now=now,
    )
    return mail.new_email if mail else None


def end_begun(session: Session, account_id: int, *, now: datetime) -> None:
    """Let nothing that was mailed, nor begun by a helper, let anybody in."""
    end_mailed(session, account_id, now=now)
    session.execute(
        update(Recovery)
        .where(Recovery.account_id == account_id, Recovery.finished_at.is_(None))
        .values(ended_at=now, finished_at=now, link_hash=None, code_index=None)
    )


def may_have(session: Session, account: Account, email: str) -> bool:
    """Say whether an account may have a proven address."""
    owner = account_by_email(session, email)
    return owner is account or _is_free(owner)


def _is_free(owner: Account | None) -> bool:
    """Say whether an address is nobody's: an account was begun with it at most."""
    return owner is None or owner.confirmed_at is None


def give_address(
    session: Session, account: Account, *, email: str, now: datetime
) -> None:
    """Let an account have a proven address; nothing mailed before lets anybody in.

    An account that was begun with it, and never answered for, makes way. The caller
    takes turns about accounts, and asked `may_have`.
    """
    end_begun(session, account.id, now=now)
    begun = account_by_email(session, email)
    if begun is not None and begun is not account:
        session.delete(begun)
        session.flush()
    account.email, account.email_index = email, email_index(email)
    account.confirmed_at = account.confirmed_at or now
    session.flush()
