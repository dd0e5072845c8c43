import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tools import run
from tools.processes import read_procfile, session_members

ROOT = Path(__file__).resolve().parent.parent.parent
PROCFILE = """\
# A stand-in for the real processes.
release: python release.py
web: python web.py
worker: python worker.py reminders
clock: python worker.py clock
"""
WEB = """\
import http.server, json, os, pathlib, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"degraded": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
names = ["SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "REDIS_URL", "PYTHONTZPATH"]
pathlib.Path("seen.json").write_text(json.dumps({n: os.environ[n] for n in names}))
address = (os.environ["HOST"], int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Page).serve_forever()
"""
# Like an RQ worker: a child in a group of its own does the job.
WORKER = """\
import os, pathlib, signal, sys, time
name = sys.argv[1]
if pathlib.Path(f"crash-{name}").exists():
    sys.exit(f"{name} crashed at once")
if os.fork() == 0:
    os.setpgrp()
    time.sleep(600)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(f"pid-{name}").write_text(str(os.getpid()))
time.sleep(600)
"""
RELEASE = "import pathlib; pathlib.Path('released').touch()"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Checkout:
    """A small checkout with stand-in processes, started as a person would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        for part in ("tools", "pillweb/base"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "pillweb/__init__.py", folder / "pillweb")
        shutil.copy(ROOT / "app.py", folder)
        files = {"Procfile": PROCFILE, "web.py": WEB, "worker.py": WORKER}
        for name, text in {**files, "release.py": RELEASE}.items():
            (folder / name).write_text(text)
        self.started: list[subprocess.Popen[str]] = []

    def start(self, **extra: str) -> "subprocess.Popen[str]":
        ours = {"SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "REDIS_URL", "MAKELEVEL"}
        env = {key: value for key, value in os.environ.items() if key not in ours}
        process = subprocess.Popen(
            [sys.executable, "app.py", "run"],
            cwd=self.folder,
            env={**env, "PORT": str(self.port), **extra},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def pid(self, name: str) -> int:
        return int((self.folder / f"pid-{name}").read_text())

    def processes(self) -> list[int]:
        """Give every process that works in this folder."""
        found = []
        for link in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if link.readlink() == self.folder:
                    found.append(int(link.parent.name))
            except OSError:
                continue
        return found


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    # Not tmp_path: its sockets' paths would be too long.
    with tempfile.TemporaryDirectory(prefix="pill % web ") as folder:
        made = Checkout(Path(folder))
        yield made
        for process in made.started:
            process.kill()
            process.communicate()
        until = time.monotonic() + 12
        while made.processes() and time.monotonic() < until:
            time.sleep(0.05)
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)


def wait_for_line(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return
    raise AssertionError(seen)


def test_run_starts_heals_and_stops_everything(checkout: Checkout) -> None:
    process = checkout.start()
    wait_for_line(process, "Ctrl-C stops everything")
    assert (checkout.folder / "released").exists()

    before = checkout.pid("reminders")
    os.kill(before, signal.SIGKILL)
    until = time.monotonic() + 10
    while checkout.pid("reminders") == before and time.monotonic() < until:
        time.sleep(0.05)
    assert checkout.pid("reminders") != before

    second = checkout.start()
    output, _ = second.communicate(timeout=20)
    assert "already runs from this folder" in output
    assert second.returncode == 1

    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    assert time.monotonic() - begun < 10
    assert checkout.processes() == []


def test_secrets_are_private_lasting_and_handed_down(checkout: Checkout) -> None:
    mine = "a key of my own, long enough: 0123456789"
    for extra in ({}, {"SECRET_KEY": mine}):
        process = checkout.start(**extra)
        wait_for_line(process, "Ctrl-C stops everything")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        seen = json.loads((checkout.folder / "seen.json").read_text())
        secrets = checkout.folder / "var" / "secrets"
        assert seen["FIELD_KEYS"] == (secrets / "field_key").read_text()
        kept = (secrets / "secret_key").read_text()
        assert seen["SECRET_KEY"] == extra.get("SECRET_KEY", kept)
        assert seen["DATABASE_URL"] == f"sqlite:///{checkout.folder}/var/pillweb.db"
        assert seen["REDIS_URL"].startswith("unix:///")
        assert seen["PYTHONTZPATH"] == ""
        assert (secrets / "field_key").stat().st_mode & 0o777 == 0o600
        assert secrets.stat().st_mode & 0o777 == 0o700


def test_lost_field_key_is_not_replaced(checkout: Checkout) -> None:
    (checkout.folder / "var").mkdir()
    (checkout.folder / "var" / "pillweb.db").touch()
    output, _ = checkout.start().communicate(timeout=20)
    assert "bring it back from the backup" in output
    assert not (checkout.folder / "var" / "secrets" / "field_key").exists()


def test_a_key_that_others_can_read_is_refused(checkout: Checkout) -> None:
    """(53)"""
    secrets = checkout.folder / "var" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "secret_key").write_text("x" * 44)
    (secrets / "secret_key").chmod(0o644)
    process = checkout.start()
    output, _ = process.communicate(timeout=20)
    assert process.returncode
    assert "chmod 600 var/secrets/secret_key" in output


def test_killed_parent_leaves_nothing_behind(checkout: Checkout) -> None:
    process = checkout.start()
    wait_for_line(process, "Ctrl-C stops everything")
    child = checkout.pid("reminders")
    assert len(session_members(os.getsid(child))) >= 5
    process.kill()
    process.wait()
    # The stand-in's job does not ask to die with its worker, as a real one does.
    job = {pid for pid in checkout.processes() if os.getpgid(pid) == pid}
    until = time.monotonic() + 12
    while set(checkout.processes()) - job and time.monotonic() < until:
        time.sleep(0.05)
    assert set(checkout.processes()) <= job
    for pid in job:
        with suppress(ProcessLookupError):  # it may have come to its end by itself
            os.kill(pid, signal.SIGKILL)


# On a machine so busy that a Python starts slower than the second after which
# supervisor calls it started, the crash is told when the 90 seconds are over.
@pytest.mark.timeout(150)
def test_crash_at_once_is_told_with_its_log(checkout: Checkout) -> None:
    (checkout.folder / "crash-clock").touch()
    process = checkout.start()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "clock crashed at once" in output
    assert "It did not come up: clock failed." in output
    assert checkout.processes() == []


def test_taken_port_is_told(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", checkout.port)):
        output, _ = checkout.start().communicate(timeout=20)
    assert f"Port {checkout.port} is taken" in output


def test_sockets_of_a_deep_folder_lie_in_a_short_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(run, "VAR", deep)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    folder = run.socket_folder()
    assert len(str(folder / "supervisor.sock.1234567")) < 107
    assert folder.stat().st_mode & 0o777 == 0o700
    assert run.socket_folder() == folder
    folder.rmdir()
    folder.symlink_to(deep)
    with pytest.raises(run.RunError, match="somebody else"):
        run.socket_folder()
    folder.unlink()


def test_procfile_lines_are_split_without_a_shell(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text("# why\n\nweb: gunicorn 'app:app' --bind [::1]:80\n")
    expected = ["gunicorn", "app:app", "--bind", "[::1]:80"]
    assert read_procfile(file) == {"web": expected}


def test_unsafe_settings_are_refused_before_anything_starts(
    checkout: Checkout,
) -> None:
    process = checkout.start(PUBLIC_URL="http://pills.example.org")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "PUBLIC_URL must begin with https://" in output
    assert not (checkout.folder / "released").exists()
