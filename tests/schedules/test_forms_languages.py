"""What may be typed about a medicine by somebody who does not write English."""

from collections.abc import Iterator

import pytest
from babel.support import NullTranslations

from pillweb.base import i18n
from pillweb.base.i18n import Speech, speaking
from pillweb.schedules.forms.describe import form_words
from pillweb.schedules.forms.reading import (
    plain_number,
    range_example,
    read_amount,
    read_dose_text,
    read_range_text,
)

SPANISH = {"to": "a", "tablet": "comprimido", "tablets": "comprimidos"}


class Spanish(NullTranslations):
    """A catalogue of a few words."""

    def ugettext(self, message: str) -> str:
        """Return one word."""
        return SPANISH.get(message, message)

    def upgettext(self, context: str, message: str) -> str:
        """Return one word, whatever the context."""
        del context
        return self.ugettext(message)

    def ungettext(self, one: str, many: str, number: int) -> str:
        """Return one word by the number."""
        return self.ugettext(one if number == 1 else many)


@pytest.fixture
def spanish(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(i18n, "_catalogue", lambda _language: Spanish())
    with speaking(Speech("es")):
        yield


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("2 comprimidos", "2"),
        ("1 Comprimido", "1"),
        ("2 tablets", "2"),
        ("0,5", "0.5"),
        ("40 mg", "40 mg"),
    ],
)
def test_a_unit_is_known_by_its_name_in_both_languages(typed: str, kept: str) -> None:
    assert read_dose_text(typed, "tablet") == kept


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("typed", ["1 a 2", "1 to 2", "1 a 2 comprimidos", "1a2"])
def test_a_range_is_kept_as_it_always_is(typed: str) -> None:
    assert range_example() == "1 a 2"
    assert read_range_text(typed, "tablet") == "1 to 2 tablets"


@pytest.mark.usefixtures("spanish")
def test_what_is_kept_has_no_separators_of_a_language() -> None:
    assert plain_number(read_amount("1000,5")) == "1000.5"
    assert form_words("tablet") == "comprimido"
    assert form_words("") == ""


def test_in_english_only_the_word_alone_is_one_between_two_amounts() -> None:
    with pytest.raises(ValueError, match="number"):
        read_range_text("to 2", "tablet")
    assert read_range_text("2", "tablet") == "2"


@pytest.mark.parametrize(
    ("language", "typed", "kept"),
    [("zh", "40 毫克", "40 mg"), ("ar", "2.5 مل", "2.5 ml"), ("hi", "2 गोली", "2")],
)
def test_a_measure_is_kept_as_limits_count_it(
    language: str, typed: str, kept: str
) -> None:
    with speaking(Speech(language)):
        assert read_dose_text(typed, "tablet") == kept
