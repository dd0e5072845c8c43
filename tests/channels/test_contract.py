"""What holds for every channel, also for one that is added: run against real servers.

A channel that is added here needs a line in ADDRESSES.
"""

import base64
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pillweb.base.db import database
from pillweb.base.errors import InvalidError
from pillweb.channels import Answer, Message, SendError, email, http, services
from pillweb.channels.registry import Channel, channels
from tests.conftest import use_settings
from tests.providers import Browser, Provider, Reply, error, fake_provider, redirect_to
from tests.services import Answer as Mischief
from tests.services import SmtpSink, smtp_sink

ADDRESSES: Mapping[str, Callable[[Provider], str]] = {
    "email": lambda _: "rosa.canary@family.example",
    "live": lambda _: "canary-device-7f3a9b2c1d",
    "ntfy": lambda provider: f"{provider.url}/pillweb-canary-9fQ2xLr7Vb",
    "services": lambda _: "tgram://123456789:canary_abcdefghij/12315544",
    "sms": lambda _: "+447400123456",
    "voice": lambda _: "+447400123456",
    "webpush": lambda provider: Browser(provider, "canary").subscription,
}
# They speak HTTP to the fake provider.
WEB = sorted(ADDRESSES.keys() - {"email", "live"})
# Apprise looks at the status alone.
READS_ANSWERS = sorted({*WEB} - {"services"})
EVIL = [
    "",
    "nonsense",
    "\r\nBcc: eve@evil.example",
    "javascript:alert(1)",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "\x00",
    "x" * 100_000,
    '{"endpoint": "http://127.0.0.1/"}',
]
MAKES_ITS_OWN = {"live", "ntfy"}


@dataclass
class Rig:
    """A channel, the servers it speaks to, and an address there."""

    channel: Channel
    provider: Provider
    sink: SmtpSink
    address: str

    def message(self, key: str = "dose_due:1:p1:1:0") -> Message:
        return Message(
            key=key,
            recipient=self.address,
            subject="Canary reminder",
            short="Kanarimycin is due.",
            text="Kanarimycin is due.\n",
            html="<p>Kanarimycin is due.</p>",
            link="https://pills.example/t/canarytoken",
            topic="dose_due:1",
            answers=(Answer("taken", "Taken", "https://pills.example/t/canary/x"),),
            stop_url="https://pills.example/u/canarytoken",
            delivery_id=7,
        )

    def send(self, *messages: Message) -> list[str]:
        with self.channel.open_channel() as hand_over:
            return [hand_over(one).reference for one in messages]

    def refusal(self) -> SendError:
        with pytest.raises(SendError) as caught:
            self.send(self.message())
        return caught.value

    def twins(self) -> list[str]:
        """What the far side knows a repeat by, of each message it took over."""
        if self.channel.NAME == "email":
            return [str(mail.message["Message-ID"]) for mail in self.sink.mails]
        return [call.twin for call in self.provider.accepted]


