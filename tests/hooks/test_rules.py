"""Signatures as Twilio makes them, and what replies mean."""

import pytest

from pillweb.base.i18n import LANGUAGES, Speech, speaking
from pillweb.base.i18n import gettext as _
from pillweb.channels.twilio import ask_script, reply_script
from pillweb.hooks.rules import (
    WORDS,
    is_signed,
    read_reply,
    signature_of,
)

# The example of twilio.com/docs/usage/security.
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]
SECRET, SIGNATURE = "12345", "GvWf1cFY/Q7PnoempGyD5oXAezc="


def test_a_form_is_signed_as_the_provider_documents_it() -> None:
    assert signature_of(URL, reversed(FORM), SECRET) == SIGNATURE
    assert is_signed(URL, FORM, secret=SECRET, signature=SIGNATURE)


@pytest.mark.parametrize(
    ("url", "form", "secret", "signature"),
    [
        (URL + "&x=1", FORM, SECRET, SIGNATURE),
        (URL, [*FORM, ("x", "1")], SECRET, SIGNATURE),
        (URL, FORM[1:], SECRET, SIGNATURE),
        (URL, FORM, "54321", SIGNATURE),
        (URL, FORM, SECRET, ""),
        (URL, FORM, SECRET, "ü"),
        (URL, FORM, "", signature_of(URL, FORM, "")),
    ],
)
def test_what_was_changed_or_is_of_somebody_else_is_not_signed(
    url: str, form: list[tuple[str, str]], secret: str, signature: str
) -> None:
    assert not is_signed(url, form, secret=secret, signature=signature)


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("1", "taken"),
        (" 1. ", "taken"),
        ("Taken!", "taken"),
        ("YES", "taken"),
        ("2", "later"),
        ("Later", "later"),
        ("3", "skip"),
        ("no", "skip"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "taken"),
        ("२", "later"),
        ("STOP", "stop"),
        ("start", "start"),
        ("", ""),
        ("4", ""),
        ("12", ""),
        ("not yet", ""),
        ("yes and no", ""),
        ("x" * 100_000, ""),
        ("\x00", ""),
    ],
)
def test_replies_mean_what_people_write(text: str, verb: str) -> None:
    assert read_reply(text) == verb
    with speaking(Speech("ar")):
        assert read_reply(text) == verb


def test_words_for_a_machine_are_escaped() -> None:
    assert "<Message>R&amp;D &lt;x&gt;</Message>" in reply_script("R&D <x>")
    asked = ask_script("1 < 2", voice='e"n', delivery_id=7)
    assert "1 &lt; 2" in asked
    assert "/hooks/voice?delivery=7" in asked
    assert reply_script("") == "<Response></Response>"


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_word_of_every_language_is_understood(language: str) -> None:
    with speaking(Speech(language)):
        for verb, words in WORDS.items():
            for word in _(words).split():
                assert read_reply(f" {word}! ") == verb, word
