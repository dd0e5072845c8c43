"""The real app for the browser: web server, clock and database of its own."""

import base64
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.services import ROOT

PATIENCE_S = 90
# What is pressed on a page behind a link sooner than that may be a machine's.
READING_MS = 3100
SERVER = ("gunicorn", "--config", "python:pillweb.web.server", "tests.unlimited:app")


@dataclass(frozen=True)
class Site:
    """A running PillWeb."""

    url: str
    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    server: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def crash(self) -> None:
        """Kill the web server and its workers: nobody answers from now on."""
        pid = self.server[-1].pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, workers)):
            os.kill(one, signal.SIGKILL)
        self.server[-1].wait(PATIENCE_S)

    def serve(self) -> None:
        """Start the web server, once more after a crash."""
        command = [sys.executable, "-m", *SERVER]
        self.server.append(subprocess.Popen(command, cwd=ROOT, env=self.env))
        _wait_until_it_answers(f"{self.url}/help")

    def count_events(self, dose_id: str) -> int:
        """Return how many events a dose has."""
        with closing(sqlite3.connect(self.folder / "pillweb.db")) as db:
            sql = "select count(*) from dose_event where dose_id = ?"
            (found,) = db.execute(sql, (dose_id,)).fetchone()
            return int(found)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


@contextmanager
def running_site(folder: Path, module: str, *arguments: str) -> Iterator[Site]:
    """Run PillWeb in a folder, its database made by a module's command."""
    port = _free_port()
    env = os.environ | {
        "SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "VAPID_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "DATABASE_URL": f"sqlite:///{folder}/pillweb.db",
        "REDIS_URL": "",
        "SMTP_URL": "",
        # By name: browsers make no passkeys for a bare address.
        "PUBLIC_URL": f"http://localhost:{port}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "VAR_DIR": str(folder),
        "WEB_CONCURRENCY": "1",
    }
    made = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    facts = json.loads(made.stdout or "{}")
    site = Site(f"http://localhost:{port}", folder, facts, env)
    clock = subprocess.Popen([sys.executable, "-m", "jobs.clock"], cwd=ROOT, env=env)
    try:
        site.serve()
        yield site
    finally:
        for process in (*site.server, clock):
            process.terminate()
        for process in (*site.server, clock):
            process.wait(PATIENCE_S)
