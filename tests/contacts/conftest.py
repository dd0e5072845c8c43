"""Channels that this installation does not have set up, as far as pages know them."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType, SimpleNamespace

import pytest

from pillweb.base.errors import InvalidError
from pillweb.channels import Message, Receipt, Send, registry
from pillweb.contacts import queries
from pillweb.contacts.views import points

REFUSED = "Write the number with its country, such as +44 7700 900123."


@contextmanager
def _open() -> Iterator[Send]:
    def send(message: Message) -> Receipt:
        return Receipt(message.key)

    yield send


def _number(typed: str) -> str:
    if not typed.startswith("+"):
        raise InvalidError(REFUSED)
    return typed.replace(" ", "")


def _channel(name: str, label: str, loudness: int) -> SimpleNamespace:
    return SimpleNamespace(
        NAME=name,
        LABEL=label,
        LOUDNESS=loudness,
        is_ready=lambda: True,
        read_address=_number if name == "sms" else str,
        open_channel=_open,
        public_key=lambda: "BPublicKey",
    )


@pytest.fixture
def all_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be e-mail, text messages, web push and the open page."""
    real = registry.channels()["email"]
    some = [
        _channel("sms", "Text message", 1),
        _channel("webpush", "This phone or computer", 1),
        _channel("live", "The open page", 0),
    ]
    known = MappingProxyType({"email": real} | {one.NAME: one for one in some})
    for module in (registry, queries, points):
        monkeypatch.setattr(module, "channels", lambda: known)
