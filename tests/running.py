"""The real processes of the Procfile, started for a test and certainly ended by it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.services import ROOT
from tools.processes import read_procfile, session_members

PROCFILE = read_procfile(ROOT / "Procfile")


class Processes:
    """What was started; each process is the head of a session of its own."""

    def __init__(self, logs: Path, **env: str) -> None:
        self.logs = logs
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        own = {"PATH": path, "PYTHONTZPATH": "", "VAR_DIR": str(logs)}
        self.env = {**os.environ, **own, **env}
        self.started: list[subprocess.Popen[bytes]] = []

    def start(
        self, name: str, command: Sequence[str] = (), **env: str
    ) -> "subprocess.Popen[bytes]":
        """Start a line of the Procfile, or another command under that name."""
        # A test run that is killed must not leave processes behind.
        leash = [sys.executable, "-S", "-m", "pillweb.base.leash", "SIGKILL"]
        with (self.logs / f"{name}-{len(self.started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*leash, *(command or PROCFILE[name])],
                cwd=ROOT,
                env=self.env | env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def run(self, name: str) -> None:
        """Run a line that ends by itself."""
        process = self.start(name)
        assert process.wait(60) == 0, self.said()

    def kill(self, process: "subprocess.Popen[bytes]") -> int:
        """Kill a process and all its children at once; return how many that was."""
        members = session_members(process.pid)
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)
        return len(members)

    def kill_head(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill a process alone; what it started lives on without it."""
        process.kill()
        process.wait(10)

    def kill_children(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill what a process started, and leave itself alone."""
        for pid in session_members(process.pid):
            if pid != process.pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def ask_all_to_end(self, process: "subprocess.Popen[bytes]") -> None:
        """Send SIGTERM to a process and all its children, as Ctrl-C or systemd may."""
        for pid in session_members(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def stop(self) -> None:
        """End everything, politely first."""
        for process in self.started:
            with suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + 5
        for process in self.started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, until - time.monotonic()))
            self.kill(process)

    def said(self) -> str:
        """Return everything they wrote."""
        logs = sorted(self.logs.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()}" for log in logs)


@contextmanager
def processes(logs: Path, **env: str) -> Iterator[Processes]:
    """Give what starts processes, and end them all, whatever happens."""
    made = Processes(logs, **env)
    try:
        yield made
    finally:
        made.stop()


def wait_until(true: Callable[[], object], *, seconds: float, what: str) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: it did not become so.
    """
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.05)
