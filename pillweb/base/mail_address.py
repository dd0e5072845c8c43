"""E-mail addresses: what is one, and when two are the same."""

from email_validator import EmailNotValidError, validate_email

from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _


def clean_email(text: str) -> str:
    """Return the address in its normal form (RFC 5321, RFC 6531).

    Raises:
        InvalidError: it is no e-mail address.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        raise InvalidError(
            _("Write a full e-mail address, such as name@example.org.")
        ) from None


def email_key(email: str) -> str:
    """Return what two spellings of one address have in common."""
    return email.casefold()


def spelled(text: str) -> str:
    """Return `email_key` of what was typed, in its normal form where it has one."""
    try:
        return email_key(clean_email(text))
    except InvalidError:
        return email_key(text)
