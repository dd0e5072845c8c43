"""No test reaches a machine other than this one."""

import socket

import pytest

OUTSIDE = "192.0.2.1"  # RFC 5737: an address of nobody


def test_a_connection_to_another_machine_is_refused() -> None:
    with (
        socket.socket() as one,
        pytest.raises(PermissionError, match="other machines"),
    ):
        one.connect((OUTSIDE, 80))
    with (
        socket.socket(socket.AF_INET6) as one,
        pytest.raises(PermissionError, match="other machines"),
    ):
        one.connect_ex(("2001:db8::1", 80))


def test_a_name_is_not_looked_up_elsewhere() -> None:
    with pytest.raises(PermissionError, match="other machines"):
        socket.create_connection(("mail.example", 25), timeout=1)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        for name in ("127.0.0.1", "localhost"):
            socket.create_connection((name, address[1]), timeout=5).close()


def test_a_unix_socket_can_be_reached(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = str(tmp_path_factory.mktemp("s") / "s")
    with (
        socket.socket(socket.AF_UNIX) as server,
        socket.socket(socket.AF_UNIX) as client,
    ):
        server.bind(path)
        server.listen()
        client.connect(path)
