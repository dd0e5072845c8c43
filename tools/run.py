"""The commands of `python app.py`: run, migrate, and every command of the app.

`run` starts all that PillWeb needs on one machine and stays until it is stopped.
"""

import base64
import contextlib
import errno
import fcntl
import hashlib
import http
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from pillweb.base.leash import die_with_parent
from tools.processes import (
    CONFIG,
    LOGS,
    Supervisor,
    ask_ready,
    config_text,
    read_procfile,
    tail_of,
    valkey_binary,
)

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
READY_SECONDS = 90.0
_LONGEST_FOLDER = 80  # a socket's path has 107 bytes, and supervisor adds to the name
_PORTS = 65536
_USAGE = """\
usage: python app.py run       start everything; Ctrl-C stops it
       python app.py migrate   bring the database to the newest schema
       python app.py COMMAND   any command of the app, in the same environment
"""


class RunError(Exception):
    """A reason not to go on, in a sentence for the person at the terminal."""


def main(arguments: list[str]) -> int:
    """Do one command and give the exit code."""
    os.chdir(ROOT)
    os.umask(0o077)
    try:
        use_venv(arguments)
        if not arguments or arguments[0] in {"-h", "--help"}:
            print(_USAGE, end="")
            return 0 if arguments else 2
        env = environment()
        if arguments[0] == "run":
            return run(env)
        if arguments[0] == "migrate":
            migrate(env)
            return 0
        flask = [sys.executable, "-m", "flask", "--app", "app", *arguments]
        os.execve(sys.executable, flask, env)  # noqa: S606 - no shell is wanted
    except RunError as error:
        print(f"pillweb: {error}", file=sys.stderr)
        return 1


def use_venv(arguments: list[str]) -> None:
    """Go on with the Python of .venv where this one has not what is needed.

    Raises:
        RunError: nothing was set up.
    """
    if importlib.util.find_spec("supervisor"):
        return
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == ROOT / ".venv":
        raise RunError("Nothing is installed yet. Run `make setup` first.")
    os.execv(python, [str(python), "app.py", *arguments])  # noqa: S606 - the same


def environment() -> dict[str, str]:
    """Give the environment of every process, with a default for what is not set.

    Raises:
        RunError: a key is lost, or the port is none.
    """
    for folder in (VAR, VAR / "log", VAR / "secrets"):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    given = {name: value for name, value in os.environ.items() if value}
    host, port = given.get("HOST", "127.0.0.1"), given.get("PORT", "8000")
    if not port.isdecimal() or not 0 < int(port) < _PORTS:
        raise RunError(f"PORT must be a number from 1 to {_PORTS - 1}, not {port!r}.")
    defaults = {
        "HOST": host,
        "PORT": port,
        "PUBLIC_URL": f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}",  # noqa: S104 - compared only
        "DATABASE_URL": f"sqlite:///{VAR / 'pillweb.db'}",
        "REDIS_URL": f"unix://{quote(str(socket_folder() / 'valkey.sock'))}?db=0",
    }
    for name, file in (
        ("SECRET_KEY", "secret_key"),
        ("FIELD_KEYS", "field_key"),
        ("VAPID_KEY", "vapid_key"),
    ):
        if name not in given:
            defaults[name] = lasting_secret(VAR / "secrets" / file)
    always = {
        "PATH": f"{Path(sys.executable).parent}:{given.get('PATH', os.defpath)}",
        # The pinned tzdata package, never the system's.
        "PYTHONTZPATH": "",
        "PYTHONUNBUFFERED": "1",
    }
    return {**defaults, **given, **always}


def lasting_secret(path: Path) -> str:
    """Read a secret of 32 random bytes, in URL-safe base64; make it the first time.

    Raises:
        RunError: there is a database already, so that a new secret would not fit it,
            or others than the owner of the file can read it.
    """
    if not path.exists():
        if path.name == "field_key" and (VAR / "pillweb.db").exists():
            raise RunError(
                f"var/pillweb.db is there but its key {path.relative_to(ROOT)} is not. "
                "Names and notes cannot be read without it: bring it back from the "
                "backup, or move var/pillweb.db away to begin anew."
            )
        new = path.with_suffix(f".{os.getpid()}")
        with new.open("x", encoding="ascii") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            # A link, not a rename: two commands at once must agree on one secret.
            os.link(new, path)
        new.unlink()
    if path.stat().st_mode & 0o077:
        shown = path.relative_to(ROOT)
        raise RunError(f"Others can read the key {shown}. Run: chmod 600 {shown}")
    return path.read_text("ascii").strip()


def socket_folder() -> Path:
    """Give a private folder whose path is short enough for sockets, always the same.

    Raises:
        RunError: somebody else owns the folder.
    """
    folder = VAR / "run"
    if len(os.fsencode(folder)) > _LONGEST_FOLDER:
        name = hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"pillweb-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid():
        raise RunError(f"The folder {folder} belongs to somebody else.")
    folder.chmod(0o700)
    return folder


