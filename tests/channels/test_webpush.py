import base64
import json
import socket
from collections.abc import Iterator

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from pillweb.base.errors import InvalidError
from pillweb.channels import Answer, Message, SendError, webpush
from pillweb.channels.marks import is_mark
from pillweb.channels.push_crypto import encrypt, from_base64, point_of
from tests.conftest import use_settings
from tests.providers import Browser, Provider, Reply, error, fake_provider, redirect_to

KEY = base64.urlsafe_b64encode(bytes(range(7, 39))).decode()
# RFC 8291, 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
OWN = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
PUBLIC = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRp"
    "kNtoIAiw4"
)
SECRET, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
SENT = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3v"
    "CYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXP"
    "XLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with fake_provider() as started:
        use_settings(VAPID_KEY=KEY, PUSH_HOSTS=f"127.0.0.1:{started.port}")
        yield started
        use_settings(VAPID_KEY="", PUSH_HOSTS="")


def message(browser: Browser | str, **facts: object) -> Message:
    address = browser if isinstance(browser, str) else browser.subscription
    words = {
        "key": "dose_due:1:p1:1:0",
        "recipient": webpush.read_address(address),
        "subject": "Reminder for 8am",
        "short": "It is time for your 8am medicines.",
        "text": "",
        "topic": "dose_due:1",
        "delivery_id": 7,
        "lasts_s": 1800,
    }
    return Message(**{**words, **facts})  # type: ignore[arg-type]


def send(one: Message) -> str:
    with webpush.open_channel() as hand_over:
        return hand_over(one).reference


def refusal_of(one: Message) -> SendError:
    with pytest.raises(SendError) as caught:
        send(one)
    return caught.value


def test_the_example_of_the_rfc_byte_for_byte() -> None:
    own = ec.derive_private_key(int.from_bytes(from_base64(OWN)), ec.SECP256R1())
    public, secret, salt = map(from_base64, (PUBLIC, SECRET, SALT))
    made = encrypt(PLAIN, public=public, secret=secret, own=own, salt=salt)
    assert made == from_base64(SENT)


def test_the_browser_reads_it_and_nobody_else(provider: Provider) -> None:
    rosa, eve = Browser(provider, "rosa"), Browser(provider, "eve")
    answers = (Answer("taken", "Taken", "https://pills.example/t/x/direct/taken"),)
    send(message(rosa, answers=answers, link="https://pills.example/t/x"))
    (call,) = provider.accepted
    read = rosa.read(call)
    assert is_mark(read.pop("receipt"), webpush.receipt_fact(7))
    assert read == {
        "title": "Reminder for 8am",
        "body": "It is time for your 8am medicines.",
        "link": "https://pills.example/t/x",
        "tag": call.headers["topic"],
        "id": 7,
        "answers": [{"verb": "taken", "label": "Taken", "url": answers[0].url}],
        "silent": False,
    }
    with pytest.raises(InvalidTag):
        eve.read(call)


def test_it_says_how_long_it_lasts_and_how_urgent_it_is(provider: Provider) -> None:
    rosa = Browser(provider)
    send(message(rosa))
    send(message(rosa, is_silent=True, lasts_s=0))
    loud, silent = (call.headers for call in provider.accepted)
    assert (loud["ttl"], loud["urgency"]) == ("1800", "high")
    assert (silent["ttl"], silent["urgency"]) == ("0", "normal")
    assert loud["content-encoding"] == "aes128gcm"


def test_a_newer_message_replaces_the_older_of_its_topic(provider: Provider) -> None:
    rosa = Browser(provider)
    for topic in ("dose_due:1", "dose_due:1", "dose_due:2 وردة " * 20):
        send(message(rosa, topic=topic))
    one, again, other = (call.headers["topic"] for call in provider.accepted)
    assert one == again != other
    assert len(other) == 32
    assert other.replace("-", "").replace("_", "").isalnum()


def test_the_service_can_check_who_sends(provider: Provider) -> None:
    send(message(Browser(provider)))
    (call,) = provider.accepted
    scheme, _, facts = call.headers["authorization"].partition(" ")
    token, key = (fact.partition("=")[2] for fact in facts.split(", "))
    signed, _, signature = token.rpartition(".")
    made = from_base64(signature)
    numbers = (int.from_bytes(made[:32]), int.from_bytes(made[32:]))
    assert (scheme, key) == ("vapid", webpush.public_key())
    point_of(from_base64(key)).verify(
        encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(SHA256())
    )
    claims = json.loads(from_base64(signed.partition(".")[2]))
    assert claims["aud"] == provider.url
    assert 0 < claims["exp"] - call.at < 24 * 3600
    assert claims["sub"].startswith(("mailto:", "https:"))


