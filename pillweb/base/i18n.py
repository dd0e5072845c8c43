"""In whose language we speak: gettext catalogues, and who is spoken to now.

Every sentence is written in English where it is said, wrapped in `gettext` (or
`ngettext`, `pgettext`, `lazy_gettext`); `translations/*.po` say it in the other
languages. Values go in by name, `%(name)s`: another language has another order.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from babel import Locale
from babel.core import get_global
from babel.localedata import LocaleDataDict, load
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, NullTranslations, Translations
from jinja2 import Environment
from markupsafe import Markup

TRANSLATIONS = Path(__file__).parents[1] / "translations"
# Each in its own words: whoever looks for theirs may read no other.
LANGUAGES = {
    "en": "English",
    "es": "Español",
    "zh": "中文",
    "hi": "हिन्दी",
    "ar": "العربية",
    "pl": "Polski",
    "fr": "Français",
    "km": "ខ្មែរ",
}
HOURS = ("12", "24")
DIGITS = ("latn", "arab")
_LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN"}
# A number of each kind of plural is among these; fractions borrow its form.
_WHOLE = range(201)


@dataclass(frozen=True, slots=True)
class Speech:
    """How one person is spoken to; empty hours and digits are those of the language."""

    language: str = "en"
    hours: str = ""
    digits: str = ""

    @property
    def locale(self) -> Locale:
        """What CLDR knows of the language."""
        return _locale(self.language)

    @property
    def direction(self) -> str:
        """Say where lines begin: "ltr" or "rtl", as HTML's `dir` has it."""
        return self.locale.text_direction

    @property
    def first_weekday(self) -> int:
        """Say on which day weeks begin where it is spoken most; Monday is 0."""
        name = str(self.locale)
        return _locale(get_global("likely_subtags").get(name, name)).first_week_day


_speech: ContextVar[Speech] = ContextVar("speech", default=Speech())  # noqa: B039 - frozen


class _OwnLocale(Locale):
    """A locale that shares no data: Babel's leak month names into one another."""

    @cached_property
    def _data(self) -> LocaleDataDict:
        return LocaleDataDict(deepcopy(load(str(self))))  # type: ignore[arg-type]


@cache
def _locale(language: str) -> Locale:
    return _OwnLocale.parse(_LOCALES.get(language, language))


@cache
def _catalogue(language: str) -> NullTranslations:
    path = TRANSLATIONS / f"{language}.po"
    if language == "en" or not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as written:
        write_mo(compiled, read_po(written, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def _reviewed() -> Mapping[str, Mapping[str, str]]:
    """Return the safety sentences a speaker has signed: language, English, words."""
    found: Mapping[str, Mapping[str, str]]
    found = json.loads((TRANSLATIONS / "reviewed.json").read_text())
    return found


def speech() -> Speech:
    """Return how the person is spoken to whom this is for."""
    return _speech.get()


def speak(how: Speech) -> None:
    """Speak so from now on, until somebody else is spoken to."""
    _speech.set(how)


@contextmanager
def speaking(how: Speech) -> Iterator[None]:
    """Speak so inside the block: a mail, a report, a printed sheet."""
    before = _speech.set(how)
    try:
        yield
    finally:
        _speech.reset(before)


def _raw(message: str) -> str:
    return str(_catalogue(speech().language).ugettext(message))


def _raw_plural(one: str, many: str, number: Decimal | int) -> str:
    found = _catalogue(speech().language)
    return str(found.ungettext(one, many, _whole(speech().language, number)))


def _raw_in(context: str, message: str) -> str:
    return str(_catalogue(speech().language).upgettext(context, message))


def _raw_plural_in(context: str, one: str, many: str, number: Decimal | int) -> str:
    found = _catalogue(speech().language)
    whole = _whole(speech().language, number)
    return str(found.unpgettext(context, one, many, whole))


@lru_cache(maxsize=1024)
def _whole(language: str, number: Decimal | int) -> int:
    """Return the number, or for a fraction a whole one that takes the same plural.

    Catalogues know forms of whole numbers only; where a fraction has one of its own
    (Polish), nouns take the form of 2 to 4.
    """
    if number == int(number):
        return int(number)
    rule = _locale(language).plural_form
    return next((n for n in _WHOLE if n != 0 and rule(n) == rule(number)), 2)


def gettext(message: str, /, **values: object) -> str:
    """Return the sentence in the language of whom it is for, with these values."""
    return _raw(message) % values


def ngettext(one: str, many: str, number: Decimal | int, /, **values: object) -> str:
    """Return the sentence whose plural fits the number; `%(num)s` is the number."""
    return _raw_plural(one, many, number) % ({"num": number} | values)


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return the sentence as one says it in this context, where English is unclear."""
    return _raw_in(context, message) % values


def gettext_noop(message: str) -> str:
    """Return the words as they are; they are translated where they are said."""
    return message


def pgettext_noop(_context: str, message: str) -> str:
    """Return the words as they are; they are translated in their context later."""
    return message


def lazy_gettext(message: str, /, **values: object) -> Any:  # noqa: ANN401 - acts as a str
    """Return the sentence as a text that is translated each time it is read.

    For what is made once and said often: the labels and errors of forms.
    """
    return LazyProxy(gettext, message, enable_cache=False, **values)


class SafetyWords(str):
    """A sentence on safety no speaker has checked yet, with the English beside it."""

    __slots__ = ("english", "own")

    own: str
    english: str

    def __new__(cls, own: str, english: str) -> Self:
        """Put both together, as a plain text has them."""
        made = super().__new__(cls, f"{own} [{_unchecked()} {english}]")
        made.own, made.english = own, english
        return made

    def __html__(self) -> str:
        """Return both as a page has them, each marked with its language."""
        return Markup(
            '<span class="own">{}</span> <span class="beside">{} '
            '<span lang="en" dir="ltr">{}</span></span>'
        ).format(self.own, _unchecked(), self.english)


def _unchecked() -> str:
    return gettext("Not yet checked by a speaker. In English:")


def safety(message: str, /, **values: object) -> str:
    """Return a sentence on which somebody's safety hangs.

    Until a speaker of the language has signed its words in `reviewed.json`, the
    English stands beside them (domain 7).
    """
    own, english = _raw(message), message
    signed = _reviewed().get(speech().language, {}).get(message)
    if speech().language == "en" or own == signed:
        return own % values
    return SafetyWords(own % values, english % values)


def teach(environment: Environment) -> None:
    """Let templates say `_()`, `ngettext()`, `pgettext()`, `safety()` and `trans`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        _raw, _raw_plural, newstyle=True, pgettext=_raw_in, npgettext=_raw_plural_in
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals.update(gettext_noop=gettext_noop, safety=safety, speech=speech)
