"""Signatures as Twilio makes them, and what replies mean."""

from datetime import UTC, datetime, timedelta

import pytest

from pillweb.base.i18n import LANGUAGES, Speech, speaking
from pillweb.base.i18n import gettext as _
from pillweb.channels.twilio import ask_script, reply_script
from pillweb.hooks.rules import (
    WORDS,
    is_believed,
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
        ("no", ""),
        ("\N{ARABIC-INDIC DIGIT ONE}", "taken"),
        ("२", "later"),
        ("STOP", "stop"),
        ("start", "start"),
        ("", ""),
        ("4", ""),
        ("12", ""),
        ("1 thanks", "taken"),
        ("1thanks", "taken"),
        ("taken thank you!", "taken"),
        ("Yes taken", "taken"),
        ("1 taken", "taken"),
        ("1 \N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-3}", "taken"),
        ("1 \N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}", "taken"),
        ("no thank you", ""),
        ("later, thanks", "later"),
        ("1 \N{THUMBS DOWN SIGN}", ""),
        ("taken \N{CROSS MARK}", ""),
        ("not yet", ""),
        ("not taken", ""),
        ("taken not", ""),
        ("don't take it", ""),
        ("yes and no", ""),
        ("yes I will take it", ""),
        ("yes later", ""),
        ("taken half", ""),
        ("taken 2", ""),
        ("taken 1", ""),
        ("1 2", ""),
        ("2 taken", ""),
        ("1/2", ""),
        ("1.5", ""),
        ("1 hour", ""),
        ("1?", ""),
        ("taken?", ""),
        ("\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC QUESTION MARK}", ""),
        ("1" + " " * 50 + "not", ""),
        ("stop it", "stop"),
        ("thanks", ""),
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


def test_no_may_be_not_yet_and_so_is_asked_again() -> None:
    for language, word in {"en": "no", "pl": "nie", "es": "no", "fr": "non"}.items():
        with speaking(Speech(language)):
            assert read_reply(word) == ""


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked_s_ago", "believed"),
    [(None, False), (0, False), (9, False), (10, True), (900, True), (901, False)],
)
def test_once_more_is_believed_when_a_person_may_have_read_the_question(
    asked_s_ago: int | None, *, believed: bool
) -> None:
    asked = None if asked_s_ago is None else NOON - timedelta(seconds=asked_s_ago)
    assert is_believed(asked, now=NOON) is believed


# "Not taken", "taken, no", "I do not take it", as people write it.
DENIALS = {
    "en": ["not taken", "taken no", "no taken", "no i took it", "never taken"],
    "es": ["no tomado", "no, tomado", "tomado no", "sí no", "no he tomado", "aún no"],
    "fr": ["pas pris", "non pris", "pris non", "pris pas", "oui non", "pas fait"],
    "pl": ["nie wzięte", "nie przyjęte", "wzięte nie", "tak nie", "jeszcze nie", "no"],
    "ar": ["لا تناولت", "لم أتناول", "تناولت لا", "ما أخذته", "أخذته لا", "لم أخذته"],
    "hi": ["नहीं ली", "ली नहीं", "nahin li", "haan nahi", "नही लीं", "ली नही"],
    "zh": [
        "没吃",
        "不 吃了",
        "吃了不",
        "没 吃了",
        "没有服用",
        "未服用",
        "吃了 没有",
        "还没吃了",
    ],
    "km": ["មិនលេបហើយ", "មិន លេបហើយ", "លេបហើយ ទេ", "ទេ លេបហើយ", "មិនទាន់ លេបរួច"],
}
THANKFUL = {
    "en": "taken thanks",
    "es": "tomado, muchas gracias",
    "fr": "oui merci",
    "pl": "wzięte, dziękuję",
    "ar": "نعم شكرا",
    "hi": "ली धन्यवाद",
    "zh": "吃了 谢谢",
    "km": "លេបហើយ អរគុណ",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_not_taken_is_never_taken(language: str) -> None:
    with speaking(Speech(language)):
        for said in DENIALS[language]:
            assert read_reply(said) != "taken", said
        assert read_reply(THANKFUL[language]) == "taken"


NOT = "not no never non pas nie nein kein لا لم ما لن नहीं नही मत"
NOT += " न 不 没 没有 未 别 មិន ទេ អត់"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_beside_any_word_that_denies_is_not_taken(language: str) -> None:
    with speaking(Speech(language)):
        answers = ["1", *WORDS["taken"].split(), *_(WORDS["taken"]).split()]
        for answer in answers:
            for no in NOT.split():
                for said in (f"{answer} {no}", f"{no} {answer}", f"{no}{answer}"):
                    assert read_reply(said) != "taken", said
                assert read_reply(f"{answer}{no}") != "taken", f"{answer}{no}"
