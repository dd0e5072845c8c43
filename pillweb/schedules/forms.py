"""What people type about a medicine and when it is taken."""

import re
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import (
    DateField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.validators import InputRequired, Optional

from pillweb.base.words import WEEKDAY_NAMES
from pillweb.medications.models import Medication
from pillweb.medications.rules import FORMS
from pillweb.schedules.rules.line import (
    WEEKDAYS,
    Dose,
    EveryDays,
    Line,
    OnWeekdays,
    TimeOfDay,
)
from pillweb.web.forms import Form, choices, clean_text, said, text_field

LARGEST_AMOUNT = Decimal(10000)
DECIMALS = 3
FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,]\d{3})+")
TIME = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*([ap]m)?", re.IGNORECASE)
NOON = 12
MIDNIGHT = 24
TIME_NAMES = ("First time", "Second time", "Third time", "Fourth time")
EVERY_DAY = "every"
SOME_DAYS = "some"


def read_amount(text: str) -> Decimal:
    """Return an amount as written by hand: 1, 0.5, 0,5, 1½.

    Raises:
        ValueError: no number, not above zero, too large, or 1.000, which is one to
            some and a thousand to others (ISMP: no trailing zeros).
    """
    plain = text.strip()
    for sign, decimals in FRACTIONS.items():
        if plain.endswith(sign):
            plain = (plain.removesuffix(sign).strip() or "0") + decimals
    if THOUSANDS.fullmatch(plain):
        whole, many = re.split(r"[.,]", plain)[0], re.sub(r"[.,]", "", plain)
        raise ValueError(f"Is that {whole} or {many}? Write only {whole} or {many}.")
    try:
        amount = Decimal(plain.replace(",", "."))
    except InvalidOperation:
        raise ValueError("Write a number, such as 1 or 0.5.") from None
    if not amount.is_finite() or amount <= 0:
        raise ValueError("The amount must be more than 0.")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > DECIMALS:
        raise ValueError(f"Use at most {DECIMALS} digits after the point.")
    if amount > LARGEST_AMOUNT:
        raise ValueError("This amount is too large. Please check it.")
    return amount


def read_time(text: str) -> time:
    """Return a time of day as written by hand: 08:00, 8.30, 8am, 8.30 pm.

    Raises:
        ValueError: it is no time of day.
    """
    found = TIME.fullmatch(text.strip())
    wrong = ValueError("Write a time such as 8:00 or 8pm.")
    if found is None:
        raise wrong
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half:
        if not 1 <= hour <= NOON:
            raise wrong
        hour = hour % NOON + (NOON if half == "pm" else 0)
    if hour >= MIDNIGHT or minute > 59:  # noqa: PLR2004 - minutes of an hour
        raise wrong
    return time(hour, minute)


def _time_field(label: str) -> StringField:
    return StringField(
        label,
        validators=[Optional(), _is_time],
        filters=[clean_text],
        render_kw={"autocomplete": "off", "placeholder": "", "dir": "ltr"},
    )


def _is_time(_form: Form, field: StringField) -> None:
    try:
        read_time(said(field))
    except ValueError as error:
        raise ValidationError(str(error)) from None


