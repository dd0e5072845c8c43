"""A real Valkey."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import redis

from tests.services.place import ROOT, START_SECONDS
from tools.processes import valkey_binary


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
