"""Codes on paper, each of which signs its account in once."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, EntryTry, PrintedCode
from pillweb.accounts.queries import (
    account_by_email,
    client_index,
    email_index,
    is_tried_too_often,
)
from pillweb.accounts.rules import (
    PRINTED_CODES,
    new_printed_code,
    place_of,
)
from pillweb.base.passwords import hash_password, password_fits
from pillweb.base.retention import SIGN_INS, kept_for
from pillweb.base.turns import take_turns


def make_printed_codes(
    session: Session, account_id: int, *, now: datetime
) -> list[str]:
    """End the codes that an account has, and return ten new ones: they are not kept."""
    codes = [new_printed_code(place) for place in range(PRINTED_CODES)]
    hashes = [hash_password(code) for code in codes]
    # Whoever makes some at the same time waits here, and ends these.
    session.get_one(Account, account_id, with_for_update=True)
    end_printed_codes(session, account_id)
    session.add_all(
        PrintedCode(account_id=account_id, place=place, code_hash=code, made_at=now)
        for place, code in enumerate(hashes)
    )
    return codes


def end_printed_codes(session: Session, account_id: int) -> None:
    """Let no code sign an account in that was printed until now."""
    session.execute(delete(PrintedCode).where(PrintedCode.account_id == account_id))


def note_entry_try(
    session: Session,
    kind: str,
    *,
    email: str,
    client: str,
    now: datetime,
    is_known: bool = False,
) -> bool:
    """Count a try to sign in; False, and not counted, where there were too many.

    Where this browser signed in to the address before (`is_known`) only tries from
    there count: a stranger's guesses shut nobody out.
    """
    take_turns(session, EntryTry)
    if is_tried_too_often(
        session, kind, email=email, client=client, now=now, is_known=is_known
    ):
        return False
    session.add(
        EntryTry(
            kind=kind,
            email_index=email_index(email),
            client_index=client_index(client),
            at=now,
        )
    )
    session.flush()
    return True


def forgive_tries(session: Session, account: Account, *, client: str) -> None:
    """Count nothing any more that was tried from here for who is signed in now."""
    session.execute(
        delete(EntryTry).where(
            EntryTry.email_index == account.email_index,
            EntryTry.client_index == client_index(client),
        )
    )


def enter_by_printed_code(
    session: Session, *, email: str, code: str, now: datetime
) -> Account | None:
    """Use up a printed code, and return its account; None where it is not right.

    Takes as long for an unknown address as for a wrong code: one hash is compared.
    """
    account = account_by_email(session, email)
    row = session.scalar(
        select(PrintedCode).where(
            PrintedCode.account_id == (account.id if account else 0),
            PrintedCode.place == place_of(code),
            PrintedCode.used_at.is_(None),
        )
    )
    if not password_fits(code, row.code_hash if row else None) or row is None:
        return None
    used = session.scalar(
        update(PrintedCode)
        .where(PrintedCode.id == row.id, PrintedCode.used_at.is_(None))
        .values(used_at=now)
        .returning(PrintedCode.id)
    )
    return account if used else None


def forget_entry_tries(session: Session, *, now: datetime, limit: int) -> int:
    """Delete what was counted of tries a day ago; return how many those were."""
    old = (
        select(EntryTry.id).where(EntryTry.at <= now - kept_for(SIGN_INS)).limit(limit)
    )
    gone = session.scalars(
        delete(EntryTry).where(EntryTry.id.in_(old)).returning(EntryTry.id),
        execution_options={"synchronize_session": False},
    ).all()
    return len(gone)
