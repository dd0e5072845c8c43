"""Whoever an account is of is told, by mail, when the ways to sign in change."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, AccountNotice
from pillweb.accounts.queries import speech_of_account
from pillweb.accounts.rules import CHANGES, NOTICE_LIFE
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.words import long_date_words, time_words
from pillweb.outbox.actions.posting import post_delivery

ACCOUNT_CHANGED = "account_changed"


def tell_change(
    session: Session,
    account_id: int,
    change: str,
    *,
    device: str = "",
    email: str = "",
    may_stop: bool = True,
    now: datetime,
) -> None:
    """Mail what was changed (`accounts.rules.CHANGES`), when and on which device.

    It goes to the account's address, or to `email`, which it had before. For seven days
    a press on its page ends all that, unless `may_stop` is false.
    """
    account = session.get_one(Account, account_id)
    email, token = email or account.email, new_token()
    if may_stop:
        session.add(
            AccountNotice(
                account_id=account.id,
                email=email,
                token_hash=token_hash(token),
                told_at=now,
                expires_at=now + NOTICE_LIFE,
            )
        )
    with speaking(speech_of_account(account)):
        post_delivery(
            session,
            kind=ACCOUNT_CHANGED,
            recipient=email,
            dedupe_key=f"{ACCOUNT_CHANGED}:{token_hash(token).hex()}",
            context={
                "first_name": account.name,
                "words": _(CHANGES[change]),
                "date": long_date_words(now.date()),
                "time": time_words(now.time()),
                "device": device,
                "link": link(f"/w/{token}") if may_stop else "",
            },
            account_id=account.id,
            now=now,
            expires_at=now + NOTICE_LIFE,
        )


def forget_notices(session: Session, *, now: datetime, limit: int) -> int:
    """Delete what can end nothing any more; return how much that was."""
    old = select(AccountNotice.id).where(AccountNotice.expires_at <= now).limit(limit)
    gone = session.scalars(
        delete(AccountNotice)
        .where(AccountNotice.id.in_(old))
        .returning(AccountNotice.id),
        execution_options={"synchronize_session": False},
    ).all()
    return len(gone)