def test_long_words_are_cut_until_they_fit(provider: Provider) -> None:
    rosa = Browser(provider)
    send(message(rosa, subject="وردة" * 2000, short="薬を飲む時間です" * 900))
    (call,) = provider.accepted
    assert rosa.read(call)["title"].startswith("وردة")
    assert len(call.body) < 4096


@pytest.mark.parametrize(
    ("status", "permanent", "is_ours"),
    [
        (404, True, False),
        (410, True, False),
        (400, False, False),
        (401, False, True),
        (403, False, True),
        (413, False, True),
        (429, False, False),
        (500, False, False),
        (503, False, False),
        (200, False, False),
        (307, False, False),
    ],
)
def test_only_a_browser_that_is_gone_ends_it_for_good(
    provider: Provider, status: int, *, permanent: bool, is_ours: bool
) -> None:
    provider.behave(error(status, retry_after=120))
    found = refusal_of(message(Browser(provider)))
    assert (found.code, found.permanent) == (f"push_{status}", permanent)
    assert (found.is_ours, found.retry_after_s) == (is_ours, 120)


@pytest.mark.parametrize("asked", ["-5", "soon", "Fri, 20 Nov 2026 08:00:00 GMT", ""])
def test_a_wait_that_is_none_is_not_obeyed(provider: Provider, asked: str) -> None:
    provider.behave(Reply(429, headers=(("Retry-After", asked),)))
    assert refusal_of(message(Browser(provider))).retry_after_s is None


def test_a_redirect_is_not_followed(provider: Provider) -> None:
    provider.script(redirect_to(f"{provider.url}/push/elsewhere"))
    assert refusal_of(message(Browser(provider))).code == "push_307"
    assert len(provider.calls) == 1


def subscription(endpoint: object, **keys: object) -> str:
    known = {"p256dh": PUBLIC, "auth": SECRET}
    return json.dumps({"endpoint": endpoint, "keys": {**known, **keys}})


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://db5p.notify.windows.com/w/?token=abc",
        "https://fcm.googleapis.com:443/fcm/send/abc",
    ],
)
def test_the_push_services_of_browsers_are_known(endpoint: str) -> None:
    kept = webpush.read_address(subscription(endpoint))
    assert json.loads(kept)["endpoint"] == endpoint
    assert webpush.read_address(kept) == kept


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/abc",
        "https://fcm.googleapis.com.evil.example/abc",
        "https://evilfcm.googleapis.com/abc",
        "https://push.apple.com/abc",
        "https://evilpush.apple.com/abc",
        "https://fcm.googleapis.com@127.0.0.1/abc",
        "https://evil@fcm.googleapis.com/abc",
        "https://127.0.0.1#.push.apple.com/abc",
        "https://127.0.0.1\\.push.apple.com/abc",
        "https://fcm.googleapis.com:8443/abc",
        "https://fcm.googleapis.com:x/abc",
        "https://[::1]/abc",
        "https://127.0.0.1:1/abc",
        "http://127.0.0.1:1/abc",
        "file:///etc/passwd",
        "https://fcm.googleapis.com/a\r\nHost: evil.example",
        "https://fcm.googleapis.com/وردة",
        "https://fcm.googleapis.com/" + "a" * 3000,
        "",
        7,
        None,
    ],
)
def test_any_other_address_is_refused_in_plain_words(endpoint: object) -> None:
    with pytest.raises(InvalidError, match=r"^This browser cannot get our messages\."):
        webpush.read_address(subscription(endpoint))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "rosa@family.example",
        "[]",
        "[" * 100_000,
        "null",
        '{"endpoint": "https://fcm.googleapis.com/a"}',
        '{"endpoint": "https://fcm.googleapis.com/a", "keys": 7}',
        subscription("https://fcm.googleapis.com/a", auth="AAAA"),
        subscription("https://fcm.googleapis.com/a", auth=SECRET[:-1] + "!"),
        subscription("https://fcm.googleapis.com/a", p256dh="B" + "A" * 86),
        subscription("https://fcm.googleapis.com/a", p256dh="é"),
    ],
)
def test_what_is_no_subscription_is_refused(typed: str) -> None:
    with pytest.raises(InvalidError):
        webpush.read_address(typed)


def test_a_private_address_behind_a_known_name_is_not_reached(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_settings(PUSH_HOSTS="")
    where = [(2, 1, 6, "", ("127.0.0.1", provider.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: where)
    kept = subscription("https://fcm.googleapis.com/abc")
    found = refusal_of(message(kept))
    assert (found.code, found.permanent) == ("private_address", False)
    assert provider.calls == []


def test_without_a_key_there_is_no_push(provider: Provider) -> None:
    assert webpush.is_ready()
    use_settings(VAPID_KEY="")
    assert not webpush.is_ready()
