"""A text as a square code for a phone's camera."""

from itertools import groupby
from typing import NamedTuple

import segno

QUIET = 4


class Code(NamedTuple):
    """A QR code: paths of its ground and its dark squares, and the view box of both.

    The ground reaches four squares further, as a camera needs it.
    """

    path: str
    ground: str
    box: str


def code_of(text: str) -> Code:
    """Return a text as a QR code that reads well though some of it is dirty."""
    rows = segno.make(text, error="m", micro=False).matrix
    drawn = "".join(_runs(bytes(row), y) for y, row in enumerate(rows))
    side = len(rows) + 2 * QUIET
    ground = f"M{-QUIET} {-QUIET}h{side}v{side}h-{side}z"
    return Code(drawn, ground, f"{-QUIET} {-QUIET} {side} {side}")


def _runs(row: bytes, y: int) -> str:
    drawn, x = "", 0
    for dark, run in groupby(row):
        width = len(list(run))
        drawn += f"M{x} {y}h{width}v1h-{width}z" if dark else ""
        x += width
    return drawn
