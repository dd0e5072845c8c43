"""A photo from outside: only its pixels come through, and never too much of it."""

from io import BytesIO

import pytest
from PIL import Image

from pillweb.base import picture
from pillweb.base.picture import (
    CROPS,
    LARGE_BYTES,
    LARGE_SIDE,
    SMALL_BYTES,
    SMALL_SIDE,
    Crop,
    TooLargePictureError,
    UnreadablePictureError,
    made_safe,
    thumbnail,
)

SECRET = b"51.5007 N, 0.1246 W"
RED, BLUE = (200, 30, 30), (30, 30, 200)
UPSIDE_DOWN, LEFT = 3, 6


def photo(image: Image.Image, kind: str = "JPEG", **more: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def noise(width: int, height: int) -> Image.Image:
    """Return what is hardest to make small."""
    return Image.effect_noise((width, height), 90).convert("RGB")


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def test_nothing_but_pixels_comes_through() -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    raw = photo(noise(600, 400), exif=exif, comment=SECRET) + b"GIF89a" + SECRET
    assert SECRET in raw
    safe = made_safe(raw)
    assert SECRET not in safe
    assert not opened(safe).getexif()
    assert "comment" not in opened(safe).info


def test_a_photo_is_upright_however_the_camera_was_held() -> None:
    image = Image.new("RGB", (400, 200), BLUE)
    image.paste(RED, (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = LEFT
    safe = opened(made_safe(photo(image, exif=exif)))
    assert safe.size == (200, 400)
    top = safe.getpixel((100, 50))
    assert isinstance(top, tuple)
    assert top[0] > top[2]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_largest_noise_is_made_to_fit(kind: str) -> None:
    safe = made_safe(photo(noise(2400, 1600), kind))
    assert len(safe) <= LARGE_BYTES
    assert max(opened(safe).size) <= LARGE_SIDE
    for crop in CROPS:
        small = thumbnail(safe, crop)
        assert len(small) <= SMALL_BYTES
        assert opened(small).size == (SMALL_SIDE, SMALL_SIDE)


@pytest.mark.parametrize(
    ("crop", "corner", "centre"),
    [("whole", "white", RED), ("middle", "blue", RED), ("closer", "red", RED)],
)
def test_a_crop_shows_more_or_less(
    crop: Crop, corner: str, centre: tuple[int, int, int]
) -> None:
    image = Image.new("RGB", (800, 400), BLUE)
    image.paste(RED, (300, 100, 500, 300))
    small = opened(thumbnail(made_safe(photo(image, quality=95)), crop))
    wanted = {"white": (255, 255, 255), "blue": BLUE, "red": RED}[corner]
    for place, colour in (((3, 3), wanted), ((96, 96), centre)):
        found = small.getpixel(place)
        assert isinstance(found, tuple)
        assert all(abs(a - b) < 30 for a, b in zip(found, colour, strict=True)), crop


def test_what_can_be_seen_through_stands_on_white() -> None:
    safe = opened(made_safe(photo(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG")))
    assert safe.getpixel((25, 25)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_bomb_is_refused_before_it_bursts(kind: str) -> None:
    raw = photo(Image.new("L", (16_000, 16_000)), kind)
    assert len(raw) < 10_000_000
    with pytest.raises(TooLargePictureError):
        made_safe(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"%PDF-1.7",
        b"\xff\xd8\xff\xe0" + b"\x00" * 100,
        photo(Image.new("RGB", (9, 9)), "GIF"),
        photo(Image.new("RGB", (9, 9)), "TIFF"),
        photo(noise(300, 300))[:2000],
    ],
)
def test_what_is_no_photo_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadablePictureError):
        made_safe(raw)


def test_a_decoder_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "TIME_S", 0.001)
    with pytest.raises(UnreadablePictureError):
        made_safe(photo(noise(300, 300)))
