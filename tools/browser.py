"""Provides the browser of the browser tests: `python -m tools.browser`.

The machine's own Chromium is used where there is one. Where there is none, Debian's is
unpacked into .venv/browser with the libraries it needs: nothing outside the checkout is
written, and no administrator rights are needed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from shlex import quote

from tools.setup import (
    VENV,
    SetupError,
    call,
    debian_packages,
    has_apt,
    keep_libraries,
    one_at_a_time,
    say,
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PLACE = VENV / "browser"
OWN = PLACE / "chromium"
DRIVER = PLACE / "node"
# Not the smaller chromium-headless-shell: that shows no notifications.
PROGRAM = "chromium"
# It wants one font at least. Letters that font lacks are shown as boxes, which is
# enough to measure a page, not to look at its Arabic, Hindi, Khmer or Chinese.
# The last is for playwright's own driver.
PACKAGES = [PROGRAM, "fonts-dejavu-core", "libatomic1"]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
QUIET += ["--disable-background-networking"]


def find_browser() -> str | None:
    """Return the machine's Chromium, else the one kept in .venv/browser.

    Playwright is told to start its driver with the libraries kept there, if any.
    """
    if DRIVER.exists():
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(DRIVER)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(OWN) if OWN.exists() else None)


def driver() -> Path | None:
    """Return the program playwright drives browsers with."""
    found = (VENV / "lib").glob("python*/site-packages/playwright/driver/node")
    return next(found, None)


def starts(program: Path | None) -> bool:
    """Tell whether a program says its version."""
    if program is None or not program.exists():
        return False
    asked = [str(program), "--version"]
    done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: PLW1510
    return done.returncode == 0


def is_ready() -> bool:
    """Tell whether there is a browser, and a driver that starts."""
    return bool(find_browser()) and (starts(driver()) or starts(DRIVER))


def write_command(command: Path, program: Path) -> None:
    """Write the command that starts a program with the libraries kept."""
    command.write_text(
        f"#!/bin/sh\nhere={quote(str(PLACE))}\n"
        'export LD_LIBRARY_PATH="$here/lib" FONTCONFIG_FILE="$here/fonts.conf"\n'
        f'exec {quote(str(program))} "$@"\n',
        "utf-8",
    )
    command.chmod(0o755)


def fetch_browser() -> None:
    """Unpack Debian's Chromium and write the command that starts it.

    Raises:
        SetupError: it cannot be fetched, or does not start.
    """
    if not has_apt():
        raise SetupError("Install Chromium (macOS: brew install chromium).")
    say("fetching Chromium from Debian, about a minute")
    with debian_packages(PACKAGES) as unpacked:
        for file in (*unpacked.rglob("*_dri.so"), *unpacked.rglob("libLLVM*")):
            file.unlink()  # half a gigabyte for graphics cards
        keep_libraries(unpacked, PLACE)
        shutil.copytree(unpacked / "usr" / "lib" / "chromium", PLACE / "program")
    node, new = driver(), OWN.with_suffix(".new")
    if node:
        write_command(DRIVER, node)
    write_command(new, PLACE / "program" / PROGRAM)
    call([new, "--headless", *QUIET, "--dump-dom", "about:blank"], "Starting Chromium")
    new.rename(OWN)


def main() -> int:
    """Have a browser, and give the exit code."""
    try:
        with one_at_a_time():
            if not is_ready():
                fetch_browser()
    except (SetupError, OSError) as error:
        say(f"The browser tests cannot run: there is no Chromium. {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
