import socket
from collections.abc import Iterator

import pytest

from pillweb.channels import SendError, http
from pillweb.channels.http import open_line
from tests.providers import Provider, Reply, fake_provider

PUBLIC = "93.184.216.34"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with fake_provider() as started:
        yield started


def code_of(url: str, *, public_only: bool) -> str:
    with open_line(public_only=public_only) as line, pytest.raises(SendError) as caught:
        line.post(url, data=b"x")
    assert not caught.value.permanent
    return caught.value.code


def test_connections_are_kept(provider: Provider) -> None:
    provider.behave(Reply(201, b"taken"))
    with open_line() as line:
        replies = [line.post(f"{provider.url}/push/a", data=b"x") for _ in range(3)]
    assert {(reply.status, reply.body) for reply in replies} == {(201, b"taken")}


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.5", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "::1", "fe80::1%eth0", "fd00::1"),  # noqa: S104 - it is refused
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_no_private_address_is_touched(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    found = [(socket.AF_INET, 1, 6, "", (place, 443)) for place in (PUBLIC, address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert code_of("https://push.example/", public_only=True) == "private_address"


def test_a_name_that_leads_elsewhere_a_moment_later_gets_nothing(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([PUBLIC, "127.0.0.1"])

    def look_up(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, 1, 6, "", (next(answers), provider.port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://push.example:{provider.port}/"
    assert code_of(url, public_only=True) == "private_address"
    assert provider.calls == []


def test_a_public_address_is_one() -> None:
    http._refuse_address(PUBLIC)  # noqa: SLF001 - the rule itself
    http._refuse_address("2606:2800:220:1:248:1893:25c8:1946")  # noqa: SLF001


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://[::1", "http://\u2603"])
def test_what_is_no_address_is_no_crash(url: str) -> None:
    assert code_of(url, public_only=False) == "no_connection"


def test_nobody_there_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert code_of(f"http://127.0.0.1:{port}/", public_only=False) == "no_connection"
