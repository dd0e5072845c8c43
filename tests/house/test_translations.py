"""Every sentence is said in every language, with all its values and all its forms."""

import json
import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog, Message

from pillweb.base.i18n import LANGUAGES, TRANSLATIONS, Speech, safety, speaking
from tools.words import forms, kept_words, said_words

OTHERS = [language for language in LANGUAGES if language != "en"]
VALUE = re.compile(r"%\(\w+\)[sd]|%%|</?\w+[^>]*>")
# Words that stay as they are in many languages.
SAME = re.compile(r"(?:%\(\w+\)s|[\W\d_]|PillWeb|PDF|mg|ml|mcg|g|E|FHIR|JSON|QR)*")


@pytest.fixture(scope="session")
def said() -> Catalog:
    return said_words()


def keys(catalog: Catalog) -> set[tuple[object, object]]:
    return {(message.context, message.id) for message in catalog if message.id}


def english(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_said_and_none_that_nobody_says(
    language: str, said: Catalog
) -> None:
    kept = kept_words(language)
    assert keys(said) - keys(kept) == set(), "run `make words` and translate"
    assert keys(kept) - keys(said) == set(), "run `make words`"
    missing = [m.id for m in kept if m.id and not all(forms(m))]
    assert missing == []
    assert [m.id for m in kept if m.id and m.fuzzy] == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_value_is_lost_or_made_up_in_translation(language: str) -> None:
    wrong = []
    for message in kept_words(language):
        if not message.id:
            continue
        wanted = Counter(VALUE.findall(english(message)[-1]))
        for form in forms(message):
            found = Counter(VALUE.findall(form))
            # "One pill" needs no number; a form for one may leave it out.
            spared = set() if isinstance(message.id, str) else {"%(num)s"}
            if {v for v in wanted - found if v not in spared} or found - wanted:
                wrong.append((message.id, form))
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_plural_has_as_many_forms_as_the_language(language: str) -> None:
    kept = kept_words(language)
    wrong = [
        m.id
        for m in kept
        if m.id and not isinstance(m.id, str) and len(forms(m)) != kept.num_plurals
    ]
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_left_in_english(language: str) -> None:
    """Some short words are the same; a sentence of several words never is."""
    same = [
        message.id
        for message in kept_words(language)
        if message.id
        and forms(message)[0] == english(message)[0]
        and len(re.findall(r"[^\W\d_]{2,}", SAME.sub("", english(message)[0]))) > 2
    ]
    assert same == []


def test_what_a_speaker_signed_is_what_is_said() -> None:
    """A signature holds for the very words; changed, they need another."""
    signed = json.loads((TRANSLATIONS / "reviewed.json").read_text())
    assert set(signed) <= set(OTHERS)
    for language, sentences in signed.items():
        told = {m.id: m.string for m in kept_words(language)}
        assert sentences.items() <= told.items()


SAFE = "Do not change a medicine without asking."


@pytest.mark.parametrize("language", OTHERS)
def test_an_unchecked_sentence_on_safety_has_the_english_beside_it(
    language: str,
) -> None:
    with speaking(Speech(language)):
        told = safety(SAFE)
        assert SAFE in told
        assert told != SAFE
        assert f'<span lang="en" dir="ltr">{SAFE}</span>' in told.__html__()  # type: ignore[attr-defined]


def test_in_english_a_sentence_on_safety_stands_alone() -> None:
    assert safety(SAFE) == SAFE
    assert not hasattr(safety(SAFE), "__html__")
