"""What somebody fills in about reminders."""

from typing import Any

from wtforms import SelectField, ValidationError

from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.reminders.rules.ladder import Ladder
from pillweb.reminders.rules.ladder_words import (
    AGAIN,
    HELPERS_AFTER,
    LAST,
    choice_of,
    chosen_ladder,
    wait_words,
    with_kept,
)
from pillweb.web.forms import Form, choices


def _minutes(field: SelectField) -> int:
    """Return what was picked; 0 for what was never offered."""
    offered = {choice[0] for choice in field.iter_choices()}
    return int(field.data) if field.data in offered else 0


class LadderForm(Form):
    """When a patient is reminded again, and when helpers are told."""

    again = SelectField(_("Remind again?"))
    last = SelectField(_("Remind by every way there is, also the phone?"))
    helpers = SelectField(_("Tell the first helper?"))

    def offer(self, ladder: Ladder) -> None:
        """Offer the usual minutes, and those of the ladder as it is."""
        kept = choice_of(ladder)
        fields = (self.again, self.last, self.helpers)
        for field, offered, now in zip(
            fields, (AGAIN, LAST, HELPERS_AFTER), kept, strict=True
        ):
            field.choices = choices(
                *((str(one), wait_words(one)) for one in with_kept(offered, now))
            )

    def validate_last(self, field: SelectField) -> None:
        """Refuse a loud reminder that is not after the one before."""
        last = _minutes(field)
        if last and last <= _minutes(self.again):
            raise ValidationError(
                gettext("Choose more minutes than for the reminder before it.")
            )

    def validate_helpers(self, field: SelectField) -> None:
        """Refuse to tell helpers before the patient was reminded for the last time."""
        helpers = _minutes(field)
        before = max(_minutes(self.again), _minutes(self.last))
        if helpers and helpers <= before:
            raise ValidationError(
                gettext("Choose more minutes than for the last reminder.")
            )

    def ladder(self) -> Ladder:
        """Return what was chosen."""
        fields = (self.again, self.last, self.helpers)
        return chosen_ladder(*map(_minutes, fields))


def ladder_form(ladder: Ladder, *, filled: bool) -> LadderForm:
    """Return the form of a ladder; `filled` with what it says now."""
    names = ("again", "last", "helpers")
    kept: dict[str, Any] = dict(zip(names, map(str, choice_of(ladder)), strict=True))
    form = LadderForm(data=kept if filled else None)
    form.offer(ladder)
    return form
