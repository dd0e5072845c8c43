"""Sets up everything inside the checkout: `python3 tools/setup.py [--dev] [--e2e]`.

Standard library only, because it runs before anything is installed. It may be run at
any time: what is already in place is left alone, what was interrupted is done again.
Nothing outside the checkout is written, and no administrator rights are needed.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NATIVE = VENV / "native"
UNFINISHED = VENV / "unfinished"
OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON_MINOR = 14
LOCKS = {
    "run": ["requirements.txt"],
    "dev": ["requirements.txt", "requirements-dev.txt"],
    "e2e": ["requirements.txt", "requirements-dev.txt", "requirements-e2e.txt"],
}
PIP_FLAGS = ["--require-hashes", "--only-binary", ":all:", "--compile", "--no-input"]
# The scanner has an environment of its own: what it needs does not go with ours.
SCANNER = VENV / "security"
SCANNER_LOCK = ROOT / "requirements-security.txt"
# What WeasyPrint opens by name when it is imported.
PDF_LIBRARIES = [
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
]
PDF_PACKAGES = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]
PDF_CHECK = (
    "from pillweb.base.native import load_native_libraries as load; load();"
    "import weasyprint; weasyprint.HTML(string='<p>pill').write_pdf()"
)


class SetupError(Exception):
    """A reason to stop, in a sentence for the person at the terminal."""


def say(sentence: str) -> None:
    """Print one line of progress at once."""
    print(f"setup: {sentence}", flush=True)


def clean_environment() -> dict[str, str]:
    """Give the environment without settings that would install elsewhere."""
    elsewhere = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_COMPILE"}
    elsewhere |= {"PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_DRY_RUN"}
    elsewhere |= {"PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "VIRTUAL_ENV"}
    kept = {key: value for key, value in os.environ.items() if key not in elsewhere}
    return {**kept, "LC_ALL": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def call(command: Sequence[str | Path], what: str, **extra: str) -> None:
    """Run a command quietly in the checkout.

    Raises:
        SetupError: it failed; the sentence ends with the command's last lines.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**clean_environment(), **extra},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise SetupError(f"{what} failed (exit {done.returncode}).\n{tail}")


def use_new_enough_python() -> None:
    """Go on with a newer Python from PATH where this one is too old.

    Raises:
        SetupError: there is none.
    """
    if sys.version_info >= OLDEST_PYTHON:
        return
    for minor in range(NEWEST_PYTHON_MINOR, OLDEST_PYTHON[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])  # noqa: S606 - no shell is wanted
    found = ".".join(str(part) for part in sys.version_info[:3])
    raise SetupError(
        f"PillWeb needs Python 3.11 or newer, and python3 here is {found}. "
        "Install a newer one (Debian 12, Ubuntu 24.04 and later have it)."
    )


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other set-up works on this checkout.

    Commands inherit the lock: one that outlives a killed set-up still keeps it.
    """
    folder = os.open(ROOT, os.O_RDONLY)
    os.set_inheritable(folder, True)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def digest(*parts: bytes) -> str:
    """Give one short name to all the parts together."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def venv_key() -> str:
    """Name what a venv is bound to: the interpreter and the place of the checkout."""
    base = getattr(sys, "_base_executable", sys.executable)
    return digest(sys.version.encode(), os.fsencode(base), os.fsencode(ROOT))


def lock_key(group: str) -> str:
    """Name what is to be installed, and by which recipe."""
    files = [ROOT / name for name in LOCKS[group]]
    files.append(Path(__file__))
    return digest(venv_key().encode(), *(file.read_bytes() for file in files))


def holds(stamp: str, key: str) -> bool:
    """Tell whether the venv carries this stamp with this key."""
    with suppress(OSError):
        return (VENV / f"stamp-{stamp}").read_text("ascii") == key
    return False


