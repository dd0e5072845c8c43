"""Form kit: fields that clean what was typed and speak plainly."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from babel.support import LazyProxy
from flask import request
from flask_wtf import FlaskForm
from wtforms import DateField, StringField, ValidationError
from wtforms.fields.choices import (  # type: ignore[attr-defined]
    SelectChoice,
)
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from pillweb.base.clean import clean_text
from pillweb.base.i18n import gettext, gettext_noop
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.tokens import new_token
from pillweb.base.words import digits, number_words

LONGEST_NAME = 200
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2099, 12, 31)
# What WTForms says by itself; no page leads to any of its other sentences.
BUILT_IN = {
    gettext_noop("Not a valid choice."),
    gettext_noop("Not a valid date value."),
}


class _BuiltIn:
    """What WTForms says by itself, in the language of whom it is for."""

    def gettext(self, message: str) -> str:
        """Return a sentence in that language; a name of a field stays as it is."""
        return gettext(message) if message in BUILT_IN else message

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Return the English: no page leads to these."""
        return one if number == 1 else many


class Form(FlaskForm):
    """The base of every form; its CSRF token is checked for all requests at once."""

    class Meta(FlaskForm.Meta):
        """One token a page, checked before the view runs."""

        csrf = False

        def wrap_formdata(self, form: BaseForm, formdata: object) -> Any:  # noqa: ANN401 - theirs
            """Return what was typed; JSON is no form, whatever kinds it holds."""
            if request.is_json:
                return None
            return super().wrap_formdata(form, formdata)  # type: ignore[no-untyped-call]

        def get_translations(self, form: BaseForm) -> _BuiltIn:
            """Return who translates the sentences of WTForms."""
            del form
            return _BuiltIn()

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data=data)  # type: ignore[no-untyped-call]


def choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    """Return (value, words) pairs as WTForms wants them."""
    return [SelectChoice(value, words) for value, words in pairs]


def said(field: StringField) -> str:
    """Return what was typed into a field, empty where nothing was."""
    return field.data or ""


def form_key(longest: int) -> str:
    """Return what tells two presses of the form that was sent from two forms.

    A new one where none came along. What no page of ours wrote there is cleaned like
    any other text: a database need not take it.
    """
    sent: str = clean_text(request.form.get("key", ""))
    return sent[:longest] or new_token()


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
            raise ValidationError(
                gettext(
                    "Choose a day from %(first)s to %(last)s.",
                    first=digits(str(first.year)),
                    last=digits(str(last.year)),
                )
            )

    return DateField(  # type: ignore[call-arg]  # its types are older than it
        label,
        validators=[InputRequired(missing) if missing else Optional(), _is_near],
        invalid_value_message=_("There is no such day. Please check it."),
    )


def at_most(longest: int) -> Length:
    """Return what refuses a text of more characters."""
    words = LazyProxy(_too_long, longest, enable_cache=False)
    return Length(max=longest, message=words)  # type: ignore[arg-type]  # acts as one


def _too_long(longest: int) -> str:
    return gettext("Use at most %(number)s characters.", number=number_words(longest))


def text_field(
    label: str,
    *,
    missing: str = "",
    longest: int = LONGEST_NAME,
    **more: Any,  # noqa: ANN401 - what WTForms takes
) -> StringField:
    """Return a field of one line; `missing` is said when it must not be empty."""
    rules: list[Any] = [at_most(longest)]
    if missing:
        rules.insert(0, DataRequired(missing))
    filters = [clean_text]
    return StringField(label, validators=rules, filters=filters, **more)
