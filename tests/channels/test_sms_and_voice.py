import base64
from collections.abc import Iterator
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from pillweb.base.errors import InvalidError
from pillweb.base.i18n import LANGUAGES
from pillweb.channels import Answer, Message, SendError, gsm, sms, voice
from pillweb.channels.twilio import failure_of
from tests.conftest import use_settings
from tests.providers import Provider, Reply, error, fake_provider

LINK = "https://pills.example/t/" + "x" * 43
ANSWERS = (
    Answer("taken", "Taken", ""),
    Answer("later", "In 10 minutes", ""),
    Answer("skip", "Not taking it", ""),
)


@pytest.fixture(autouse=True)
def provider() -> Iterator[Provider]:
    with fake_provider() as started:
        use_settings(
            SMS_URL=f"http://AC1:a%2Fword@127.0.0.1:{started.port}",
            SMS_FROM="+441632960001",
            VOICE_FROM="+441632960002",
            PHONE_COUNTRY="GB",
        )
        yield started
        use_settings(SMS_URL="", SMS_FROM="", VOICE_FROM="", PHONE_COUNTRY="")


def message(**facts: object) -> Message:
    words = {
        "key": "dose_due:1:p1:1:0",
        "recipient": "+447700900123",
        "subject": "Reminder for 8am",
        "short": "It is time for your 8am medicines.",
        "text": "",
        "link": LINK,
        "delivery_id": 7,
        "lasts_s": 1800,
    }
    return Message(**{**words, **facts})  # type: ignore[arg-type]


def send(channel: ModuleType, one: Message) -> str:
    with channel.open_channel() as hand_over:
        return str(hand_over(one).reference)


def refusal_of(channel: ModuleType, one: Message) -> SendError:
    with pytest.raises(SendError) as caught:
        send(channel, one)
    return caught.value


def test_an_sms_says_how_to_reply_and_where_to_press(provider: Provider) -> None:
    reference = send(sms, message(answers=ANSWERS[:2]))
    (call,) = provider.accepted
    assert reference.startswith("SM")
    assert call.path == "/2010-04-01/Accounts/AC1/Messages.json"
    known = base64.b64decode(call.headers["authorization"].split()[1])
    assert known == b"AC1:a/word"
    assert call.form == {
        "To": "+447700900123",
        "From": "+441632960001",
        "Body": "It is time for your 8am medicines. "
        f"Reply with a number: 1 Taken, 2 In 10 minutes. {LINK}",
        "ValidityPeriod": "1800",
        "StatusCallback": "http://127.0.0.1:8000/hooks/status?delivery=7",
    }
    assert gsm.parts_of(call.form["Body"]) == 1


def test_a_pool_of_numbers_sends_too(provider: Provider) -> None:
    use_settings(SMS_FROM="MG123")
    send(sms, message())
    form = provider.accepted[0].form
    assert form["MessagingServiceSid"] == "MG123"
    assert "From" not in form


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", 0),
        ("It is 8am.", 10),
        ("Price: 5 €", 11),
        ("[a]{b}~|\\^", 18),
        ("ñ à Ü ß ¿", 9),
        ("line\nline", 9),
    ],
)
def test_letters_of_an_sms_are_counted(text: str, places: int) -> None:
    assert gsm.is_plain(text)
    assert gsm.septets(text) == places


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ó" * 70, 1),
        ("ó" * 71, 2),
        ("ó" * 134, 2),
        ("ó" * 135, 3),
        ("👵" * 35, 1),
        ("👵" * 36, 2),
    ],
)
def test_a_text_takes_so_many_sms(text: str, parts: int) -> None:
    assert gsm.parts_of(text) == parts


def test_typeset_words_are_made_plain_only_where_that_helps() -> None:
    quote, dash = "\N{RIGHT SINGLE QUOTATION MARK}", "\N{EN DASH}"
    typeset = f"Rosa{quote}s “8\u202fam” {dash} now…"
    assert gsm.plainer(typeset) == 'Rosa\'s "8 am" - now...'
    assert gsm.plainer(f"L{quote}heure {dash} środa") == f"L{quote}heure {dash} środa"


@pytest.mark.parametrize(
    "short", ["Time.", "a" * 60, "a" * 200, "ó" * 90, "وردة" * 300]
)
def test_the_link_stays_whole_however_long_the_words_are(short: str) -> None:
    text = sms.text_of(message(short=short, answers=ANSWERS))
    assert text.endswith(f" {LINK}")
    assert gsm.parts_of(text) <= 3
    if len(short) <= 60:
        assert gsm.parts_of(text) == 1
        assert "1 Taken" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_replies_are_told_in_every_language(language: str) -> None:
    assert "1 " in sms.text_of(message(language=language, answers=ANSWERS))


