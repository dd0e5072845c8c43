"""What a device sends of an answer it kept."""

import re
from datetime import timedelta

from wtforms import IntegerField, RadioField, StringField, ValidationError
from wtforms.validators import InputRequired, NumberRange, Optional, Regexp

from pillweb.base.clean import clean_text
from pillweb.doses.forms import SkipForm
from pillweb.sync.actions import Answer
from pillweb.sync.rules import LATER, SKIP, TAKE, UNDO
from pillweb.web.forms import Form, choices, said, text_field

KEY = re.compile(r"[0-9a-f-]{16,36}", re.ASCII)
# What a stopwatch of a device can tell: beyond a century it is broken.
LONGEST_AGO_MS = 3_200_000_000_000
MOST_DIGITS = 18
LATER_MINUTES = 24 * 60
OTHER = "other"


class _Count(IntegerField):
    """A whole number of as many digits as a float can still tell apart from endless."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number; raise ValueError where it is none, or far too long."""
        if any(len(text) > MOST_DIGITS for text in valuelist):
            raise ValueError("too many digits")
        super().process_formdata(valuelist)


class ReplayForm(Form):
    """One kept answer; filled in by our own script."""

    key = StringField(validators=[InputRequired(), Regexp(rf"^{KEY.pattern}\Z")])
    deed = RadioField(
        choices=choices(*((deed, deed) for deed in (TAKE, UNDO, SKIP, LATER)))
    )
    ago_ms = _Count(
        validators=[
            InputRequired(),
            NumberRange(min=-LONGEST_AGO_MS, max=LONGEST_AGO_MS),
        ]
    )
    reason = StringField(filters=[clean_text])
    note = text_field("")
    minutes = _Count(validators=[Optional(), NumberRange(min=1, max=LATER_MINUTES)])

    def validate_reason(self, field: StringField) -> None:
        """Refuse a reason that the page of a skip does not offer; none is "other"."""
        field.data = field.data or OTHER
        offered = [choice[0] for choice in SkipForm().reason.iter_choices()]
        if field.data not in offered:
            raise ValidationError

    def answer(self, dose_id: int) -> Answer:
        """Return the answer about a dose, once the form is valid."""
        return Answer(
            key=said(self.key),
            dose_id=dose_id,
            deed=str(self.deed.data),
            ago=timedelta(milliseconds=self.ago_ms.data or 0),
            reason=said(self.reason),
            note=said(self.note),
            later_by=timedelta(minutes=self.minutes.data or 0),
        )