class MedicineForm(Form):
    """A medicine, and how it is taken, on one page."""

    name = text_field("Name of the medicine", missing="Write the medicine's name.")
    strength = text_field("Strength", longest=60)
    form = SelectField(
        "What is it?",
        choices=choices(*((name, name.capitalize()) for name in FORMS)),
        default="tablet",
    )
    reason = text_field("What is it for?")
    amount = StringField(
        "How much each time?",
        validators=[InputRequired("Write how much is taken each time.")],
        filters=[clean_text],
        default="1",
        render_kw={"inputmode": "decimal", "dir": "ltr"},
    )
    time_1 = _time_field(TIME_NAMES[0])
    time_2 = _time_field(TIME_NAMES[1])
    time_3 = _time_field(TIME_NAMES[2])
    time_4 = _time_field(TIME_NAMES[3])
    days = RadioField(
        "On which days?",
        choices=choices((EVERY_DAY, "Every day"), (SOME_DAYS, "Only on some days")),
        default=EVERY_DAY,
    )
    weekdays = SelectMultipleField(
        "Which days of the week?",
        choices=choices(*((str(n), name) for n, name in enumerate(WEEKDAY_NAMES))),
    )
    start_on = DateField(
        "First day",
        validators=[InputRequired("Choose the first day.")],
    )
    end_on = DateField("Last day", validators=[Optional()])
    instruction = text_field("Anything to remember")

    def validate_amount(self, field: StringField) -> None:
        """Refuse an amount that could be read in two ways."""
        try:
            read_amount(said(field))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def validate_end_on(self, field: DateField) -> None:
        """Refuse an end before the start."""
        if field.data and self.start_on.data and field.data < self.start_on.data:
            raise ValidationError("The last day is before the first day.")

    def validate_weekdays(self, field: SelectMultipleField) -> None:
        """Want at least one day where only some are meant."""
        if self.days.data == SOME_DAYS and not field.data:
            raise ValidationError("Choose at least one day of the week.")

    def validate(self, extra_validators: Any = None) -> bool:  # noqa: ANN401
        """Check every field, and that there is at least one time."""
        fine = bool(super().validate(extra_validators))
        typed = [field for field in self.time_fields if field.data]
        if not typed:
            self.time_1.errors = ["Write at least one time."]
            fine = False
        return fine

    @property
    def time_fields(self) -> tuple[StringField, ...]:
        """The four times, in their order."""
        return (self.time_1, self.time_2, self.time_3, self.time_4)

    def line(self) -> Line:
        """Return the dosing rule that was typed."""
        amount = read_amount(said(self.amount))
        dose = Dose(format(amount, "f"), amount)
        typed = sorted({read_time(f.data) for f in self.time_fields if f.data})
        chosen = tuple(sorted(int(day) for day in self.weekdays.data or ()))
        only = self.days.data == SOME_DAYS and len(chosen) < len(WEEKDAYS)
        return Line(
            kind="clock",
            start_date=self.start_on.data,
            end_date=self.end_on.data,
            days=OnWeekdays(chosen) if only else EveryDays(),
            times=tuple(
                TimeOfDay(at=at, dose=dose, slot=slot) for slot, at in enumerate(typed)
            ),
        )

    def facts(self) -> dict[str, str]:
        """Return what is said of the medicine, apart from when it is taken."""
        return {
            "name": self.name.data,
            "strength": self.strength.data or "",
            "form": self.form.data,
            "reason": self.reason.data or "",
            "instruction": self.instruction.data or "",
        }


def empty_form(today: date) -> MedicineForm:
    """Return the form of a new medicine that begins today."""
    return MedicineForm(data={"start_on": today, "amount": "1", "days": EVERY_DAY})


def filled_form(medication: Medication, line: Line | None, today: date) -> MedicineForm:
    """Return the form of a medicine as it is taken now."""
    data: dict[str, Any] = {
        "name": medication.name,
        "strength": medication.strength,
        "form": medication.form,
        "reason": medication.reason,
        "instruction": medication.instruction,
        "start_on": today,
    }
    if line is not None and line.times:
        weekdays = line.days.weekdays if isinstance(line.days, OnWeekdays) else ()
        first = line.times[0].dose
        data |= {
            "amount": first.text if first else "1",
            "days": SOME_DAYS if weekdays else EVERY_DAY,
            "weekdays": [str(day) for day in weekdays],
            "start_on": line.start_date or today,
            "end_on": line.end_date,
        }
        for number, entry in enumerate(line.times[: len(TIME_NAMES)], 1):
            data[f"time_{number}"] = f"{entry.at:%H:%M}" if entry.at else ""
    return MedicineForm(data=data)
