"""What people type about supplies and journeys."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, Optional

from pillweb.base.clean import clean_text
from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.tokens import new_token
from pillweb.base.words import number_words, units_name
from pillweb.medications.models import Medication
from pillweb.medications.rules import unit_of
from pillweb.schedules.forms.reading import LARGEST_AMOUNT, plain_digits, read_amount
from pillweb.supply.models import Stock
from pillweb.supply.rules.checks import LEAD_DAYS, MOST_LEAD_DAYS
from pillweb.supply.rules.ledger import GIVEN_BACK, LOST, THROWN_AWAY
from pillweb.supply.rules.packing import LONGEST, MOST_SPARE, SPARE
from pillweb.web.forms import Form, choices, said, text_field

UNITS, PACKS = "units", "packs"
PATIENT = "patient"
MOST_REPEATS = 99
LONGEST_PRESS = 64
_FRACTION = re.compile(r"(?:(\d{1,5})\s+)?(\d{1,3})/([1-9]\d{0,2})")


def read_quantity(text: str) -> Fraction:
    """Return how many there are as written by hand: 0, 27, 27.5, 27½ or 27 1/3.

    Raises:
        ValueError: no number, below zero, too large, or to be read in two ways.
    """
    plain = plain_digits(text.strip())
    if re.fullmatch(r"0+", plain):
        return Fraction(0)
    if found := _FRACTION.fullmatch(plain):
        part = Fraction(int(found[2]), int(found[3]))
        quantity = int(found[1] or 0) + part
        if quantity > LARGEST_AMOUNT:
            raise ValueError(gettext("This amount is too large. Please check it."))
        return quantity
    return Fraction(read_amount(text))


def _read_whole(text: str, most: int) -> int:
    plain = plain_digits(text.strip())
    if not plain.isdecimal() or len(plain) > len(str(most)) or int(plain) > most:
        raise ValueError(
            gettext("Write a whole number from 0 to %(most)s.", most=number_words(most))
        )
    return int(plain)


def _number_field(label: str, *, missing: str = "", **more: Any) -> StringField:  # noqa: ANN401 - what WTForms takes
    return StringField(
        label,
        validators=[InputRequired(missing) if missing else Optional()],
        filters=[clean_text],
        render_kw={"inputmode": "decimal", "dir": "ltr", "autocomplete": "off"},
        **more,
    )


class QuantityForm(Form):
    """How many; `press` tells two presses of one form from two forms."""

    amount = _number_field(_("How many?"), missing=_("Write how many."))
    press = HiddenField(
        validators=[Length(max=LONGEST_PRESS)], filters=[clean_text], default=new_token
    )

    def quantity(self) -> Fraction:
        """Return how many were written."""
        return read_quantity(said(self.amount))

    def validate_amount(self, field: StringField) -> None:
        """Refuse what is no number, or can be read in two ways."""
        try:
            read_quantity(said(field))
        except ValueError as error:
            raise ValidationError(str(error)) from None


class CountForm(QuantityForm):
    """How many there really are."""

    def __init__(self, medication: Medication) -> None:
        super().__init__()
        self.amount.label.text = gettext(
            "How many %(units)s are there now?",
            units=units_name(unit_of(medication.form)),
        )


class _SomeForm(QuantityForm):
    def validate_amount(self, field: StringField) -> None:
        """Refuse none at all, too."""
        super().validate_amount(field)
        if not self.quantity():
            raise ValidationError(gettext("Write a number above 0."))


class ReceivedForm(_SomeForm):
    """How many came, in units or in packs where the pack is known."""

    counted_in = RadioField(_("Counted in"), default=UNITS)
    uses_repeat = BooleanField(_("This used one of the repeats"))

    def __init__(self, medication: Medication, stock: Stock | None) -> None:
        super().__init__()
        units = units_name(unit_of(medication.form))
        self.amount.label.text = gettext("How many did you get?")
        self.pack_size = None if stock is None else stock.pack_size
        if self.pack_size is None:
            self.amount.label.text = gettext(
                "How many %(units)s did you get?", units=units
            )
            del self.counted_in
        else:
            size = number_words(self.pack_size)
            packs = gettext("Packs of %(size)s", size=size)
            self.counted_in.choices = choices(
                (UNITS, units.capitalize()), (PACKS, packs)
            )
        if stock is None or not stock.repeats_left:
            del self.uses_repeat

    def quantity(self) -> Fraction:
        """Return how many units were got."""
        many = super().quantity()
        in_packs = self.pack_size is not None and self.counted_in.data == PACKS
        return many * Fraction(self.pack_size or 1) if in_packs else many

    def used_repeat(self) -> bool:
        """Return whether a repeat was used."""
        return "uses_repeat" in self and bool(self.uses_repeat.data)


class GoneForm(_SomeForm):
    """How many are gone without being taken, and why."""

    cause = RadioField(
        _("What happened?"),
        choices=choices(
            (LOST, _("Lost or spilled")),
            (THROWN_AWAY, _("Thrown away")),
            (GIVEN_BACK, _("Given back to the pharmacy")),
        ),
        validators=[InputRequired(_("Choose what happened."))],
    )
    note = text_field(_("Anything to remember"))

    def __init__(self, medication: Medication) -> None:
        super().__init__()
        self.amount.label.text = gettext(
            "How many %(units)s?", units=units_name(unit_of(medication.form))
        )


class RefillForm(Form):
    """How more is got: pack, repeats, how long it takes, and who fetches it."""

    pack_size = _number_field(_("How many are in one pack?"))
    repeats_left = _number_field(_("How many repeats are left?"))
    lead_days = _number_field(
        _("How many days do the doctor and the pharmacy need?"),
        missing=_("Write how many days."),
    )
    fetcher = SelectField(_("Who fetches it?"))

    def __init__(
        self, stock: Stock | None, fetchers: Sequence[tuple[int, str]], patient: str
    ) -> None:
        super().__init__(data=_refill_data(stock))
        self.fetcher.choices = choices(
            (PATIENT, gettext("%(name)s, by the address for reminders", name=patient)),
            *((str(key), name) for key, name in fetchers),
        )
        if self.fetcher.data not in {value for value, *_ in self.fetcher.choices}:
            self.fetcher.data = PATIENT if stock is not None else self.fetcher.data

    def validate_pack_size(self, field: StringField) -> None:
        """Refuse a pack that is no number."""
        _refuse(lambda: read_amount(said(field)))

    def validate_repeats_left(self, field: StringField) -> None:
        """Refuse repeats that are no whole number."""
        _refuse(lambda: _read_whole(said(field), MOST_REPEATS))

    def validate_lead_days(self, field: StringField) -> None:
        """Refuse days that are no whole number."""
        _refuse(lambda: _read_whole(said(field), MOST_LEAD_DAYS))

    def facts(self) -> dict[str, Any]:
        """Return what was typed."""
        repeats, pack = said(self.repeats_left), said(self.pack_size)
        who = self.fetcher.data
        return {
            "pack_size": read_amount(pack) if pack else None,
            "repeats_left": _read_whole(repeats, MOST_REPEATS) if repeats else None,
            "lead_days": _read_whole(said(self.lead_days), MOST_LEAD_DAYS),
            "fetcher_id": None if who == PATIENT else int(who),
        }


def _refuse(read: Any) -> None:  # noqa: ANN401 - any reader
    try:
        read()
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _refill_data(stock: Stock | None) -> dict[str, object]:
    if stock is None:
        return {"lead_days": str(LEAD_DAYS), "fetcher": PATIENT}
    repeats = stock.repeats_left
    return {
        "pack_size": "" if stock.pack_size is None else _plain(stock.pack_size),
        "repeats_left": "" if repeats is None else str(repeats),
        "lead_days": str(stock.lead_days),
        "fetcher": PATIENT if stock.fetcher_id is None else str(stock.fetcher_id),
    }


def _plain(number: Decimal) -> str:
    return format(number, "f")


class JourneyForm(Form):
    """The days of a journey; it is asked by an address, so that it can be kept."""

    first = DateField(
        _("First day away"),
        name="from",
        validators=[InputRequired(_("Choose the first day."))],
    )
    last = DateField(
        _("Last day away"),
        name="to",
        validators=[InputRequired(_("Choose the last day."))],
    )
    spare = _number_field(_("Days to spare"), default=str(SPARE))

    def __init__(self, asked: MultiDict[str, str], today: date) -> None:
        # An address is no submitted form, so what it says is handed over.
        FlaskForm.__init__(self, formdata=asked or None)
        self.today = today

    def validate_first(self, field: DateField) -> None:
        """Refuse days gone by."""
        if field.data is not None and field.data < self.today:
            raise ValidationError(gettext("The first day has passed."))

    def validate_last(self, field: DateField) -> None:
        """Refuse an end before the beginning, and what nobody can plan."""
        first, last = self.first.data, field.data
        if first is not None and last is not None and last < first:
            raise ValidationError(gettext("The last day is before the first day."))
        if last is not None and last > self.today + LONGEST:
            raise ValidationError(gettext("Choose a day within a year from now."))

    def validate_spare(self, field: StringField) -> None:
        """Refuse days that are no whole number."""
        _refuse(lambda: _read_whole(said(field) or "0", MOST_SPARE))

    def journey(self) -> tuple[date, date, int]:
        """Return the first and the last day, and how many to spare."""
        first, last = self.first.data, self.last.data
        if first is None or last is None:
            raise ValueError(self.data)
        return first, last, _read_whole(said(self.spare) or "0", MOST_SPARE)