def migrate(env: dict[str, str]) -> None:
    """Run the release line of the Procfile.

    Raises:
        RunError: it failed.
    """
    leash = [sys.executable, "-S", "-m", "pillweb.base.leash", "SIGKILL"]
    command = leash + read_procfile(ROOT / "Procfile")["release"]
    done = subprocess.run(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise RunError("The database could not be brought to the newest schema.")


def run(env: dict[str, str]) -> int:
    """Start everything, say where it is, and keep it running until told to stop.

    Returns:
        0 when it was stopped by a signal, 1 when it did not come up.

    Raises:
        RunError: it cannot be started.
    """
    if "MAKELEVEL" in os.environ:
        # A killed make must not leave PillWeb running out of sight.
        die_with_parent(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_by_signal)
    supervisor = None
    try:
        with only_instance() as lock:
            must_be_safe(env)
            must_be_free(env["HOST"], int(env["PORT"]))
            supervisor = prepare(env, lock)
            print("Starting PillWeb …", flush=True)
            supervisor.start()
            migrate(env)
            wait_until_ready(supervisor, env)
            greet(env)
            while True:
                time.sleep(1)
                supervisor.revive()
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if supervisor:
            supervisor.stop()
            if supervisor.folder.parent != VAR:
                with contextlib.suppress(OSError):
                    supervisor.folder.rmdir()


def stop_by_signal(_number: int, _frame: FrameType | None) -> None:
    """Leave whatever is being waited for."""
    raise KeyboardInterrupt


@contextlib.contextmanager
def only_instance() -> Iterator[int]:
    """Hold the lock of this folder, and give its file descriptor.

    Raises:
        RunError: PillWeb runs from this folder already.
    """
    with (VAR / "run.lock").open("a") as file:
        until = time.monotonic() + 12
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # One that was killed needs some seconds until its processes are gone.
                if runs_already() or time.monotonic() > until:
                    raise RunError(
                        "PillWeb already runs from this folder. Stop it first."
                    ) from None
            time.sleep(0.1)
        (VAR / "run.pid").write_text(str(os.getpid()), "ascii")
        yield file.fileno()


def runs_already() -> bool:
    """Tell whether the process that wrote run.pid is alive."""
    try:
        os.kill(int((VAR / "run.pid").read_text("ascii")), 0)
    except (OSError, ValueError):
        return False
    return True


def must_be_safe(env: dict[str, str]) -> None:
    """Check the settings before anything is started.

    Raises:
        RunError: they are unsafe; it says in plain sentences why.
    """
    command = [sys.executable, "-m", "pillweb.base.config"]
    done = subprocess.run(
        command, env=env, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise RunError(done.stderr.strip())


def must_be_free(host: str, port: int) -> None:
    """Check that the web server will get its port.

    Raises:
        RunError: it would not.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RunError(
                f"Port {port} is taken by another program. "
                f"Choose another one, for example: PORT={port + 1} make run"
            ) from None
        raise RunError(f"Cannot listen on {host}, port {port}: {error}.") from None


def prepare(env: dict[str, str], lock: int) -> Supervisor:
    """Write supervisor's configuration, and give what can start it.

    Raises:
        RunError: there is no Valkey or Redis server, and no REDIS_URL.
    """
    folder = socket_folder()
    commands = read_procfile(ROOT / "Procfile")
    del commands["release"]
    given = os.environ.get("REDIS_URL")
    valkey = None if given else valkey_command(folder / "valkey.sock")
    CONFIG.write_text(config_text(commands, valkey, folder), "utf-8")
    return Supervisor(folder, env, lock, folder / "valkey.sock" if valkey else None)


def valkey_command(path: Path) -> list[str]:
    """Give the command of a Valkey or Redis server on a private socket, with no port.

    Raises:
        RunError: there is none.
    """
    binary = valkey_binary()
    if not binary:
        raise RunError(
            "There is no Valkey or Redis server for this kind of machine. "
            "Install one, or set REDIS_URL to one."
        )
    (VAR / "valkey").mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": "var/valkey",
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    return [binary, *words]


def wait_until_ready(supervisor: Supervisor, env: dict[str, str]) -> None:
    """Start the processes and wait until the app calls itself ready.

    Raises:
        RunError: it did not within 90 seconds.
    """
    until = time.monotonic() + READY_SECONDS
    status, degraded = 0, ""
    failed: list[str] = []
    while time.monotonic() < until and not failed:
        states = supervisor.states()
        failed = [name for name, state in states.items() if state == "FATAL"]
        status, degraded = ask_ready(env)
        running = bool(states) and set(states.values()) == {"RUNNING"}
        if running and status == http.HTTPStatus.OK and not degraded:
            return
        if not failed:
            supervisor.revive()
        time.sleep(0.2)
    waiting = {"STARTING", "BACKOFF", "EXITED", "STOPPED"}
    failed = failed or [name for name, state in states.items() if state in waiting]
    if status == http.HTTPStatus.OK and not failed:
        # All runs: a reminder that goes out late is better than none at all.
        print(f"Not everything works yet: {degraded}", flush=True)
        return
    for name in failed or ["app:web"]:
        log = LOGS / f"{name.partition(':')[2]}.log"
        print(f"--- the end of {log}:\n{tail_of(log)}", file=sys.stderr)
    what = ", ".join(name.partition(":")[2] for name in failed)
    raise RunError(
        f"It did not come up: {what} failed."
        if what
        else f"It did not become ready (HTTP {status or 'does not answer'} {degraded})."
    )


def greet(env: dict[str, str]) -> None:
    """Tell the person at the terminal where to go."""
    print(f"\nPillWeb is ready: {env['PUBLIC_URL']}\n", flush=True)
    command = [sys.executable, "-m", "flask", "--app", "app", "sign-in-help"]
    with contextlib.suppress(subprocess.SubprocessError):
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=30, check=True
        )
        print(done.stdout.strip() + "\n", flush=True)
    print(f"Logs are in {LOGS}. Ctrl-C stops everything.", flush=True)
