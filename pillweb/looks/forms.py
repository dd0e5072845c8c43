"""What a press of a button says about the look, and a form that shows every field."""

from datetime import date

from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)

from pillweb.base.look import SIZES, THEMES
from pillweb.web.forms import Form, choices, day_field, text_field

FIRST = date(2026, 11, 20)


class LookForm(Form):
    """One of two questions; the other keeps its answer."""

    size = SelectField(
        "How large should the words be?", choices=choices(*SIZES.items())
    )
    theme = SelectField("Which colours?", choices=choices(*THEMES.items()))


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
