import logging
from collections.abc import Iterator

import pytest

from pillweb.base.errors import InvalidError
from pillweb.channels import Message, SendError, services
from tests.conftest import use_settings
from tests.providers import Provider, Reply, error, fake_provider

ADDRESS = "tgram://123456789:abcdefg_hijklmnop/12315544"


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with fake_provider() as started:
        use_settings(APPRISE_SCHEMES="tgram")
        telegram = services._plugin("tgram")  # noqa: SLF001 - led to the fake one
        monkeypatch.setattr(telegram, "notify_url", f"{started.url}/bot")
        yield started
        use_settings(APPRISE_SCHEMES="tgram")


def message(**facts: object) -> Message:
    words = {
        "key": "dose_due:1:p1:1:0",
        "recipient": ADDRESS,
        "subject": "Reminder for 8am",
        "short": "It is time for your 8am medicines.",
        "text": "",
        "link": "https://pills.example/t/abc",
    }
    return Message(**{**words, **facts})  # type: ignore[arg-type]


def send(one: Message) -> str:
    with services.open_channel() as hand_over:
        return hand_over(one).reference


def refusal_of(one: Message) -> SendError:
    with pytest.raises(SendError) as caught:
        send(one)
    return caught.value


def test_telegram_gets_words_and_link(provider: Provider) -> None:
    assert send(message())
    (call,) = provider.accepted
    assert call.path == "/bot123456789:abcdefg_hijklmnop/sendMessage"
    assert call.json["chat_id"] == 12315544
    assert "It is time for your 8am medicines." in call.json["text"]
    assert "https://pills.example/t/abc" in call.json["text"]


def test_marks_in_a_name_do_no_harm(provider: Provider) -> None:
    send(message(short="<b>Rosa</b> <3 & *Íñigo* _وردة_"))
    assert "وردة" in provider.accepted[0].json["text"]
    assert "&lt;b&gt;Rosa" in provider.accepted[0].json["text"]


@pytest.mark.parametrize(
    "reply", [error(403), error(429), error(500), Reply(drop=True)]
)
def test_a_refusal_is_tried_again(provider: Provider, reply: Reply) -> None:
    provider.behave(reply)
    found = refusal_of(message())
    assert not found.permanent
    assert found.code.startswith("services_")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (f" {ADDRESS}/ ", ADDRESS),
        (f"{ADDRESS}?cto=900&rto=900&verify=no", ADDRESS),
        (ADDRESS.replace("tgram", "TGRAM"), ADDRESS.replace("tgram", "TGRAM")),
    ],
)
def test_an_address_is_kept_without_its_options(typed: str, kept: str) -> None:
    assert services.read_address(typed) == kept
    made = services._service(kept)  # noqa: SLF001 - what it is sent with
    assert made is not None
    assert made.verify_certificate
    assert made.socket_connect_timeout + made.socket_read_timeout <= 10


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "rosa",
        "tgram://",
        "tgram://nonsense",
        "tgram://123456789:abcdefg_hijklmnop",
        ADDRESS + "\r\nHost: evil",
        "tgram://" + "1" * 3000,
        "json://127.0.0.1/",
        "jsons://pills.example/",
        "xml://127.0.0.1",
        "form://127.0.0.1",
        "file:///etc/passwd",
        "syslog://",
        "dbus://",
        "windows://",
        "macosx://",
        "mailto://user:word@127.0.0.1",
        "gotify://127.0.0.1/token",
        "matrix://127.0.0.1/room",
        "pover://user@token",
        "apprise://127.0.0.1/token",
        "include://http://127.0.0.1/config",
        "smpp://127.0.0.1",
        "mqtt://127.0.0.1/topic",
    ],
)
def test_any_other_address_is_refused_in_plain_words(typed: str) -> None:
    with pytest.raises(InvalidError, match=r"one of these: tgram://\.$"):
        services.read_address(typed)


def test_a_service_that_leads_anywhere_cannot_be_allowed() -> None:
    anywhere = "json,xml,form,gotify,matrixs,signal,mailto,ntfy,syslog,dbus,exec,fcm"
    use_settings(APPRISE_SCHEMES=anywhere)
    for scheme in anywhere.split(","):
        with pytest.raises(InvalidError):
            services.read_address(f"{scheme}://127.0.0.1/a/b")


def test_another_company_can_be_allowed() -> None:
    use_settings(APPRISE_SCHEMES="tgram, pover")
    address = f"pover://{'u' * 30}@{'a' * 30}"
    assert services.read_address(address) == address


def test_an_address_that_is_no_longer_allowed_gets_nothing(provider: Provider) -> None:
    use_settings(APPRISE_SCHEMES="pover")
    assert refusal_of(message()).code == "services_address"
    assert provider.calls == []


def test_nothing_is_logged(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider.script(error(500))
    refusal_of(message())
    send(message())
    assert "12315544" not in caplog.text
    assert "123456789" not in caplog.text
