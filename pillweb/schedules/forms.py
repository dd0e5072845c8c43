"""What people type about a medicine and when it is taken."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

from wtforms import (
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.fields import DateField
from wtforms.validators import DataRequired, Optional

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
from pillweb.schedules.rules.slots import is_same
from pillweb.web.forms import (
    Form,
    choices,
    clean_text,
    day_field,
    said,
    text_field,
)

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
NOON = 12
MIDNIGHT = 24
TIME_NAMES = ("First time", "Second time", "Third time", "Fourth time")
EVERY_DAY = "every"
SOME_DAYS = "some"


def plain_digits(text: str) -> str:
    """Return text with the digits and separators of every script as ASCII ones."""
    return "".join(
        char if (digit := unicodedata.decimal(char, None)) is None else str(digit)
        for char in text.translate(SEPARATORS)
    )


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
        raise ValueError("Write a number, such as 1 or 0.5.")
    if found := THOUSANDS.fullmatch(plain):
        rest = found[2].rstrip("0")
        # One digit more, or one less, can be read in one way only.
        few = f"{found[1]}.{rest}".rstrip(".") + ("0" if len(rest) == DECIMALS else "")
        raise ValueError(
            f"This can be read in two ways. Write {few}, or {found[1]}{found[2]}."
        )
    amount = Decimal(plain.replace(",", "."))
    if amount <= 0:
        raise ValueError("The amount must be more than 0.")
    if amount > LARGEST_AMOUNT:
        raise ValueError("This amount is too large. Please check it.")
    shown = format(amount, "f")
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    if len(shown.partition(".")[2]) > DECIMALS:
        raise ValueError(f"Use at most {DECIMALS} digits after the point.")
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
    wrong = ValueError("Write a time such as 8:00 or 8pm.")
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


def _instruction_field() -> StringField:
    return text_field("Anything to remember")


class DescriptionForm(Form):
    """What is said of a medicine, apart from how it is taken."""

    name = text_field("Name of the medicine", missing="Write the medicine's name.")
    strength = text_field("Strength", longest=60)
    form = SelectField(
        "What is it?",
        choices=choices(*((name, name.capitalize()) for name in FORMS)),
        default="tablet",
    )
    reason = text_field("What is it for?")
    instruction = _instruction_field()

    def facts(self) -> dict[str, str]:
        """Return what was typed."""
        return {
            "name": said(self.name),
            "strength": said(self.strength),
            "form": self.form.data,
            "reason": said(self.reason),
            "instruction": said(self.instruction),
        }


class MedicineForm(DescriptionForm):
    """A medicine, and how it is taken, on one page."""

    amount = StringField(
        "How much each time?",
        validators=[DataRequired("Write how much is taken each time.")],
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
    start_on = day_field("First day", missing="Choose the first day.")
    end_on = day_field("Last day")
    instruction = _instruction_field()

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
        """Want days where only some are meant, and none where all are."""
        if self.days.data == SOME_DAYS and not field.data:
            raise ValidationError("Choose at least one day of the week.")
        some = 0 < len(field.data or ()) < len(WEEKDAYS)
        if self.days.data == EVERY_DAY and some:
            raise ValidationError(
                "You chose every day, and single days too. Choose one of the two."
            )

    def validate(self, extra_validators: Any = None) -> bool:  # noqa: ANN401
        """Check every field; want at least one time, and each only once."""
        fine = bool(super().validate(extra_validators))
        typed = [field for field in self.time_fields if field.data]
        if not typed:
            self.time_1.errors = ["Write at least one time."]
            fine = False
        seen: set[time] = set()
        for field in typed:
            if field.errors:
                continue
            at = read_time(said(field))
            if at in seen:
                field.errors = ["This time is there already."]
                fine = False
            seen.add(at)
        return fine

    @property
    def time_fields(self) -> tuple[StringField, ...]:
        """The four times, in their order."""
        return (self.time_1, self.time_2, self.time_3, self.time_4)

    def line(self) -> Line:
        """Return the dosing rule that was typed."""
        return _line(
            amount=read_amount(said(self.amount)),
            times=[read_time(said(field)) for field in self.time_fields if field.data],
            weekdays=[int(day) for day in self.weekdays.data or ()],
            start=self.start_on.data,
            end=self.end_on.data,
        )


def _line(
    *,
    amount: Decimal,
    times: Sequence[time],
    weekdays: Sequence[int],
    start: date | None,
    end: date | None,
) -> Line:
    """Return a line the form can say; all seven weekdays, or none, are every day."""
    dose = Dose(format(amount, "f"), amount)
    some = 0 < len(weekdays) < len(WEEKDAYS)
    return Line(
        kind="clock",
        start_date=start,
        end_date=end,
        days=OnWeekdays(tuple(sorted(weekdays))) if some else EveryDays(),
        times=tuple(
            TimeOfDay(at=at, dose=dose, slot=slot)
            for slot, at in enumerate(sorted(times))
        ),
    )


def fits_form(lines: Sequence[Line]) -> bool:
    """Say whether the form can show a plan, so that saving it loses nothing."""
    if len(lines) != 1:
        return False
    (line,) = lines
    times = [entry.at for entry in line.times if entry.at is not None]
    dose = line.times[0].dose or line.dose if line.times else None
    amount = dose.amount if dose else None
    if line.start_date is None or amount is None or not times:
        return False
    typed = _line(
        amount=amount,
        times=times[: len(TIME_NAMES)],
        weekdays=line.days.weekdays if isinstance(line.days, OnWeekdays) else (),
        start=line.start_date,
        end=line.end_date,
    )
    return is_same(line, typed)


def empty_form(today: date) -> MedicineForm:
    """Return the form of a new medicine that begins today."""
    return MedicineForm(data={"start_on": today, "amount": "1", "days": EVERY_DAY})


def _described(medication: Medication) -> dict[str, Any]:
    return {
        "name": medication.name,
        "strength": medication.strength,
        "form": medication.form,
        "reason": medication.reason,
        "instruction": medication.instruction,
    }


def description_form(medication: Medication) -> DescriptionForm:
    """Return the form of what is said of a medicine."""
    return DescriptionForm(data=_described(medication))


def filled_form(medication: Medication, line: Line) -> MedicineForm:
    """Return the form of a medicine as it is taken now; its line must fit."""
    weekdays = line.days.weekdays if isinstance(line.days, OnWeekdays) else ()
    dose = line.times[0].dose or line.dose
    times = {
        f"time_{number}": f"{entry.at:%H:%M}"
        for number, entry in enumerate(line.times, 1)
    }
    return MedicineForm(
        data={
            **_described(medication),
            **times,
            "amount": dose.text if dose else "1",
            "days": SOME_DAYS if weekdays else EVERY_DAY,
            "weekdays": [str(day) for day in weekdays],
            "start_on": line.start_date,
            "end_on": line.end_date,
        }
    )
