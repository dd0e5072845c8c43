"""What is true of passwords, addresses and sessions without asking anybody."""

from datetime import timedelta

from email_validator import EmailNotValidError, validate_email
from zxcvbn import zxcvbn

from pillweb.base.errors import InvalidError

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
WEAKEST_SCORE = 2
SESSION_LIFE = timedelta(days=90)
CONFIRM_LIFE = timedelta(days=2)
RESET_LIFE = timedelta(hours=1)


def clean_email(text: str) -> str:
    """Return the address in its normal form.

    Raises:
        InvalidError: it is no e-mail address.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        raise InvalidError(
            "Write a full e-mail address, such as name@example.org."
        ) from None


def email_key(email: str) -> str:
    """Return what two spellings of one address have in common."""
    return email.casefold()


def check_password(password: str, *, personal: tuple[str, ...] = ()) -> None:
    """Accept a password, or say kindly why not (OWASP ASVS 5.0, 6.2).

    Raises:
        InvalidError: too short, too long or among the first that are guessed.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidError(f"Use at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise InvalidError(f"Use at most {LONGEST_PASSWORD} characters.")
    if zxcvbn(password[:72], user_inputs=list(personal))["score"] < WEAKEST_SCORE:
        raise InvalidError(
            "This password is easy to guess. Three unrelated words make a good one."
        )
