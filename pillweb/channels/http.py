"""Requests to providers that end in time, stay where they were sent, and tell little.

No redirect is followed, no proxy or password file of the machine is read, and of what
the far side says no more is read than a limit.
"""

import json
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from pillweb.channels import SendError

CONNECT_S, READ_S, WHOLE_S = 3.0, 8.0, 9.0
MOST_BYTES = 64 * 1024
LONGEST_WAIT_S = 3600.0
# Its lines hold paths, and the paths of push services and Telegram are secrets.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answered; of a long body the beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Mapping[str, Any]:
        """The JSON object of the body; empty where it is none."""
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def retry_after_s(self) -> float | None:
        """The seconds it asks to be left alone; an hour at most."""
        try:
            wanted = float(self.headers.get("Retry-After", ""))
        except ValueError:
            return None
        return min(wanted, LONGEST_WAIT_S) if wanted >= 0 else None


class _Watch:
    """Cuts the connection of a request that takes too long as a whole."""

    def __init__(self) -> None:
        self.line: Any = None
        self.is_late = False

    def cut(self) -> None:
        """Shut the socket, so that whoever reads from it reads its end."""
        self.is_late = True
        with suppress(OSError, AttributeError):
            # Past the TLS layer, which another thread may be reading.
            socket.socket.shutdown(self.line.sock, socket.SHUT_RDWR)


_watch: ContextVar[_Watch] = ContextVar("_watch")


def refuse_private(host: str, port: int | None) -> None:
    """Raise SendError where any address of a host is not of the open internet."""
    for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        _refuse_address(str(where[0]))


def _refuse_address(address: str) -> None:
    # Not for good: the name may lead there only in the network of this hour.
    if not ip_address(address.partition("%")[0]).is_global:
        raise SendError("private_address")


class _Watched:
    """Mixed into a connection: the watch knows which socket is under way."""

    def connect(self) -> None:
        _watch.get().line = self
        super().connect()  # type: ignore[misc]

    def request(self, *facts: Any, **more: Any) -> None:  # noqa: ANN401 - its base's
        _watch.get().line = self
        super().request(*facts, **more)  # type: ignore[misc]


class _Public(_Watched):
    """Mixed into a connection: it goes to the open internet alone.

    Checked before, so that nothing private is touched, and at the peer itself, since
    a name may lead elsewhere a moment later.
    """

    host: str
    port: int | None
    sock: socket.socket

    def connect(self) -> None:
        refuse_private(self.host, self.port)
        super().connect()
        _refuse_address(self.sock.getpeername()[0])


def _pools(mixed: type) -> dict[str, type]:
    """Return the connection pools whose connections have a class mixed in."""

    class Plain(HTTPConnectionPool):
        ConnectionCls = type("_Plain", (mixed, HTTPConnection), {})

    class Safe(HTTPSConnectionPool):
        ConnectionCls = type("_Safe", (mixed, HTTPSConnection), {})

    return {"http": Plain, "https": Safe}


_POOLS = {False: _pools(_Watched), True: _pools(_Public)}


class Line:
    """Kept connections to a provider."""

    def __init__(self, *, public_only: bool) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = HTTPAdapter(max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = _POOLS[public_only]
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def post(
        self,
        url: str,
        *,
        data: bytes | Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        auth: AuthBase | None = None,
    ) -> Reply:
        """Post bytes, or a form, and return the answer, whatever its status.

        Raises:
            SendError: there is none in time, or it is no HTTP.
        """
        watch = _Watch()
        _watch.set(watch)
        timer = threading.Timer(WHOLE_S, watch.cut)
        timer.daemon = True
        timer.start()
        try:
            return self._post(
                url, data, {"User-Agent": "PillWeb", **(headers or {})}, auth
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            late = watch.is_late or isinstance(error, requests.Timeout)
            raise SendError("timeout" if late else "no_connection") from None
        finally:
            timer.cancel()

    def _post(
        self,
        url: str,
        data: bytes | Mapping[str, str],
        headers: Mapping[str, str],
        auth: AuthBase | None,
    ) -> Reply:
        with self._session.post(
            url,
            data=data,
            headers={**headers, "Accept-Encoding": "identity"},
            auth=auth,
            timeout=(CONNECT_S, READ_S),
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = answer.raw.read(MOST_BYTES, decode_content=False)
            return Reply(answer.status_code, answer.headers, body)

    def close(self) -> None:
        """Leave the connections."""
        self._session.close()


@contextmanager
def open_line(*, public_only: bool = False) -> Iterator[Line]:
    """Yield connections that are kept for the whole block.

    With `public_only` they reach no private address; else whoever runs this
    installation has chosen where they lead.
    """
    line = Line(public_only=public_only)
    try:
        yield line
    finally:
        line.close()


def refusal(
    channel: str, reply: Reply, *, permanent: bool = False, is_ours: bool = False
) -> SendError:
    """Return the error of an answer, named by channel and status."""
    return SendError(
        f"{channel}_{reply.status}",
        permanent=permanent,
        is_ours=is_ours,
        retry_after_s=reply.retry_after_s,
    )
