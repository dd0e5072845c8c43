"""What a file is called when it is saved (RFC 6266)."""

from datetime import date
from urllib.parse import quote

LONGEST = 60


def disposition(name: str, on: date) -> str:
    """Return the header that has a browser save a file of somebody's everything.

    >>> disposition('Zoë "Z" /..', date(2026, 11, 20))
    """
    kept = "".join(one if one.isalnum() else " " for one in name[:LONGEST])
    called = " ".join([*kept.split(), f"{on}.zip"])
    plain = f'attachment; filename="pillweb-{on}.zip"'
    return f"{plain}; filename*=UTF-8''{quote(called, safe='')}"
