"""What is true of passwords, sessions and consent without asking anybody."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from zxcvbn import zxcvbn

from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
WEAKEST_SCORE, STRONGEST_SCORE = 2, 4
OUR_NAME = "pillweb"
CONFIRM_LIFE = timedelta(days=2)
RESET_LIFE = timedelta(hours=1)
DOORS = ("/sign-in", "/sign-out")
SPACE = 32


class Stay(NamedTuple):
    """How long a browser stays signed in: unused, and at most."""

    idle: timedelta
    absolute: timedelta


OWN, PATIENT, HELPER = "own", "patient", "helper"
# 400 days is as long as browsers keep a cookie.
STAYS = {
    OWN: Stay(timedelta(days=90), timedelta(days=400)),
    PATIENT: Stay(timedelta(days=30), timedelta(days=400)),
    HELPER: Stay(timedelta(hours=12), timedelta(days=30)),
}
# For so long after showing who they are people may do what must be theirs to do.
PROOF_LASTS = timedelta(minutes=10)
ADMIN_PROOF_LASTS = timedelta(hours=1)
SEEN_EVERY = timedelta(minutes=15)
# When somebody proved who they are who never did.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

# What a passkey signs for: to get in, to show once more who it is, to be added.
ENTER, PROVE, ADD = "enter", "prove", "add"
CHALLENGE_LIFE = timedelta(minutes=5)
# The ways to sign in; printed codes, too, of which tries are counted.
MAIL, PASSWORD, PASSKEY, PROVIDER = "mail", "password", "passkey", "provider"
# What else there is about how one signs in: the address of a page, and its name.
MORE_WAYS = (
    ("/account/printed-codes", gettext_noop("Codes on paper")),
    ("/account/let-in", gettext_noop("Who can let you in again?")),
    ("/account/sessions", gettext_noop("Where you are signed in")),
)
# What else is there about one's account.
ABOUT_ACCOUNT = (
    ("/let-in", gettext_noop("Let somebody in again")),
    ("/account/agreed", gettext_noop("What you agreed to")),
    ("/account/data", gettext_noop("What PillWeb knows of you")),
    ("/account/leave", gettext_noop("Delete my account")),
)

MAIL_LIFE = timedelta(minutes=10)
MOST_TRIES = 5
CODE_DIGITS = 8
# From one network, and from all: nobody is shut out by whoever asks elsewhere.
MAILS_PER_ADDRESS = 5
MAILS_FROM_ANYWHERE = 20
MAILS_ALIVE = 3
MAILS_PER_CLIENT = 20
MAILS_COUNTED_FOR = timedelta(hours=1)
# A text message costs money.
TEXTS_PER_ADDRESS = 3
TEXTS_PER_CLIENT = 10

# For so long a message that told of a change can end it.
NOTICE_LIFE = timedelta(days=7)
NEW_EMAIL, NEW_PASSKEY, NO_PASSKEY = "new_email", "new_passkey", "no_passkey"
NEW_PASSWORD, NO_PASSWORD = "new_password", "no_password"
NEW_PRINTED, NEW_PROVIDER, NO_PROVIDER = "new_printed", "new_provider", "no_provider"
NEW_HELPERS, NEW_NUMBER, SIGNED_OUT = "new_helpers", "new_number", "signed_out"
STOPPED = "stopped"
# What is told of each change in how an account is signed in to.
CHANGES = {
    NEW_EMAIL: gettext_noop("You sign in with another e-mail address now."),
    NEW_PASSKEY: gettext_noop("A passkey was added."),
    NO_PASSKEY: gettext_noop("A passkey was removed."),
    NEW_PASSWORD: gettext_noop("You have a new password."),
    NO_PASSWORD: gettext_noop("The password was removed."),
    NEW_PRINTED: gettext_noop("New codes on paper were made."),
    NEW_PROVIDER: gettext_noop("Another service can sign you in now."),
    NO_PROVIDER: gettext_noop("Another service does not sign you in any more."),
    NEW_HELPERS: gettext_noop("Who can let you in again was changed."),
    NEW_NUMBER: gettext_noop("A code to a phone can sign you in now."),
    SIGNED_OUT: gettext_noop("All other devices were signed out."),
    STOPPED: gettext_noop("You do not sign in with this e-mail address any more."),
}

PRINTED_CODES = 10
PRINTED_LENGTH = 16
# Crockford's base 32: no letter that is taken for a digit, or for another.
PRINTED_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_MISTAKEN = str.maketrans({"o": "0", "i": "1", "l": "1"})
# The ways in whose tries are counted.
PRINTED, HELPED = "printed", "helped"
TRIES_PER_ADDRESS = 10
TRIES_PER_CLIENT = 20


def stay_of(*, is_patient: bool, is_own_device: bool) -> str:
    """Return for how long somebody stays signed in: a name in `STAYS`."""
    if is_own_device:
        return OWN
    return PATIENT if is_patient else HELPER


def must_verify(*, is_patient: bool, is_admin: bool) -> bool:
    """Say whether a passkey must know its person: a found phone opens nobody's record.

    Who only takes medicine (`Account.is_patient`) may use a key that asks for nothing.
    """
    return is_admin or not is_patient


def went_up(before: int, now: int) -> bool:
    """Say whether a passkey's count is as it must be (WebAuthn Level 3, 6.1.1).

    >>> went_up(0, 0), went_up(4, 5), went_up(5, 5), went_up(5, 0)
    (True, True, False, False)
    """
    return now > before or now == before == 0


def seen_words(last_seen_at: datetime, *, now: datetime) -> str:
    """Return when a browser was last used, in words that need no clock of a place."""
    hours = (now - last_seen_at) // timedelta(hours=1)
    if hours < 1:
        return _("Used in the last hour")
    days = hours // 24
    if days < 1:
        return ngettext(
            "Last used %(num)s hour ago", "Last used %(num)s hours ago", hours
        )
    return ngettext("Last used %(num)s day ago", "Last used %(num)s days ago", days)


def new_printed_code(place: int) -> str:
    """Return a code for paper: its place, and 16 random letters (80 bits)."""
    letters = (secrets.choice(PRINTED_LETTERS) for _ in range(PRINTED_LENGTH))
    return str(place) + "".join(letters)


def grouped_code(code: str) -> str:
    """Return a printed code as it is easier to read.

    >>> grouped_code("7k3qp9xtm2hbw4rnc")
    '7 K3QP 9XTM 2HBW 4RNC'
    """
    groups = (code[at : at + 4] for at in range(1, len(code), 4))
    return " ".join([code[0], *groups]).upper()


def read_printed_code(typed: str) -> str:
    """Return a printed code as it was made, of whatever was typed of it.

    >>> read_printed_code(" 7-k3qp 9XTM-2hbw 4rnc"), read_printed_code("OIL")
    ('7k3qp9xtm2hbw4rnc', '011')
    """
    plain = (
        str(int(char)) if char.isdecimal() else char
        for char in typed.casefold()
        if char.isalnum()
    )
    return "".join(plain).translate(_MISTAKEN)


def place_of(code: str) -> int:
    """Return which of ten printed codes it is; -1 where it can be none."""
    is_code = len(code) == PRINTED_LENGTH + 1 and set(code) <= set(PRINTED_LETTERS)
    return int(code[0]) if is_code and code[0].isdecimal() else -1


def check_password(password: str, *, personal: tuple[str, ...] = ()) -> None:
    """Accept a password, or say kindly why not (OWASP ASVS 5.0, 6.2).

    Raises:
        InvalidError: too short, too long or among the first that are guessed.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidError(_("Use at least %(num)s characters.", num=SHORTEST_PASSWORD))
    if len(password) > LONGEST_PASSWORD:
        raise InvalidError(_("Use at most %(num)s characters.", num=LONGEST_PASSWORD))
    if _score(password, personal) < WEAKEST_SCORE:
        raise InvalidError(
            _("This password is easy to guess. Three unrelated words make a good one.")
        )