def put(stamp: str, key: str) -> None:
    """Write a stamp into the venv, whole or not at all."""
    new = VENV / f"stamp-{stamp}.new"
    new.write_text(key, "ascii")
    new.replace(VENV / f"stamp-{stamp}")


def make_venv() -> None:
    """Make .venv with pip in it, also where the Python has no ensurepip.

    Raises:
        SetupError: pip cannot be had.
    """
    if holds("venv", venv_key()) and PYTHON.exists() and not UNFINISHED.exists():
        return
    say("making the virtual environment .venv")
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    base = getattr(sys, "_base_executable", sys.executable)
    call([base, "-I", "-m", "venv", "--without-pip", VENV], "Making .venv")
    if importlib.util.find_spec("ensurepip"):
        call([PYTHON, "-I", "-m", "ensurepip", "--default-pip"], "Installing pip")
    else:
        say("this Python has no ensurepip: fetching pip from Debian")
        install_pip_from_debian()
    put("venv", venv_key())


def install_pip_from_debian() -> None:
    """Install pip into .venv out of the Debian package that ensurepip would use.

    Raises:
        SetupError: this is not Debian, or the package cannot be fetched.
    """
    if not has_apt():
        raise SetupError(
            "This Python has no ensurepip. Install your system's package for Python "
            "virtual environments (often python3-venv or python3-pip) and try again."
        )
    with debian_packages(["python3-pip-whl"]) as unpacked:
        wheel = next(unpacked.rglob("pip-*.whl"))
        call(
            [PYTHON, "-m", "pip", "install", "--no-index", "--quiet", wheel],
            "Installing pip",
            PYTHONPATH=str(wheel),
        )


def install(group: str) -> None:
    """Install the locked packages of a group, every file checked by its hash.

    Raises:
        SetupError: a package cannot be had or does not have the locked hash.
    """
    make_venv()
    if holds(group, lock_key(group)):
        return
    say(f"installing the locked Python packages ({group}), about half a minute")
    files = [part for name in LOCKS[group] for part in ("-r", name)]
    # A half-done install cannot be trusted: the next run then starts from nothing.
    UNFINISHED.touch()
    call([PYTHON, "-I", "-m", "pip", "install", "-q", *PIP_FLAGS, *files], "pip")
    UNFINISHED.unlink()


