"""The newest sign of life of the database, noted outside it.

A database that is older than its note was put back from a backup: what it believes to
be waiting was sent long ago.
"""

import json
import os
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from pillweb.base.config import settings
from pillweb.base.log import log


def _file() -> Path:
    return Path(settings().var_dir) / "high-water.json"


def _which() -> str:
    return sha256(settings().database_url.encode()).hexdigest()[:16]


def _read() -> dict[str, str]:
    try:
        found = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def high_water() -> datetime | None:
    """Return the newest sign of life that was seen of this database, if any."""
    try:
        return datetime.fromisoformat(_read()[_which()])
    except (KeyError, TypeError, ValueError):
        return None


def note_high_water(at: datetime) -> None:
    """Note a sign of life; one that cannot be written is told to the log."""
    beside = _file().with_suffix(f".{os.getpid()}")
    try:
        beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.write_text(json.dumps(_read() | {_which(): at.isoformat()}), "utf-8")
        beside.replace(_file())
    except OSError as error:
        log.warning("high_water_unwritten", error=type(error).__name__)
