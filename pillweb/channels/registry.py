"""Which channels there are: every module beside this one that has a name."""

import pkgutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Protocol

import pillweb.channels
from pillweb.channels import Send


class Channel(Protocol):
    """What a channel module has; `pillweb.channels` says what each part is for."""

    NAME: str
    LABEL: str
    LOUDNESS: int

    def is_ready(self) -> bool:
        """Say whether this installation can use it."""

    def read_address(self, typed: str) -> str:
        """Return what is kept of what was typed; raise InvalidError."""

    def open_channel(self) -> AbstractContextManager[Send]:
        """Yield the function that sends."""


@cache
def channels() -> Mapping[str, Channel]:
    """Return every channel by its name."""
    names = (found.name for found in pkgutil.iter_modules(pillweb.channels.__path__))
    modules = (import_module(f"pillweb.channels.{name}") for name in sorted(names))
    found = {module.NAME: module for module in modules if hasattr(module, "NAME")}
    return MappingProxyType(found)


def ready_channels() -> list[Channel]:
    """Return the channels that this installation can use, quietest first."""
    ready = [channel for channel in channels().values() if channel.is_ready()]
    return sorted(ready, key=lambda channel: (channel.LOUDNESS, channel.NAME))


def browser_key() -> str:
    """Return the public key by which a browser subscribes; empty without web push."""
    found = channels().get("webpush")
    if found is None or not found.is_ready():
        return ""
    return str(getattr(found, "public_key", str)())