def has_apt() -> bool:
    """Tell whether Debian's tools are here."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


@contextmanager
def debian_packages(names: list[str]) -> Iterator[Path]:
    """Fetch Debian packages with what they need, and give the unpacked folder.

    apt works on private state folders and checks signatures as always; only the list
    of what the machine has installed is the machine's own.

    Raises:
        SetupError: apt cannot fetch them.
    """
    for abandoned in VENV.glob("packages-*"):
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(prefix="packages-", dir=VENV) as place:
        work = Path(place)
        for folder in ("state/lists/partial", "cache/archives/partial", "root"):
            (work / folder).mkdir(parents=True)
        options = [
            f"Dir::State={work / 'state'}",
            f"Dir::Cache={work / 'cache'}",
            "Dir::State::status=/var/lib/dpkg/status",
            "APT::Sandbox::User=",
            "APT::Update::Error-Mode=any",
            "Acquire::Languages=none",
            "Acquire::Retries=3",
            "Debug::NoLocking=true",
        ]
        apt = ["apt-get", "-q", "-y"]
        apt += [part for option in options for part in ("-o", option)]
        fetch = ["install", "--download-only", "--no-install-recommends"]
        call([*apt, "update"], "Reading Debian's package list")
        call([*apt, *fetch, *names], "Fetching Debian packages")
        for package in sorted((work / "cache" / "archives").glob("*.deb")):
            call(["dpkg-deb", "-x", package, work / "root"], f"Unpacking {package}")
        yield work / "root"


def missing_pdf_libraries() -> list[str]:
    """Name the shared libraries for PDF reports that the machine does not have."""
    missing = []
    for name in PDF_LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    return missing


def provide_pdf_libraries() -> bool:
    """Make WeasyPrint work, with libraries in .venv/native where the machine has none.

    Returns:
        Whether a PDF could be written. Reminders do not need one, so a machine that
        cannot have the libraries still gets everything else.
    """
    if sys.platform != "linux" or (missing_pdf_libraries() and not has_apt()):
        with suppress(SetupError):
            call([PYTHON, "-c", PDF_CHECK], "Writing a PDF")
            return True
        say("PDF reports need the library Pango, version 1.44 or newer. Install it")
        say("(macOS: brew install pango; Fedora: dnf install pango) and try again.")
        return False
    try:
        if missing_pdf_libraries():
            say("fetching the libraries for PDF reports from Debian")
            with debian_packages(PDF_PACKAGES) as unpacked:
                keep_libraries(unpacked, NATIVE)
        call([PYTHON, "-c", PDF_CHECK], "Writing a PDF")
    except SetupError as error:
        say(f"PDF reports will not work yet: {error}")
        say("As administrator: apt-get install " + " ".join(PDF_PACKAGES))
        return False
    return True


def keep_libraries(unpacked: Path, place: Path) -> None:
    """Move the shared libraries and fonts of unpacked packages to a folder of ours.

    Fonts that the machine has are not among the packages, and are used as they stand.
    """
    shutil.rmtree(place, ignore_errors=True)
    (place / "lib").mkdir(parents=True)
    for library in unpacked.rglob("*.so*"):
        if library.is_file():
            shutil.copy(library, place / "lib" / library.name)
    fonts = unpacked / "usr" / "share" / "fonts"
    if fonts.is_dir():
        shutil.copytree(fonts, place / "fonts")
    (place / "fonts.conf").write_text(
        '<?xml version="1.0"?>\n'
        '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n'
        "<fontconfig><dir>/usr/share/fonts</dir>"
        f"<dir>{escape(str(place / 'fonts'))}</dir>"
        f"<cachedir>{escape(str(place / 'cache'))}</cachedir></fontconfig>\n",
        "utf-8",
    )


def set_up(group: str) -> None:
    """Bring the checkout to where this group of commands can run.

    Raises:
        SetupError: something is missing that only a person can provide.
    """
    wanted = {group: lock_key(group), "pdf": lock_key("run")}
    whole = PYTHON.exists() and not UNFINISHED.exists()
    if whole and all(holds(*stamp) for stamp in wanted.items()):
        return
    with one_at_a_time():
        install(group)
        if not holds("pdf", wanted["pdf"]) and provide_pdf_libraries():
            put("pdf", wanted["pdf"])
        for smaller in LOCKS:
            put(smaller, lock_key(smaller))
            if smaller == group:
                break
    say("done")


def set_up_scanner() -> None:
    """Install the scanner of `make security` into an environment of its own.

    Raises:
        SetupError: it cannot be installed.
    """
    key = digest(venv_key().encode(), SCANNER_LOCK.read_bytes())
    if holds("security", key):
        return
    with one_at_a_time():
        say("installing the scanner into .venv/security")
        shutil.rmtree(SCANNER, ignore_errors=True)
        call([PYTHON, "-m", "venv", "--without-pip", SCANNER], "Making its environment")
        pip = ["-m", "pip", "--python", str(SCANNER / "bin" / "python"), "install"]
        # Some of its packages come as source only.
        flags = ["--require-hashes", "--compile", "--no-input"]
        call([PYTHON, *pip, "-q", *flags, "-r", SCANNER_LOCK], "Installing the scanner")
        put("security", key)


def main() -> int:
    """Set up, and give the exit code."""
    group = "e2e" if "--e2e" in sys.argv else "dev" if "--dev" in sys.argv else "run"
    try:
        use_new_enough_python()
        set_up(group)
        if "--security" in sys.argv:
            set_up_scanner()
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped; the next run goes on from here")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
