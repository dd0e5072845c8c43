"""What a press of a button says about the look, and a form that shows every field."""

from collections.abc import Iterable
from datetime import date

from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)

from pillweb.base.i18n import DIGITS, HOURS, LANGUAGES
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.look import SIZES, THEMES
from pillweb.web.forms import Form, choices, day_field, text_field

FIRST = date(2026, 11, 20)


def _or_none(offered: Iterable[str]) -> list[tuple[str, str]]:
    return choices(*((code, code) for code in ("", *offered)))


class LookForm(Form):
    """One of several questions; the others keep their answer."""

    language = SelectField(_("In which language?"), choices=_or_none(LANGUAGES))
    size = SelectField(
        _("How large should the words be?"), choices=choices(*SIZES.items())
    )
    theme = SelectField(_("Which colours?"), choices=choices(*THEMES.items()))
    hours = SelectField(_("How should the clock read?"), choices=_or_none(HOURS))
    digits = SelectField(_("Which numbers?"), choices=_or_none(DIGITS))


class SampleForm(Form):
    """Each kind of field once; nobody sends it."""

    name = text_field("Name of the medicine", missing="Write the name.")
    strength = text_field("Strength")
    note = TextAreaField("Anything else?")
    unit = SelectField("What is it?", choices=choices(("tablet", "Tablet")))
    first = day_field("First day", missing="Choose the first day.")
    often = RadioField(
        "How often?",
        choices=choices(("every", "Every day"), ("some", "On some days")),
        default="every",
    )
    days = SelectMultipleField(
        "On which days?",
        choices=choices(("0", "Monday"), ("1", "Tuesday")),
    )
    agreed = BooleanField("I have read the leaflet")


def sample_forms() -> tuple[SampleForm, SampleForm]:
    """Return the form filled in well, and the same as it looks after a wrong press."""
    good = SampleForm(
        data={"name": "Paracetamol", "first": FIRST, "days": ["1"], "agreed": True}
    )
    wrong = SampleForm(data={"often": None})
    for field in wrong:
        field.id = f"wrong-{field.id}"
        field.errors = ["Please answer this."]
    return good, wrong
