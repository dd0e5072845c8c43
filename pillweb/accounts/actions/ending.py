"""By what an account is signed in, or could be: listed, and ended as was chosen.

A further way to sign in adds its pair to `WAYS`, and whoever was let in again is asked
about it too.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.passkeys import remove_passkeys
from pillweb.accounts.actions.printed import end_printed_codes
from pillweb.accounts.actions.sessions import end_session
from pillweb.accounts.models import Account, AccountLink, OidcIdentity, SignInMail
from pillweb.accounts.queries import (
    live_session_of,
    live_sessions,
    passkeys_of,
    printed_codes_left,
)
from pillweb.base.i18n import gettext as _


class Endable(NamedTuple):
    """One way in that can be ended: its kind, which one, and what people call it."""

    kind: str
    number: int
    words: str

    @property
    def chosen_as(self) -> str:
        """What a form says of it."""
        return f"{self.kind}-{self.number}"


def _sessions(session: Session, account_id: int, now: datetime) -> list[Endable]:
    rows = live_sessions(session, account_id, now=now)
    return [Endable("session", row.id, row.name or _("A browser")) for row in rows]


def _end_session(session: Session, account_id: int, number: int, now: datetime) -> None:
    row = live_session_of(session, account_id, number, now=now)
    end_session(session, row.id, now=now)


def _password(session: Session, account_id: int, now: datetime) -> list[Endable]:
    del now
    account = session.get_one(Account, account_id)
    return [Endable("password", 0, _("The password"))] if account.password_hash else []


def _end_password(
    session: Session, account_id: int, number: int, now: datetime
) -> None:
    del number, now
    session.get_one(Account, account_id).password_hash = None


def _printed(session: Session, account_id: int, now: datetime) -> list[Endable]:
    del now
    left = printed_codes_left(session, account_id)
    return [Endable("printed", 0, _("The printed codes"))] if left else []


def _end_printed(session: Session, account_id: int, number: int, now: datetime) -> None:
    del number, now
    end_printed_codes(session, account_id)


def _identities(session: Session, account_id: int, now: datetime) -> list[Endable]:
    del now
    found = session.scalars(
        select(OidcIdentity).where(OidcIdentity.account_id == account_id)
    )
    return [Endable("oidc", row.id, row.issuer) for row in found]


def _end_identity(
    session: Session, account_id: int, number: int, now: datetime
) -> None:
    del now
    session.execute(
        delete(OidcIdentity).where(
            OidcIdentity.id == number, OidcIdentity.account_id == account_id
        )
    )


def _passkeys(session: Session, account_id: int, now: datetime) -> list[Endable]:
    del now
    rows = passkeys_of(session, account_id)
    return [Endable("passkey", row.id, row.name) for row in rows]


def _end_passkey(session: Session, account_id: int, number: int, now: datetime) -> None:
    del now
    remove_passkeys(session, account_id, [number])


List = Callable[[Session, int, datetime], list[Endable]]
End = Callable[[Session, int, int, datetime], None]
# How each kind is listed, and how one of it is ended.
WAYS: dict[str, tuple[List, End]] = {
    "session": (_sessions, _end_session),
    "password": (_password, _end_password),
    "passkey": (_passkeys, _end_passkey),
    "printed": (_printed, _end_printed),
    "oidc": (_identities, _end_identity),
}


def endables_of(session: Session, account_id: int, *, now: datetime) -> list[Endable]:
    """Return every way in of an account that can be ended."""
    return [
        one
        for listed, _end in WAYS.values()
        for one in listed(session, account_id, now)
    ]


def end_mailed(session: Session, account_id: int, *, now: datetime) -> None:
    """Let no link or code that was mailed until now let anybody in."""
    for row, ended in (
        (AccountLink, AccountLink.used_at),
        (SignInMail, SignInMail.ended_at),
    ):
        session.execute(
            update(row)
            .where(row.account_id == account_id, ended.is_(None))
            .values({ended: now})
        )


def end_chosen(
    session: Session, account_id: int, keys: Collection[str], *, now: datetime
) -> None:
    """End these of an account's ways in; what is none of its own is left out.

    What was mailed before to sign in, or for another password, is worth nothing then.
    """
    end_mailed(session, account_id, now=now)
    for one in endables_of(session, account_id, now=now):
        if one.chosen_as in keys:
            WAYS[one.kind][1](session, account_id, one.number, now)
