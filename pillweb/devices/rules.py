"""What is true of tablets without asking anybody."""

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256

CODE_DIGITS = 6
PAIRING_LASTS = timedelta(minutes=10)
# Wrong codes: of one visitor, and of all together, in so long. Six digits are 20 bits
# (ASVS 5.0, 6.5.4); even all tries there are hit a code once in 20,000 times.
TRIES_COUNTED_FOR = timedelta(minutes=10)
TRIES_PER_CLIENT = 5
TRIES_OF_ALL = 50
TRIES_KEPT_FOR = timedelta(days=1)

# So long unused, and a tablet is connected no more: as long as its cookie lasts.
TABLET_LASTS = timedelta(days=400)
SEEN_EVERY = timedelta(minutes=15)
# So long nobody presses anything, and a shared tablet shows its pictures again.
OPEN_FOR = timedelta(minutes=10)
OPEN_NOTED_EVERY = timedelta(minutes=1)

SHORTEST_PIN, LONGEST_PIN = 4, 8
PINS_ALLOWED = 5
PIN_PAUSE = timedelta(minutes=15)


def initial(name: str) -> str:
    """Return what stands for somebody without a photo.

    >>> initial("rosa"), initial(" ")
    ('R', '?')
    """
    return name.strip()[:1].upper() or "?"


def is_paused(pin_pause_until: datetime | None, *, now: datetime) -> bool:
    """Say whether no PIN is heeded now."""
    return pin_pause_until is not None and now < pin_pause_until


def stays_open(open_until: datetime | None, *, now: datetime) -> bool:
    """Say whether a press is to be written down, so that a tablet stays open."""
    if open_until is None:
        return False
    return open_until - now <= OPEN_FOR - OPEN_NOTED_EVERY


def open_page_key(secret: str, place_id: int) -> str:
    """Return by which address the open page of a patient on a tablet is told things.

    It follows from the tablet's secret (256 bits), so no script has to keep it.
    """
    digest = sha256(f"open-page:{place_id}:{secret}".encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
