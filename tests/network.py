"""Keeps the tests on this machine."""

import os
import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import pytest

# A server that somebody names for the tests is meant to be reached.
NAMED = {urlsplit(os.environ.get("TEST_REDIS_URL", "")).hostname} - {None}


def _is_here(host: object) -> bool:
    if host in {None, "", "localhost"} or host in NAMED:
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


def stay_here(patch: pytest.MonkeyPatch) -> None:
    """Refuse every lookup and connection that leaves this machine."""
    look_up = socket.getaddrinfo
    named: set[str] = set()

    def getaddrinfo(host: object, *rest: Any, **more: Any) -> list[Any]:  # noqa: ANN401
        if not _is_here(host):
            raise PermissionError(f"tests look up no other machines: {host!r}")
        found: list[Any] = look_up(host, *rest, **more)  # type: ignore[arg-type]
        named.update(str(one[4][0]) for one in found)
        return found

    def guard(connect: Any) -> Any:  # noqa: ANN401
        def connect_here(one: socket.socket, address: Any) -> Any:  # noqa: ANN401
            is_unix = one.family == socket.AF_UNIX
            if not (is_unix or address[0] in named or _is_here(address[0])):
                raise PermissionError(f"tests reach no other machines: {address!r}")
            return connect(one, address)

        return connect_here

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    for name in ("connect", "connect_ex"):
        patch.setattr(socket.socket, name, guard(getattr(socket.socket, name)))
