"""Phone numbers: what is one, and what it is good for."""

from collections.abc import Collection

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from pillweb.base.config import settings
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _

ANYWHERE = "GB"
MOBILE = frozenset(
    {
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
    }
)
# No number whose owner earns by being called.
CALLABLE = MOBILE | {PhoneNumberType.FIXED_LINE, PhoneNumberType.UAN}


def _example(country: str | None) -> PhoneNumber | None:
    return phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)


def _parsed(typed: str) -> PhoneNumber:
    country = settings().phone_country.upper() or None
    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number) or number.extension:
        example = next(filter(None, map(_example, (country, ANYWHERE))))
        shown = phonenumbers.format_number(example, PhoneNumberFormat.INTERNATIONAL)
        raise InvalidError(
            _(
                "Write the whole number with its country code, such as %(number)s.",
                number=shown,
            )
        )
    return number


def read_number(typed: str, kinds: Collection[int], *, otherwise: str) -> str:
    """Return a phone number as E.164, such as +447700900123.

    Raises:
        InvalidError: it is none, or of another kind; then the sentence `otherwise`.
    """
    number = _parsed(typed)
    if phonenumbers.number_type(number) not in kinds:
        raise InvalidError(otherwise)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
