"""Numbers, amounts, times and lists as people write them by hand."""

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import time
from decimal import Decimal
from typing import Any

from wtforms import StringField, ValidationError
from wtforms.validators import DataRequired, Optional

from pillweb.base.clean import clean_text
from pillweb.base.i18n import gettext, pgettext
from pillweb.base.words import number_words, plural, unit_name
from pillweb.schedules.rules.dose import read_dose
from pillweb.web.forms import Form, said

LARGEST_AMOUNT = Decimal(10000)
DECIMALS = 3
FRACTIONS = {
    "½": ".5",
    "¼": ".25",
    "¾": ".75",
    " 1/2": ".5",
    " 1/4": ".25",
    " 3/4": ".75",
}
# Separators of other scripts: Arabic, full width.
SEPARATORS = str.maketrans("٫٬،．，：−", ".,,.,:-")  # noqa: RUF001 - they look alike
AMOUNT = re.compile(r"[-+]?(?:\d+(?:[.,]\d+)?|[.,]\d+)")
THOUSANDS = re.compile(r"([1-9]\d{0,2})[.,](\d{3})")
TIME = re.compile(r"(\d{1,2})(?:[:.]?(\d{2}))?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE)
NAMED_TIMES = {"midday": time(12), "noon": time(12), "midnight": time()}
THIRDS = re.compile(r"(?:[1-9]\d*\s+)?(?:[12]/3)|[1-9]?\d*\s*[⅓⅔]")
# Vowels that Hindi, Arabic and Khmer write as marks belong to the word.
_MARKS = "\u0300-\u036f\u064b-\u065f\u0900-\u0903\u093a-\u094f\u17b4-\u17d3"
UNIT = re.compile(
    rf"(?!to\b)[^\W\d_](?:[^\W_]|[{_MARKS}])*(?:[ /-](?:[^\W\d_]|[{_MARKS}])+){{0,3}}"
)
SHORT_UNITS = {"u", "iu"}
MEASURES = ("mg", "g", "mcg", "ml")
HALVES_OF_DAY = {"am", "pm"}
WHOLE = re.compile(r"\d{1,6}")
# "8,30" stays one text: nobody knows whether it is one time or two.
BETWEEN_TIMES = re.compile(
    r"\s*(?:;|,\s+|(?<=[ap]m),|(?<=[:.]\d\d),|\s+and\s+)\s*", re.IGNORECASE
)
NOON = 12
MIDNIGHT = 24
RANGE = " to "
# Some of each kind of plural, in any language.
SOME = (1, 2, 5, 11, 100)


def plain_digits(text: str) -> str:
    """Return text with the digits and separators of every script as ASCII ones."""
    return "".join(
        char if (digit := unicodedata.decimal(char, None)) is None else str(digit)
        for char in text.translate(SEPARATORS)
    )


def plain_number(number: Decimal) -> str:
    """Return a number as it is kept and read again, in whatever language: 1000, 0.5."""
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def read_amount(text: str) -> Decimal:
    """Return an amount as written by hand: 1, 0.5, 0,5, 1½; without trailing zeros.

    Raises:
        ValueError: no number, not above zero, too large, or 1.000, which is one to
            some and a thousand to others (ISMP: no trailing zeros).
    """
    plain = " " + plain_digits(text.strip())
    for sign, decimals in FRACTIONS.items():
        if plain.endswith(sign):
            plain = (plain.removesuffix(sign).strip() or "0") + decimals
    plain = plain.strip()
    if not AMOUNT.fullmatch(plain):
        raise ValueError(gettext("Write a number, such as 1 or 0.5."))
    if found := THOUSANDS.fullmatch(plain):
        rest = found[2].rstrip("0")
        # One digit more, or one less, can be read in one way only.
        few = f"{found[1]}.{rest}".rstrip(".") + ("0" if len(rest) == DECIMALS else "")
        raise ValueError(
            gettext(
                "This can be read in two ways. Write %(few)s, or %(many)s.",
                few=few,
                many=f"{found[1]}{found[2]}",
            )
        )
    amount = Decimal(plain.replace(",", "."))
    if amount <= 0:
        raise ValueError(gettext("The amount must be more than 0."))
    if amount > LARGEST_AMOUNT:
        raise ValueError(gettext("This amount is too large. Please check it."))
    shown = plain_number(amount)
    if len(shown.partition(".")[2]) > DECIMALS:
        raise ValueError(
            gettext("Use at most %(most)s digits after the point.", most=DECIMALS)
        )
    return Decimal(shown)


def read_time(text: str) -> time:
    """Return a time of day as written by hand: 08:00, 8.30, 8am, 8.30 pm, midday.

    Raises:
        ValueError: it is no time of day.
    """
    plain = plain_digits(text.strip()).casefold()
    if plain in NAMED_TIMES:
        return NAMED_TIMES[plain]
    found = TIME.fullmatch(plain)
    wrong = ValueError(gettext("Write a time such as 8:00 or 8pm."))
    if found is None:
        raise wrong
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half:
        if not 1 <= hour <= NOON:
            raise wrong
        hour = hour % NOON + (NOON if half == "p" else 0)
    if hour >= MIDNIGHT or minute > 59:  # noqa: PLR2004 - minutes of an hour
        raise wrong
    return time(hour, minute)


def read_dose_text(text: str, unit: str = "", kept: Collection[str] = ()) -> str:
    """Return the words of an amount: "1", "0.5", "40 mg", "1/3".

    A unit of its own stays, except where it is the medicine's own `unit`. What stood
    there already is `kept` as it is, words such as "apply" too.

    Raises:
        ValueError: no number that can be read in one way only.
    """
    plain = plain_digits(text.strip())
    if plain in kept:
        return plain
    end = next((at for at, char in enumerate(plain) if char.isalpha()), len(plain))
    number, own = plain[:end].strip(), plain[end:].strip()
    amount = number if THIRDS.fullmatch(number) else format(read_amount(number), "f")
    if own.casefold() in SHORT_UNITS:
        raise ValueError(gettext('Write "units" in full: a short U can be read as 0.'))
    if own.casefold() in HALVES_OF_DAY:
        raise ValueError(
            gettext("This is a time. Write how much is taken, such as 1 or 40 mg.")
        )
    if own.casefold() in _names_of(unit):
        own = ""
    # Limits and supplies count what is in mg, however its reader calls it.
    own = next((one for one in MEASURES if own.casefold() in _names_of(one)), own)
    if own and not UNIT.fullmatch(own):
        raise ValueError(gettext("Write one amount and its unit, such as 40 mg."))
    return f"{amount} {own}".strip()


def _names_of(unit: str) -> set[str]:
    """Return what a unit is called, in English and by whom it is for."""
    names = {unit_name(unit, number).casefold() for number in SOME}
    return {unit, plural(unit)} | names


def _word_between() -> str:
    return pgettext("between two amounts: 1 to 2", "to")


def range_example() -> str:
    """Return how a range may be written: "1 to 2"."""
    return f"1 {_word_between()} 2"


def in_english(text: str) -> str:
    """Return a range with the word between as it is kept, in whatever language."""
    if RANGE in text:
        return text
    between = rf"(?<=\S)\s*{re.escape(_word_between())}\s*(?=\d)"
    return re.sub(between, RANGE, text, count=1)


def read_range_text(text: str, unit: str = "", kept: Collection[str] = ()) -> str:
    """Return an amount, or a range of two as a label may give: "1 to 2"."""
    text = in_english(text)
    least, between, most = text.partition(RANGE)
    if not between:
        return read_dose_text(text, unit, kept)
    if text.strip() in kept:
        return text.strip()
    low, high = read_dose(read_dose_text(least, unit)), read_dose_text(most, unit)
    if low.unit and not read_dose(high).unit:
        raise ValueError(gettext("Write the unit of both, such as 500 mg to 1 g."))
    in_one_unit = low.unit in ("", read_dose(high).unit)
    if in_one_unit and (low.fraction or 0) >= (read_dose(high).fraction or 0):
        raise ValueError(
            gettext(
                "Write the smaller amount first, such as %(range)s.",
                range=range_example(),
            )
        )
    return (
        f"{low.text} to {high} {'' if read_dose(high).unit else plural(unit)}".strip()
    )


def read_whole(text: str, low: int, high: int) -> int:
    """Return a whole number as written by hand.

    Raises:
        ValueError: it is none, or not from `low` to `high`.
    """
    plain = plain_digits(text.strip())
    if not WHOLE.fullmatch(plain) or not low <= int(plain) <= high:
        raise ValueError(
            gettext(
                "Write a whole number from %(low)s to %(high)s.",
                low=number_words(low),
                high=number_words(high),
            )
        )
    return int(plain)


def read_times(text: str) -> list[time]:
    """Return the times of "8am and 8pm" or "8:00, 14:00, 20:00", in their order.

    Raises:
        ValueError: one is no time of day, or stands there twice.
    """
    times = [read_time(one) for one in BETWEEN_TIMES.split(plain_digits(text.strip()))]
    if len(set(times)) < len(times):
        raise ValueError(gettext("One time stands here twice."))
    return sorted(times)


def reads(read: Callable[[str], object]) -> Callable[[Form, Any], None]:
    """Return a validator that refuses what cannot be read, in the reader's words."""

    def _refuse(_form: Form, field: StringField) -> None:
        try:
            read(said(field))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    return _refuse


def typed_field(
    label: str, read: Callable[[str], object], *, missing: str = "", **more: str
) -> StringField:
    """Return a field of one line that `read` must understand.

    `missing` is said when it must not be empty; `more` are attributes of the input.
    """
    needed: list[Any] = [DataRequired(missing)] if missing else [Optional()]
    return StringField(
        label,
        validators=[*needed, reads(read)],
        filters=[clean_text],
        render_kw={"autocomplete": "off", "dir": "ltr", **more},
    )
