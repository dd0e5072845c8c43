"""What is true of passwords, addresses and sessions without asking anybody."""

from datetime import timedelta

from zxcvbn import zxcvbn

from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
WEAKEST_SCORE = 2
SESSION_LIFE = timedelta(days=90)
CONFIRM_LIFE = timedelta(days=2)
RESET_LIFE = timedelta(hours=1)
DOORS = ("/sign-in", "/sign-out")
SPACE = 32


def check_password(password: str, *, personal: tuple[str, ...] = ()) -> None:
    """Accept a password, or say kindly why not (OWASP ASVS 5.0, 6.2).

    Raises:
        InvalidError: too short, too long or among the first that are guessed.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidError(_("Use at least %(num)s characters.", num=SHORTEST_PASSWORD))
    if len(password) > LONGEST_PASSWORD:
        raise InvalidError(_("Use at most %(num)s characters.", num=LONGEST_PASSWORD))
    if zxcvbn(password[:72], user_inputs=list(personal))["score"] < WEAKEST_SCORE:
        raise InvalidError(
            _("This password is easy to guess. Three unrelated words make a good one.")
        )


def safe_path(text: str) -> str:
    """Return a path of this site, or the home page for anything else.

    >>> safe_path("/patients/1/today"), safe_path("//evil.example"), safe_path("x:/")
    ('/patients/1/today', '/', '/')
    """
    plain = text.startswith("/") and not text.startswith("//")
    odd = "\\" in text or any(ord(char) < SPACE for char in text)
    loops = text.startswith(DOORS)
    return text if plain and not odd and not loops else "/"
