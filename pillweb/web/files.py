"""Style, script and fonts: served compressed, and kept by the browser for a year."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

STATIC = Path(__file__).parents[1] / "static"
A_YEAR_S = 31_536_000
SQUEEZED = ("*.css", "*.js", "*.svg")


@cache
def _squeezed() -> Path:
    """Return a copy of the static files, each with its compressed twins."""
    folder = Path(tempfile.mkdtemp(prefix="pillweb-static-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(STATIC, folder, dirs_exist_ok=True)
    press = Compressor(quiet=True)
    for file in (one for kind in SQUEEZED for one in folder.rglob(kind)):
        press.compress(str(file))
    return folder


def install_files(app: Flask) -> None:
    """Serve everything in `static/` below /static/."""
    files = WhiteNoise(app.wsgi_app, max_age=A_YEAR_S, allow_all_origins=False)
    files.add_files(str(_squeezed()), prefix="static/")
    app.wsgi_app = files  # type: ignore[method-assign]
