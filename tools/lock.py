"""Compiles requirements*.in into lock files with hashes, for all platforms at once.

`make lock` keeps the versions that still fit; `make lock UPGRADE=1` takes the newest.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ["requirements.in", "requirements-dev.in", "requirements-e2e.in"]
# In an environment of its own: what it needs does not go with what we need.
SOURCES += ["requirements-security.in"]
OLDEST_PYTHON = "3.11"
FORBIDDEN = ("--index-url", "--extra-index-url", "--find-links", "-f ", "-i ", "://")


def find_uv() -> str:
    """Give the path of uv: the one on PATH, else one installed into the venv."""
    found = shutil.which("uv")
    if found:
        return found
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "uv"], check=True)
    return str(Path(sys.executable).parent / "uv")


def compile_lock(uv: str, source: str, *flags: str) -> None:
    """Write the lock file of one source.

    Raises:
        ValueError: the lock names an index or a link, which belong to one machine.
        subprocess.CalledProcessError: there is no solution.
    """
    target = ROOT / Path(source).with_suffix(".txt")
    command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--python-version", OLDEST_PYTHON, "--no-header"]
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    command += [*flags, source, "-o", target.name]
    subprocess.run(command, cwd=ROOT, check=True)
    lock = target.read_text("utf-8")
    for line in lock.splitlines():
        if any(word in line for word in FORBIDDEN):
            raise ValueError(f"{target.name} must not hold: {line}")
    header = f"# Compiled from {source} by `make lock`; do not edit.\n"
    target.write_text(header + lock.removeprefix(header), "utf-8")


def main() -> int:
    """Compile all, in order: the later ones are bound to the first."""
    uv = find_uv()
    for source in SOURCES:
        print(f"lock: {source}", flush=True)
        compile_lock(uv, source, *sys.argv[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
