"""Accounts: found in any spelling, signed in and out, links that work once."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from pillweb.accounts.actions.ending import end_chosen
from pillweb.accounts.actions.joining import (
    account_that_signs_in,
    choose_password,
    make_account,
    sign_up,
    want_reset,
)
from pillweb.accounts.actions.sessions import start_session
from pillweb.accounts.models import Account, AccountLink
from pillweb.accounts.queries import account_by_email, any_account, live_link, viewer_of
from pillweb.accounts.rules import CONFIRM_LIFE, RESET_LIFE
from pillweb.base.errors import LinkGoneError
from pillweb.outbox.models import Delivery
from tests.tokens import newest_token

PASSWORD = "three unrelated words"
SECOND = timedelta(seconds=1)


def account(session: Session, now: datetime, *, password: str = PASSWORD) -> Account:
    return make_account(
        session, name="Rosa", email="Rosa@family.example", password=password, now=now
    )


def begun(session: Session, now: datetime) -> None:
    """Let whoever runs it have the first account."""
    make_account(session, name="Max", email="max@clinic.example", now=now)


def kinds(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Delivery.kind).order_by(Delivery.id)))


@pytest.mark.parametrize(
    "typed", ["Rosa@family.example", "rosa@FAMILY.example", "ROSA@FAMILY.EXAMPLE"]
)
def test_an_address_is_found_in_any_spelling(
    session: Session, now: datetime, typed: str
) -> None:
    made = account(session, now)
    assert account_by_email(session, typed) is made
    assert account_that_signs_in(session, email=typed, password=PASSWORD) is made


@pytest.mark.parametrize(
    "password",
    [
        " outer spaces count ",
        "p\u00e4ssw\u00f6rter \u00fcberall",
        "kettle violet ocean " * 6 + "12345678",
        "\U0001f418 \U0001f98a \U0001f344 elephant",
    ],
)
def test_a_password_is_kept_exactly(
    session: Session, now: datetime, password: str
) -> None:
    made = account(session, now, password=password)
    email = made.email
    assert account_that_signs_in(session, email=email, password=password) is made
    for other in (password.strip() + "!", password[:-1], password.upper() + "x"):
        assert account_that_signs_in(session, email=email, password=other) is None


def test_nobody_signs_in_without_a_password(session: Session, now: datetime) -> None:
    make_account(session, name="Ida", email="ida@family.example", now=now)
    for password in ("", "-", "None", "nobody has this password"):
        found = account_that_signs_in(
            session, email="ida@family.example", password=password
        )
        assert found is None


def test_a_weaker_hash_is_renewed_at_sign_in(session: Session, now: datetime) -> None:
    made = account(session, now)
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    made.password_hash = weak.hash(PASSWORD)
    assert account_that_signs_in(session, email=made.email, password="no") is None
    assert "m=64," in made.password_hash
    assert account_that_signs_in(session, email=made.email, password=PASSWORD) is made
    assert "m=64," not in made.password_hash


def test_a_sign_up_mails_one_link_and_makes_no_password(
    session: Session, now: datetime
) -> None:
    begun(session, now)
    sign_up(session, name="Rosa", email="rosa@family.example", now=now)
    row = account_by_email(session, "rosa@family.example")
    assert row is not None
    assert (row.password_hash, row.confirmed_at) == (None, None)
    assert kinds(session) == ["confirm_sign_up"]


def test_signing_up_again_before_confirming_mails_another_link(
    session: Session, now: datetime
) -> None:
    begun(session, now)
    for _ in range(2):
        sign_up(session, name="Rosa", email="rosa@family.example", now=now)
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 2
    assert kinds(session) == ["confirm_sign_up"] * 2


def test_signing_up_with_a_known_address_tells_its_owner_only(
    session: Session, now: datetime
) -> None:
    made = account(session, now)
    before = made.password_hash
    for _ in range(2):
        sign_up(session, name="Eve", email="ROSA@family.example", now=now)
    assert kinds(session) == ["already_have_account"]
    assert (made.name, made.password_hash) == ("Rosa", before)
    assert session.scalar(sa.select(sa.func.count()).select_from(AccountLink)) == 0


def test_a_reset_is_mailed_to_an_account_and_confirms_one_that_was_not(
    session: Session, now: datetime
) -> None:
    want_reset(session, email="nobody@family.example", now=now)
    assert kinds(session) == []
    account(session, now)
    want_reset(session, email="rosa@family.example", now=now)
    make_account(session, name="Ida", email="ida@family.example", now=now)
    want_reset(session, email="ida@family.example", now=now)
    assert kinds(session) == ["reset_password", "confirm_sign_up"]


def test_the_first_account_is_nobodys_by_signing_up(
    session: Session, now: datetime
) -> None:
    sign_up(session, name="Eve", email="eve@evil.example", now=now)
    assert not any_account(session)


@pytest.mark.parametrize(
    ("ask", "life"), [("sign_up", CONFIRM_LIFE), ("reset", RESET_LIFE)]
)
def test_a_link_lives_to_the_second(
    session: Session, now: datetime, ask: str, life: timedelta
) -> None:
    begun(session, now)
    if ask == "sign_up":
        sign_up(session, name="Rosa", email="rosa@family.example", now=now)
    else:
        account(session, now)
        want_reset(session, email="rosa@family.example", now=now)
    token = newest_token(session)
    assert live_link(session, token, now=now + life - SECOND) is not None
    assert live_link(session, token, now=now + life) is None
    with pytest.raises(LinkGoneError):
        choose_password(session, token, password=PASSWORD, now=now + life)


def test_a_link_works_once_and_a_wrong_one_never(
    session: Session, now: datetime
) -> None:
    begun(session, now)
    sign_up(session, name="Rosa", email="rosa@family.example", now=now)
    token = newest_token(session)
    made = choose_password(session, token, password=PASSWORD, now=now)
    assert made.confirmed_at == now
    for wrong in (token, token[:-1], "", "x" * 43):
        with pytest.raises(LinkGoneError):
            choose_password(session, wrong, password="another set of words", now=now)
    assert account_that_signs_in(session, email=made.email, password=PASSWORD) is made


def test_a_new_password_ends_every_session_and_every_older_link(
    session: Session, now: datetime
) -> None:
    made = account(session, now)
    want_reset(session, email=made.email, now=now)
    older = newest_token(session)
    want_reset(session, email=made.email, now=now)
    newer = newest_token(session)
    cookie = start_session(session, made, now=now)
    assert viewer_of(session, cookie, now=now) is not None
    choose_password(session, newer, password="another set of words", now=now)
    assert viewer_of(session, cookie, now=now) is None
    assert live_link(session, older, now=now) is None
    assert account_that_signs_in(session, email=made.email, password=PASSWORD) is None


def test_a_mailed_link_is_dead_when_ways_in_were_ended(
    session: Session, now: datetime
) -> None:
    """Somebody who reads Rosa's mail asked for it before she was let in again."""
    made = account(session, now)
    want_reset(session, email="rosa@family.example", now=now)
    token = newest_token(session)
    end_chosen(session, made.id, (), now=now)
    with pytest.raises(LinkGoneError):
        choose_password(session, token, password=PASSWORD, now=now)
