"""Form kit: fields that clean what was typed and speak plainly."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, StringField, ValidationError
from wtforms.fields.choices import (  # type: ignore[attr-defined]
    SelectChoice,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from pillweb.base.clean import clean_text

LONGEST_NAME = 200
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2099, 12, 31)


class Form(FlaskForm):
    """The base of every form; its CSRF token is checked for all requests at once."""

    class Meta(FlaskForm.Meta):
        """One token a page, checked before the view runs."""

        csrf = False

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data=data)  # type: ignore[no-untyped-call]


def choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    """Return (value, words) pairs as WTForms wants them."""
    return [SelectChoice(value, words) for value, words in pairs]


def said(field: StringField) -> str:
    """Return what was typed into a field, empty where nothing was."""
    return field.data or ""


def day_field(
    label: str,
    *,
    missing: str = "",
    first: date = FIRST_DAY,
    last: date = LAST_DAY,
) -> DateField:
    """Return a field for a day; `missing` is said when it must not be empty."""

    def _is_near(_form: Form, field: DateField) -> None:
        if field.data is not None and not first <= field.data <= last:
            raise ValidationError(f"Choose a day from {first.year} to {last.year}.")

    return DateField(  # type: ignore[call-arg]  # its types are older than it
        label,
        validators=[InputRequired(missing) if missing else Optional(), _is_near],
        invalid_value_message="There is no such day. Please check it.",
    )


def text_field(
    label: str,
    *,
    missing: str = "",
    longest: int = LONGEST_NAME,
    **more: Any,  # noqa: ANN401 - what WTForms takes
) -> StringField:
    """Return a field of one line; `missing` is said when it must not be empty."""
    rules: list[Any] = [
        Length(max=longest, message=f"Use at most {longest} characters.")
    ]
    if missing:
        rules.insert(0, DataRequired(missing))
    filters = [clean_text]
    return StringField(label, validators=rules, filters=filters, **more)
