"""Form kit: fields that clean what was typed and speak plainly."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, StringField, ValidationError
from wtforms.fields.choices import (  # type: ignore[attr-defined]
    SelectChoice,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

LONGEST_NAME = 200
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2099, 12, 31)
# Embeddings, overrides and isolates turn "50 mg" round; the rest is not to be seen.
UNSEEN = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00ad\u200b\u2060\ufeff"
)


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


def clean_text(value: Any) -> Any:  # noqa: ANN401
    """Return text as one line in Unicode NFC, empty where nothing of it can be seen.

    Tabs and line ends become spaces, so that words never run together; control
    characters, overrides of direction and invisible spaces go. Marks that join or
    steer inside a word are kept: Arabic, Hebrew and emoji of several need them.
    """
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    kept = "".join(
        char
        for char in line
        if char not in UNSEEN and unicodedata.category(char) not in {"Cc", "Cs"}
    )
    if not any(unicodedata.category(char)[0] not in "CZ" for char in kept):
        return ""
    return unicodedata.normalize("NFC", kept).strip()


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