def test_a_call_says_it_twice_and_listens(provider: Provider) -> None:
    reference = send(voice, message(short="Pills & <water>.", answers=ANSWERS[:2]))
    assert reference.startswith("CA")
    (call,) = provider.accepted
    assert call.path.endswith("/Calls.json")
    assert call.form["From"] == "+441632960002"
    (gather,) = ET.fromstring(call.form["Twiml"])  # noqa: S314 - our own
    assert gather.attrib["action"] == "http://127.0.0.1:8000/hooks/voice?delivery=7"
    assert gather.attrib["numDigits"] == "1"
    said = [say.text for say in gather.findall("Say")]
    keys = "For “Taken”, press 1. For “In 10 minutes”, press 2."
    assert said == [f"PillWeb. Pills & <water>. {keys}"] * 2
    assert gather.find("Say").attrib["language"] == "en-GB"  # type: ignore[union-attr]


def test_a_call_without_answers_asks_for_a_key() -> None:
    assert voice.words_of(message()).endswith(" Press 1 to say that you heard this.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_speaks_the_language_or_english(
    provider: Provider, language: str
) -> None:
    send(voice, message(language=language))
    (call,) = provider.accepted
    (gather,) = ET.fromstring(call.form["Twiml"])  # noqa: S314 - our own
    say = gather.find("Say")
    assert say is not None
    has_voice = language in voice.VOICES
    assert say.attrib["language"] == voice.VOICES[language if has_voice else "en"]
    is_english = "Press 1 to say that you heard this." in (say.text or "")
    assert is_english == (language == "en" or not has_voice)


@pytest.mark.parametrize("channel", [sms, voice])
@pytest.mark.parametrize(
    ("code", "permanent", "is_ours"),
    [
        (21610, True, False),
        (21211, True, False),
        (30005, True, False),
        (30006, True, False),
        (30003, False, False),
        (20429, False, False),
        (30007, False, True),
        (20003, False, True),
        (99999, False, False),
    ],
)
def test_errors_are_told_apart(
    provider: Provider,
    channel: ModuleType,
    code: int,
    *,
    permanent: bool,
    is_ours: bool,
) -> None:
    provider.behave(error(400, code, retry_after=30))
    found = refusal_of(channel, message())
    assert found.code == f"{channel.NAME}_{code}"
    assert (found.permanent, found.is_ours) == (permanent, is_ours)
    assert found.retry_after_s == 30
    told = failure_of(channel.NAME, code)
    assert (told.permanent, told.is_ours) == (permanent, is_ours)


@pytest.mark.parametrize(
    ("status", "is_ours"), [(401, True), (404, False), (500, False)]
)
def test_a_status_without_a_code_is_never_the_numbers_fault(
    provider: Provider, status: int, *, is_ours: bool
) -> None:
    provider.behave(Reply(status, b"<html>"))
    found = refusal_of(sms, message())
    assert (found.permanent, found.is_ours) == (False, is_ours)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("07400 123456", "+447400123456"),
        (" +44 (0)7400-123456 ", "+447400123456"),
        ("+1 201 555 0123", "+12015550123"),
        ("٠٧٤٠٠١٢٣٤٥٦", "+447400123456"),
        ("+34 612 34 56 78", "+34612345678"),
    ],
)
@pytest.mark.parametrize("channel", [sms, voice])
def test_numbers_are_kept_in_one_spelling(
    channel: ModuleType, typed: str, kept: str
) -> None:
    assert channel.read_address(typed) == kept
    assert channel.read_address(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", "7", "07400 12345", "rosa@family.example", "+44", "☎", "+999 1234567"),
        *("+447400123456 ext 7", "+447400123456\r\nTo: +1", "tel:" + "1" * 500),
    ],
)
@pytest.mark.parametrize("channel", [sms, voice])
def test_what_is_no_number_is_told_how_to_write_it(
    channel: ModuleType, typed: str
) -> None:
    with pytest.raises(InvalidError, match=r"such as \+44 7400 123456\.$"):
        channel.read_address(typed)


def test_without_a_country_a_number_needs_its_code() -> None:
    use_settings(PHONE_COUNTRY="")
    with pytest.raises(InvalidError):
        sms.read_address("07400 123456")
    assert sms.read_address("+447400123456") == "+447400123456"


def test_a_country_without_numbers_has_an_example_all_the_same() -> None:
    use_settings(PHONE_COUNTRY="XX")
    with pytest.raises(InvalidError, match=r"such as \+44 7400 123456\.$"):
        sms.read_address("07400 123456")


def test_a_home_phone_is_called_but_not_written_to() -> None:
    assert voice.read_address("0121 234 5678") == "+441212345678"
    with pytest.raises(InvalidError, match="mobile phone"):
        sms.read_address("0121 234 5678")


@pytest.mark.parametrize("channel", [sms, voice])
def test_nobody_earns_by_being_called(channel: ModuleType) -> None:
    with pytest.raises(InvalidError, match="phone"):
        channel.read_address("0909 879 0000")


def test_without_a_provider_there_are_none() -> None:
    assert sms.is_ready()
    assert voice.is_ready()
    use_settings(SMS_URL="")
    assert not sms.is_ready()
    assert not voice.is_ready()
