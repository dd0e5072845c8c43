"""The last word before a plan starts: why, and yes to whatever is asked once more."""

from collections.abc import Iterable
from typing import Self

from wtforms import BooleanField
from wtforms.validators import DataRequired

from pillweb.base.i18n import lazy_gettext as _
from pillweb.schedules.forms.describe import WhyForm
from pillweb.schedules.rules.doubts import Doubt

PLEASE = _("Say whether this is right, or change your answers.")


class CheckForm(WhyForm):
    """A tick for each doubt."""

    @classmethod
    def of(cls, doubts: Iterable[Doubt]) -> Self:
        """Return the form that asks about each of these doubts."""
        ticks = {
            doubt.key: BooleanField(doubt.yes, validators=[DataRequired(PLEASE)])
            for doubt in doubts
        }
        form: Self = type(cls.__name__, (cls,), ticks)()
        return form
