"""Fake providers for the tests: one real HTTP server on loopback, told what to do.

It speaks as Twilio (messages, calls), a push service, ntfy and Telegram do, keeps what
it was sent, and behaves badly on request. Other processes reach it by its port; its log
outlives them: `Provider.calls`, and a file of JSON lines where one is named.
"""

import base64
import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

REDIRECT = 307


@dataclass(frozen=True)
class Reply:
    """What the provider does with one request instead of taking it.

    Attributes:
        status: the HTTP status; 0 answers as the real provider would on success.
        body: what it says; of 0 the provider's own.
        headers: further ones of the answer.
        after: seconds to wait before it.
        hang: never answer (until the server ends).
        drip: send the answer one byte in so many seconds.
        drop: close the connection instead of answering; the request counts as
            accepted where `status` says so.
    """

    status: int = 0
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.0
    hang: bool = False
    drip: float = 0.0
    drop: bool = False

    @property
    def accepts(self) -> bool:
        """Whether the provider takes the message over."""
        return not self.hang and (self.status == 0 or self.status // 100 == 2)


def redirect_to(url: str) -> Reply:
    """Return a reply that sends the request on to another address."""
    return Reply(REDIRECT, headers=(("Location", url),))


def error(status: int, code: int = 0, retry_after: int = 0) -> Reply:
    """Return a refusal as Twilio and ntfy word it."""
    body = json.dumps({"code": code, "status": status, "message": "no"}).encode()
    after = (("Retry-After", str(retry_after)),) if retry_after else ()
    return Reply(status, body, (("Content-Type", "application/json"), *after))


@dataclass(frozen=True)
class Call:
    """One request as it came, and whether the provider took it over.

    `twin` is equal in every repeat of a message; `at` is seconds since the epoch.
    """

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    accepted: bool = True
    at: float = 0.0

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: values[-1] for name, values in fields.items()}

    @property
    def json(self) -> Any:  # noqa: ANN401
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def twin(self) -> str:
        """What is equal in every repeat of a message."""
        for header in ("idempotency-key", "topic"):
            if header in self.headers:
                return self.headers[header]
        if "sequence_id" in (said := _json(self.body)):
            return str(said["sequence_id"])
        return hashlib.sha256(self.body).hexdigest()[:32]