@pytest.fixture
def rig(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    sqlite_template: Path,
    tmp_path: Path,
) -> Iterator[Rig]:
    before = dict(os.environ)
    shutil.copy(sqlite_template, tmp_path / "pillweb.db")
    with fake_provider() as provider, smtp_sink() as sink:
        values = {
            "VAPID_KEY": base64.urlsafe_b64encode(bytes(range(7, 39))).decode(),
            "PUSH_HOSTS": f"127.0.0.1:{provider.port}",
            "SMS_URL": f"http://AC1:secretword@127.0.0.1:{provider.port}",
            "SMS_FROM": "+441632960001",
            "VOICE_FROM": "+441632960002",
            "NTFY_HOSTS": provider.url,
            "APPRISE_SCHEMES": "tgram",
            "SMTP_URL": f"smtp://{sink.host}:{sink.port}?tls=off",
            "DATABASE_URL": f"sqlite:///{tmp_path}/pillweb.db",
        }
        use_settings(**values)
        telegram = services._plugin("tgram")  # noqa: SLF001 - led to the fake one
        monkeypatch.setattr(telegram, "notify_url", f"{provider.url}/bot")
        channel = channels()[request.param]
        address = channel.read_address(ADDRESSES[request.param](provider))
        yield Rig(channel, provider, sink, address)
        database().engine.dispose()
    os.environ.clear()
    use_settings(**before)


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time limits of a second in all, so that nobody waits for ten."""
    for module in (http, services):
        monkeypatch.setattr(module, "CONNECT_S", 0.5)
        monkeypatch.setattr(module, "READ_S", 0.5)
    monkeypatch.setattr(http, "WHOLE_S", 1.0)
    monkeypatch.setattr(email, "TIMEOUT_S", 0.5)


every = pytest.mark.parametrize("rig", sorted(ADDRESSES), indirect=True)
every_on_the_web = pytest.mark.parametrize("rig", WEB, indirect=True)


def test_every_channel_is_tested_here() -> None:
    assert set(channels()) == set(ADDRESSES)


@every
def test_it_is_named_and_ready(rig: Rig) -> None:
    channel = rig.channel
    assert channels()[channel.NAME] is channel
    assert 0 < len(channel.NAME) <= 12
    assert channel.LABEL.strip()
    assert channel.LOUDNESS in {0, 1, 2}
    assert channel.is_ready()


@every
def test_an_address_is_kept_in_one_spelling(rig: Rig) -> None:
    assert rig.channel.read_address(rig.address) == rig.address
    assert rig.channel.read_address(f" {rig.address} ") == rig.address


@every
@pytest.mark.parametrize("typed", EVIL)
def test_what_is_no_address_is_told_in_a_sentence(rig: Rig, typed: str) -> None:
    if not typed and rig.channel.NAME in MAKES_ITS_OWN:
        assert rig.channel.read_address(typed)
        return
    with pytest.raises(InvalidError) as caught:
        rig.channel.read_address(typed)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert len(sentence) < 200
    assert typed not in sentence or len(typed) < 2


@every
def test_a_repeat_is_known_by_both_sides(rig: Rig) -> None:
    one, again = rig.send(rig.message(), rig.message())
    assert one == again
    assert len(set(rig.twins())) <= 1


@every
def test_another_message_is_another(rig: Rig) -> None:
    if rig.channel.NAME in {"webpush", "ntfy"}:
        pytest.skip("messages of one topic replace each other")
    one, other = rig.send(rig.message("a"), rig.message("b"))
    assert one != other


@every_on_the_web
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 502, 503])
def test_a_provider_in_trouble_ends_no_address(rig: Rig, status: int) -> None:
    rig.provider.behave(error(status))
    found = rig.refusal()
    assert not found.permanent
    assert str(status) in found.code or rig.channel.NAME == "services"


@pytest.mark.parametrize("rig", READS_ANSWERS, indirect=True)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html><title>Sign in to the hotel</title>"),
        Reply(200, b"{"),
        Reply(200, b""),
        Reply(200, b"[]"),
        Reply(200, b"\xff\xfe\x00"),
        Reply(200, b"[" * 60_000),
        Reply(200, b"x" * 10_000_000),
        Reply(204),
        Reply(304),
        Reply(999),
    ],
)
def test_nonsense_is_no_receipt(rig: Rig, reply: Reply) -> None:
    rig.provider.behave(reply)
    assert not rig.refusal().permanent


@every_on_the_web
def test_who_hangs_up_is_tried_again(rig: Rig) -> None:
    rig.provider.behave(Reply(drop=True))
    assert not rig.refusal().permanent


@pytest.mark.parametrize("rig", READS_ANSWERS, indirect=True)
def test_a_redirect_is_not_followed(rig: Rig) -> None:
    with fake_provider() as elsewhere:
        rig.provider.behave(redirect_to(elsewhere.url))
        assert not rig.refusal().permanent
        assert elsewhere.calls == []


@pytest.mark.usefixtures("_hurried")
@every_on_the_web
def test_a_provider_that_hangs_costs_its_time_and_no_more(rig: Rig) -> None:
    rig.provider.behave(Reply(hang=True))
    began = time.monotonic()
    assert not rig.refusal().permanent
    assert time.monotonic() - began < 3


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize("rig", READS_ANSWERS, indirect=True)
def test_a_provider_that_drips_costs_no_more(rig: Rig) -> None:
    rig.provider.behave(Reply(500, b"x" * 100, drip=0.2))
    began = time.monotonic()
    assert not rig.refusal().permanent
    assert time.monotonic() - began < 3


def test_a_network_step_ends_within_ten_seconds() -> None:
    assert http.CONNECT_S <= http.READ_S <= http.WHOLE_S <= 10
    assert email.TIMEOUT_S <= 10


@every
def test_nothing_of_address_or_words_is_logged(
    rig: Rig,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # The fake mail server's own.
    caplog.set_level(logging.CRITICAL, "mail.log")
    rig.send(rig.message())
    rig.provider.behave(error(500))
    rig.sink.script(Mischief("550 5.1.1 No such user rosa.canary"))
    if rig.channel.NAME != "live":
        assert "canary" not in repr(rig.refusal()).lower()
    out, err = capfd.readouterr()
    logged = (caplog.text + out + err).lower()
    for secret in ("canary", "kanarimycin", "447400123456", "12315544", "secretword"):
        assert secret not in logged


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "It is time."), ("ar", "حان وقت الدواء"), ("pl", "Zażółć gęślą jaźń 👵🏽")],
)
@every
def test_every_script_leaves(rig: Rig, language: str, said: str) -> None:
    one = replace(rig.message(), language=language, subject=said, short=said)
    assert rig.send(replace(one, text=said, html=said))
