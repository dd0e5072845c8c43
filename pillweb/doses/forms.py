"""What people type about what they took."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from wtforms import RadioField, StringField, ValidationError
from wtforms.validators import InputRequired, Optional

from pillweb.base.clean import clean_text
from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.zones import Zone, local, to_utc
from pillweb.schedules.forms.reading import plain_number, read_amount, read_time
from pillweb.web.forms import Form, choices, said, text_field

NOW, TODAY, YESTERDAY = "now", "today", "yesterday"
A_DAY = timedelta(days=1)


def _is_amount(_form: Form, field: StringField) -> None:
    try:
        read_amount(said(field))
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _amount_field() -> StringField:
    return StringField(
        _("How much did you take?"),
        validators=[InputRequired(_("Write how much you took.")), _is_amount],
        filters=[clean_text],
        render_kw={"autocomplete": "off", "dir": "ltr"},
    )


class AmountForm(Form):
    """How much was taken of a planned dose."""

    amount = _amount_field()
    why = text_field(_("Why did you take more?"))

    @property
    def how_much(self) -> Decimal:
        """The amount, once the form is valid."""
        return read_amount(said(self.amount))


class WhyForm(Form):
    """Why one more was taken."""

    why = text_field(_("Why did you take another one?"))


class SkipForm(Form):
    """Why a dose is not taken; any answer is a good one."""

    reason = RadioField(
        _("Why are you not taking it?"),
        choices=choices(
            ("unwell", _("I feel unwell")),
            ("ran_out", _("I have none left")),
            ("clinician_said", _("My doctor told me to stop")),
            ("side_effects", _("I am worried about side effects")),
            ("other", _("Another reason")),
        ),
        validators=[InputRequired(_("Choose the answer that fits best."))],
    )
    note = text_field(_("Anything you want to add?"))


class IntakeForm(Form):
    """When and how much was taken as needed; all of it may be left as it is."""

    when = RadioField(
        _("When did you take it?"),
        choices=choices(
            (NOW, _("Just now")),
            (TODAY, _("Earlier today")),
            (YESTERDAY, _("Yesterday")),
        ),
        default=NOW,
    )
    at = StringField(
        _("At what time?"),
        filters=[clean_text],
        render_kw={"autocomplete": "off", "dir": "ltr"},
    )
    amount = StringField(
        _("How much did you take?"),
        validators=[Optional(), _is_amount],
        filters=[clean_text],
        render_kw={"autocomplete": "off", "dir": "ltr"},
    )
    why = text_field(_("Why did you take another one?"))

    def taken_at(self, *, place: Zone, now: datetime) -> datetime | None:
        """Return the instant that was told; None, with an error, where there is none.

        A time that the clocks showed twice is the first of the two (T3).
        """
        if self.when.data not in (TODAY, YESTERDAY):
            return now
        clock = self._clock()
        if clock is None:
            return None
        today = local(now, place).date()
        day = today if self.when.data == TODAY else today - A_DAY
        moment = to_utc(day, clock, place)
        if moment > now:
            self.at.errors = [gettext("This time is still to come. Please check it.")]
            return None
        return moment

    def _clock(self) -> time | None:
        try:
            return read_time(said(self.at))
        except ValueError as error:
            self.at.errors = [str(error)]
            return None

    @property
    def how_much(self) -> Decimal | None:
        """The amount, once the form is valid; None where it was left as planned."""
        return read_amount(said(self.amount)) if self.amount.data else None


def plain_amount(amount: Decimal | None) -> str:
    """Return an amount as one would type it, empty for none."""
    return "" if amount is None else plain_number(amount)