def _json(body: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        if isinstance(said := json.loads(body), dict):
            return said
    return {}


class Provider:
    """A loopback HTTP server that plays every provider; `url` is its address."""

    def __init__(self, port: int, log_file: Path | None = None) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self.log_file = log_file
        self.stopped = threading.Event()
        self._calls: list[Call] = []
        self._script: deque[tuple[str, Reply]] = deque()
        self._mode: dict[str, Reply] = {}
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where it is reached; without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def calls(self) -> list[Call]:
        """All requests so far, oldest first."""
        with self._changed:
            return list(self._calls)

    @property
    def accepted(self) -> list[Call]:
        """The requests whose message it took over."""
        return [call for call in self.calls if call.accepted]

    def script(self, *replies: Reply, path: str = "/") -> None:
        """Answer the next requests below a path so, one each."""
        with self._changed:
            self._script.extend((path, reply) for reply in replies)

    def behave(self, reply: Reply | None = None, *, path: str = "/") -> None:
        """Answer every request below a path so from now on; None: as it should."""
        with self._changed:
            if reply is None:
                self._mode.pop(path, None)
            else:
                self._mode[path] = reply

    def relent(self) -> None:
        """Forget what was scripted: every message is taken from now on."""
        with self._changed:
            self._script.clear()
            self._mode.clear()

    def clear(self) -> None:
        """Forget all requests and all that was scripted."""
        with self._changed:
            self._calls.clear()
            self._script.clear()
            self._mode.clear()

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Call]:
        """Wait until so many messages were taken over, and give them.

        Raises:
            TimeoutError: fewer came.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.accepted) >= count, timeout):
                raise TimeoutError(f"{len(self.accepted)} of {count} messages came.")
            return self.accepted

    def _reply_to(self, path: str) -> Reply:
        with self._changed:
            for place, (below, reply) in enumerate(self._script):
                if path.startswith(below):
                    del self._script[place]
                    return reply
            modes = sorted(self._mode, key=len, reverse=True)
            fitting = (self._mode[below] for below in modes if path.startswith(below))
            return next(fitting, Reply())

    def take(self, call: Call) -> Reply:
        """Decide about a request, and note it."""
        reply = self._reply_to(call.path)
        call = replace(call, accepted=reply.accepts, at=time.time())
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()
        if self.log_file:
            line = {"at": call.at, "path": call.path, "twin": call.twin}
            text = json.dumps({**line, "accepted": call.accepted}) + "\n"
            with self.log_file.open("a", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        if reply.status == 0:
            status, body, headers = self._own_words(call)
            reply = replace(reply, status=status, body=body, headers=headers)
        return reply

    def _own_words(self, call: Call) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
        """Return what the real provider says when it takes a request over."""
        path, twin = urlsplit(call.path).path, call.twin
        if path.startswith("/push/"):
            return 201, b"", (("Location", f"{self.url}/message/{twin}"),)
        json_type = (("Content-Type", "application/json"),)
        said: Any = {"ok": True}
        status = 200
        if path.endswith(("/Messages.json", "/Calls.json")):
            kind = "SM" if path.endswith("/Messages.json") else "CA"
            sid = kind + hashlib.sha256(twin.encode()).hexdigest()[:32]
            status, said = 201, {"sid": sid, "status": "queued"}
        elif path.startswith("/bot"):
            said = {"ok": True, "result": {"message_id": 1, "chat": {"id": 1}}}
        elif call.method == "POST" and "topic" in (message := _json(call.body)):
            said = {"id": twin[:12], "event": "message", "topic": message["topic"]}
        elif call.method == "GET" and path.endswith("/json"):
            return 200, self._published(path.split("/")[1]), json_type
        return status, json.dumps(said).encode(), json_type

    def _published(self, topic: str) -> bytes:
        """Return the messages of an ntfy topic, a JSON line each."""
        lines = [
            {"id": call.twin[:12], "time": int(call.at), "event": "message"} | call.json
            for call in self.accepted
            if _json(call.body).get("topic") == topic
        ]
        return "".join(json.dumps(line) + "\n" for line in lines).encode()


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the provider, and answers as it says."""

    protocol_version = "HTTP/1.1"
    provider: Provider

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, self.path, headers, self.rfile.read(length))
        reply = self.provider.take(call)
        if reply.hang:
            self.provider.stopped.wait()
        self.provider.stopped.wait(reply.after)
        if reply.drop or reply.hang:
            self.close_connection = True
            return
        with suppress(ConnectionError):
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            step = 1 if reply.drip else max(len(reply.body), 1)
            for start in range(0, len(reply.body), step):
                self.wfile.write(reply.body[start : start + step])
                if reply.drip and self.provider.stopped.wait(reply.drip):
                    break

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: `Provider.calls` is the log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that were killed in the middle."""


@contextmanager
def fake_provider(*, log_file: Path | None = None, port: int = 0) -> Iterator[Provider]:
    """Start a provider on a loopback port, a free one unless it is named."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", port), handler)
    provider = Provider(server.server_address[1], log_file)
    handler.provider = provider  # type: ignore[attr-defined]
    thread = threading.Thread(
        target=server.serve_forever, args=[0.02], name="provider", daemon=True
    )
    thread.start()
    try:
        yield provider
    finally:
        provider.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def unpadded(data: bytes) -> str:
    """Return URL-safe base64 without its padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _derive(key: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=salt, info=info).derive(key)


class Browser:
    """A browser that subscribed to web push: it alone can read what it is sent."""

    def __init__(self, provider: Provider, name: str = "rosa") -> None:
        self.endpoint = f"{provider.url}/push/{name}"
        self.auth = hashlib.sha256(name.encode()).digest()[:16]
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public = self._key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )

    @property
    def subscription(self) -> str:
        """What the browser's `PushSubscription.toJSON()` gives."""
        keys = {"p256dh": unpadded(self.public), "auth": unpadded(self.auth)}
        return json.dumps(
            {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}
        )

    def read(self, call: Call) -> Any:  # noqa: ANN401
        """Decrypt one push message (RFC 8291), and read its JSON.

        Raises:
            cryptography.exceptions.InvalidTag: it is for another browser.
        """
        salt, length = call.body[:16], call.body[20]
        sender, text = call.body[21 : 21 + length], call.body[21 + length :]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self._key.exchange(ec.ECDH(), point)
        info = b"WebPush: info\0" + self.public + sender
        secret = _derive(shared, salt=self.auth, info=info, length=32)
        names = {"aes128gcm": 16, "nonce": 12}
        key, nonce = (
            _derive(
                secret,
                salt=salt,
                info=f"Content-Encoding: {name}\0".encode(),
                length=size,
            )
            for name, size in names.items()
        )
        plain = AESGCM(key).decrypt(nonce, text, None)
        return json.loads(plain.rstrip(b"\0")[:-1])