def _score(password: str, personal: tuple[str, ...]) -> int:
    """Return 0 to 4; names, addresses and our own name are guessed first."""
    parts = {part for text in personal for part in re.split(r"[\W_]+", text) if part}
    known = [OUR_NAME, *personal, *sorted(parts)]
    return int(zxcvbn(password[:72], user_inputs=known)["score"])


def strength_words(password: str, *, personal: tuple[str, ...] = ()) -> str:
    """Return how hard a password is to guess, in a sentence; empty for none."""
    if not password:
        return ""
    try:
        check_password(password, personal=personal)
    except InvalidError as error:
        return str(error)
    if _score(password, personal) < STRONGEST_SCORE:
        return _("This password is good.")
    return _("This password is very hard to guess.")


def safe_path(text: str) -> str:
    """Return a path of this site, or the home page for anything else.

    >>> safe_path("/patients/1/today"), safe_path("//evil.example"), safe_path("x:/")
    ('/patients/1/today', '/', '/')
    """
    plain = text.startswith("/") and not text.startswith("//")
    odd = "\\" in text or any(ord(char) < SPACE for char in text)
    loops = text.startswith(DOORS)
    return text if plain and not odd and not loops else "/"


# What is agreed to: each sentence, with the day it was written. A change of one is a
# new sentence with another day.
STORING, FOR_OTHER = "storing", "for_other"
SENTENCES = {
    STORING: (
        "2026-11-21",
        gettext_noop(
            "PillWeb keeps my name and address, and what I write about medicines."
        ),
    ),
    FOR_OTHER: (
        "2026-11-21",
        gettext_noop("PillWeb keeps what is written here about my medicines."),
    ),
}
MYSELF, READ_OUT, ATTORNEY = "myself", "read_out", "attorney"
WAYS = {
    MYSELF: gettext_noop("Agreed here."),
    READ_OUT: gettext_noop("Agreed when it was read out."),
    ATTORNEY: gettext_noop("Agreed by somebody who may decide this for them."),
}
