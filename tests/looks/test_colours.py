"""Each theme by numbers: words at 7 to 1 or more, edges and rings at 3 to 1."""

import re

import pytest

from pillweb.web.files import STATIC

GROUNDS = ("paper", "card")
PARTS = ("morning", "midday", "evening", "bedtime")
# Which words stand on which grounds.
WORDS = [
    *((ink, ground) for ink in ("ink", "soft", "link") for ground in GROUNDS),
    *((ink, ground) for ink in ("wrong-ink",) for ground in (*GROUNDS, "wrong")),
    *(
        (f"{kind}-ink", ground)
        for kind in ("good", "calm", "gone")
        for ground in (*GROUNDS, kind)
    ),
    *(
        (ink, part)
        for ink in ("ink", "soft", "link", "good-ink", "calm-ink", "gone-ink")
        for part in PARTS
    ),
    ("ink", "due"),
    ("soft", "due"),
    ("head-ink", "head"),
    ("brand-ink", "brand"),
    ("brand-ink", "brand-hover"),
]
EDGES = [
    *((edge, ground) for edge in ("line", "brand", "ring") for ground in GROUNDS),
    *(
        (f"{kind}-edge", ground)
        for kind in ("good", "calm", "gone", "due")
        for ground in (*GROUNDS, kind)
    ),
    *((f"{part}-edge", ground) for part in PARTS for ground in (*GROUNDS, part)),
    *((edge, part) for edge in ("brand", "ring", "calm-edge") for part in PARTS),
    ("ring", "due"),
    ("ring", "ring-gap"),
]


def tokens(*sheets: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for sheet in sheets:
        first = (STATIC / f"{sheet}.css").read_text().split(":root {", 1)[1]
        found |= re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", first.split("}")[0])
    return found


def light_of(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    digits = colour[1:]
    if len(digits) == 3:
        digits = "".join(2 * one for one in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((light_of(one), light_of(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [("app",), ("app", "dark"), ("app", "contrast")])
def test_every_pair_of_a_theme_can_be_told_apart(theme: tuple[str, ...]) -> None:
    colours = tokens(*theme)
    faint = {
        f"{one} on {other}": round(contrast(colours[one], colours[other]), 2)
        for pairs, least in ((WORDS, 7), (EDGES, 3))
        for one, other in pairs
        if contrast(colours[one], colours[other]) < least
    }
    assert faint == {}


@pytest.mark.parametrize("theme", ["dark", "contrast"])
def test_a_theme_gives_every_colour_a_value(theme: str) -> None:
    assert set(tokens(theme)) == set(tokens("app"))
