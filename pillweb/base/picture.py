"""Photographs from outside, made small and safe: pixels alone come through.

Run as a file it reads one on its input and writes it anew on its output. It stands in
a process of its own, for whoever sent the picture chose what the decoder has to do:
there memory and time have an end, and no secret is near.
"""

import resource
import subprocess
import sys
from io import BytesIO
from typing import Literal, get_args

from PIL import Image, ImageOps

Crop = Literal["whole", "middle", "closer"]

CROPS: tuple[Crop, ...] = get_args(Crop)
# JPEG goes out, for a tablet of ten years shows it, too.
FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 40_000_000
LARGE_SIDE, LARGE_BYTES = 1000, 80_000
SMALL_SIDE, SMALL_BYTES = 192, 12_000
QUALITIES = range(82, 30, -10)
WHITE = (255, 255, 255)
# Of the shorter side, what a crop keeps of it.
KEPT = {"middle": 1.0, "closer": 0.5}
MEMORY_BYTES = 2**30
TIME_S = 10
UNREADABLE, TOO_LARGE = 3, 4


class UnreadablePictureError(ValueError):
    """It is no picture that we read."""


class TooLargePictureError(ValueError):
    """It has more pixels than we look at."""


def made_safe(raw: bytes) -> bytes:
    """Return a picture as a JPEG of at most 80 kB, upright, with nothing but pixels.

    Raises:
        UnreadablePictureError: it is none, or too much work.
        TooLargePictureError: it has too many pixels.
    """
    command = [sys.executable, "-I", __file__]
    try:
        done = subprocess.run(
            command, input=raw, capture_output=True, timeout=TIME_S, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnreadablePictureError from None
    if done.returncode == TOO_LARGE:
        raise TooLargePictureError
    if done.returncode:
        raise UnreadablePictureError
    return done.stdout


def thumbnail(safe: bytes, crop: Crop) -> bytes:
    """Return a square JPEG of at most 12 kB from a picture that was made safe."""
    with Image.open(BytesIO(safe), formats=["JPEG"]) as image:
        size = (SMALL_SIDE, SMALL_SIDE)
        if crop == "whole":
            small = ImageOps.pad(image, size, color=WHITE)
        else:
            small = ImageOps.fit(_middle(image, KEPT[crop]), size)
    return _written(small, SMALL_BYTES)


def _middle(image: Image.Image, share: float) -> Image.Image:
    width, height = image.size
    side = max(1, int(min(width, height) * share))
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _written(image: Image.Image, most: int) -> bytes:
    """Return the picture as JPEG of at most so many bytes, as good as they allow."""
    while True:
        for quality in QUALITIES:
            out = BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= most:
                return out.getvalue()
        image = image.reduce(2)


def _read(raw: bytes) -> Image.Image:
    """Return the pixels of a picture, upright, on white, no larger than we keep.

    Raises:
        TooLargePictureError: it has too many of them; none was read then.
    """
    Image.MAX_IMAGE_PIXELS = None  # we count them ourselves, and refuse sooner
    with Image.open(BytesIO(raw), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise TooLargePictureError
        # A JPEG can be read at a half or an eighth of its size at once.
        image.draft("RGB", (LARGE_SIDE, LARGE_SIDE))
        image.thumbnail((LARGE_SIDE, LARGE_SIDE))
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    page = Image.new("RGB", upright.size, WHITE)
    page.paste(upright, mask=upright)
    return page


def main() -> int:
    """Make the picture on standard input safe; return what became of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME_S, TIME_S))
    try:
        made = _written(_read(sys.stdin.buffer.read()), LARGE_BYTES)
    except TooLargePictureError:
        return TOO_LARGE
    except Exception:  # noqa: BLE001 - a decoder fails in many ways, all of them a no
        return UNREADABLE
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
