"""A small load generator and the servers it speaks to; loopback only, and bounded."""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.place import ROOT

READY_S = 30.0


@dataclass
class Load:
    """What one stretch of load found, in requests a second and seconds."""

    waits: list[float] = field(default_factory=list)
    took: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.waits) / self.took

    @property
    def p95(self) -> float:
        """The wait that 95 of 100 requests do not exceed."""
        return statistics.quantiles(self.waits, n=20)[-1]


def load(
    port: int,
    path: str,
    *,
    headers: Mapping[str, str],
    connections: int,
    seconds: float,
) -> Load:
    """Ask for one page over and over on a few kept connections."""
    found = Load()
    until = time.perf_counter() + seconds
    failures: list[str] = []

    def ask() -> None:
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        waits = []
        while time.perf_counter() < until:
            began = time.perf_counter()
            kept.request("GET", path, headers=dict(headers))
            answer = kept.getresponse()
            answer.read()
            waits.append(time.perf_counter() - began)
            if answer.status != http.HTTPStatus.OK:
                failures.append(f"{path}: {answer.status}")
                break
        kept.close()
        found.waits += waits

    began = time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.took = time.perf_counter() - began
    if failures:
        raise RuntimeError(failures[0])
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(app: str) -> Iterator[int]:
    """Serve an app as the Procfile does; yield its port."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "--log-level", "error"]
    # A worker that is replaced in the middle would be measured, too.
    command += ["--config", "python:pillweb.web.server", "--max-requests", "0", app]
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
