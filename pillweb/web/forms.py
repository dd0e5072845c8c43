"""Form kit: fields that clean what was typed and speak plainly."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.fields.choices import (  # type: ignore[attr-defined]
    SelectChoice,
)
from wtforms.validators import InputRequired, Length

LONGEST_NAME = 200


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
    """Return text without control characters and outer spaces, in Unicode NFC.

    Marks that only steer direction inside a word are kept: Arabic and Hebrew,
    and emoji joined of several, need them.
    """
    if not isinstance(value, str):
        return value
    kept = "".join(
        char
        for char in value.replace("\r\n", "\n")
        if char == "\n" or unicodedata.category(char) != "Cc"
    )
    return unicodedata.normalize("NFC", kept).strip()


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
        rules.insert(0, InputRequired(missing))
    filters = [clean_text]
    return StringField(label, validators=rules, filters=filters, **more)
