"""Provides the browser of the browser tests: `python -m tools.browser`.

The machine's own Chromium is used where there is one. Where there is none, Debian's is
unpacked into .venv/browser with the libraries it needs: nothing outside the checkout is
written, and no administrator rights are needed.
"""

import shutil
import sys
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
PROGRAM = "chromium-headless-shell"
# It wants one font at least. Letters that font lacks are shown as boxes, which is
# enough to measure a page, not to look at its Arabic, Hindi, Khmer or Chinese.
PACKAGES = [PROGRAM, "fonts-dejavu-core"]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
QUIET += ["--disable-background-networking"]


def find_browser() -> str | None:
    """Return the machine's Chromium, else the one kept in .venv/browser."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(OWN) if OWN.exists() else None)


def fetch_browser() -> None:
    """Unpack Debian's Chromium and write the command that starts it.

    Raises:
        SetupError: it cannot be fetched, or does not start.
    """
    if not has_apt():
        raise SetupError("Install Chromium (macOS: brew install chromium).")
    say("fetching Chromium from Debian, about a minute")
    with debian_packages(PACKAGES) as unpacked:
        for driver in (*unpacked.rglob("*_dri.so"), *unpacked.rglob("libLLVM*")):
            driver.unlink()  # half a gigabyte for graphics cards
        keep_libraries(unpacked, PLACE)
        shutil.copytree(unpacked / "usr" / "lib" / "chromium", PLACE / "program")
    new = OWN.with_suffix(".new")
    new.write_text(
        f"#!/bin/sh\nhere={quote(str(PLACE))}\n"
        'export LD_LIBRARY_PATH="$here/lib" FONTCONFIG_FILE="$here/fonts.conf"\n'
        f'exec "$here/program/{PROGRAM}" "$@"\n',
        "utf-8",
    )
    new.chmod(0o755)
    call([new, *QUIET, "--dump-dom", "about:blank"], "Starting Chromium")
    new.rename(OWN)


def main() -> int:
    """Have a browser, and give the exit code."""
    try:
        with one_at_a_time():
            if not find_browser():
                fetch_browser()
    except (SetupError, OSError) as error:
        say(f"The browser tests cannot run: there is no Chromium. {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
