"""What is true of invitations and of codes without asking anybody."""

from datetime import datetime, timedelta
from typing import NamedTuple

from pillweb.base.i18n import gettext_noop
from pillweb.sharing.rules import ACCEPTED, DECLINED, PENDING, REVOKED

INVITATION_LIFE = timedelta(days=7)
INVITATIONS_A_DAY = 20
# How an invitation gets there that no channel carries; those that can carry one.
BY_HAND, WAYS = "hand", ("email", "sms")
OWN_ROLE = gettext_noop("The one who takes the medicines")
STATUS_WORDS = {
    PENDING: gettext_noop("No answer yet"),
    ACCEPTED: gettext_noop("Accepted"),
    DECLINED: gettext_noop("Declined"),
    REVOKED: gettext_noop("Taken back"),
}
OVER = gettext_noop("Does not work any more")
# Consonants only, so that no code is a word; no two look alike.
UNBROKEN = "\N{NO-BREAK SPACE}"
CODE_LETTERS, CODE_LENGTH = "BCDFGHJKLMNPQRSTVWXZ", 8


class Request(NamedTuple):
    """Somebody who asks for access."""

    grant_id: int
    account_id: int
    name: str
    email: str
    role: str
    asked_at: datetime


def code_typed(text: str) -> str:
    """Return a code as it is kept, however it was typed.

    >>> code_typed("bcdf-ghjk ")
    'BCDFGHJK'
    """
    return "".join(letter for letter in text.upper() if letter.isalpha())


def code_shown(code: str) -> str:
    """Return a code as it is read out.

    >>> code_shown("BCDFGHJK").replace(UNBROKEN, " ")
    'BCDF GHJK'
    """
    half = CODE_LENGTH // 2
    return UNBROKEN.join((code[:half], code[half:])).strip()


def first_name(name: str) -> str:
    """Return by which name a patient is told of before anybody agreed.

    >>> first_name("Rosa Lopez")
    'Rosa'
    """
    return next(iter(name.split()), "")
