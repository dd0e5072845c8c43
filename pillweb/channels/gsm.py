"""How much of a text an SMS holds (3GPP TS 23.038), and texts that fit."""

from collections.abc import Sequence
from math import ceil

ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each takes two places.
EXTENSION = frozenset("^{}\\[~]|€\f")
# What typesetting wants, and what says the same in the alphabet.
PLAINER = str.maketrans(
    dict.fromkeys("\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}", "'")
    | dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("\N{EN DASH}\N{EM DASH}", "-")
    | dict.fromkeys("\u00a0\u202f\u2009", " ")
    | {"…": "..."}
)
ALONE, JOINED = 160, 153
WIDE_ALONE, WIDE_JOINED = 70, 67
MOST_PARTS = 3


def is_plain(text: str) -> bool:
    """Say whether an SMS can hold the text in seven bits a letter."""
    return all(letter in ALPHABET or letter in EXTENSION for letter in text)


def septets(text: str) -> int:
    """Return how many places a plain text takes.

    >>> septets("Price: 5 €")
    11
    """
    return sum(2 if letter in EXTENSION else 1 for letter in text)


def parts_of(text: str) -> int:
    """Return as how many SMS a text is sent, and paid.

    >>> parts_of("a" * 160), parts_of("a" * 161), parts_of("ą" * 70), parts_of("ą" * 71)
    (1, 2, 1, 2)
    """
    if is_plain(text):
        size = septets(text)
        return 1 if size <= ALONE else ceil(size / JOINED)
    size = len(text.encode("utf-16-be")) // 2
    return 1 if size <= WIDE_ALONE else ceil(size / WIDE_JOINED)


def plainer(text: str) -> str:
    """Return the text with plain quotes, dashes and spaces, where that makes it plain.

    >>> plainer("8 am…"), plainer("środa…")
    ('8 am...', 'środa…')
    """
    plain = text.translate(PLAINER)
    return plain if is_plain(plain) else text


def fitting(words: str, extras: Sequence[str], link: str) -> str:
    """Return the words with the first extra that fits, and the link, never cut.

    One SMS where that is possible, else at most three; without any extra where not even
    three hold one, and then the words are cut.
    """
    texts = [
        plainer(" ".join(part for part in (words, extra, link) if part))
        for extra in (*extras, "")
    ]
    for some in (texts[:-1], texts[-1:]):
        for most in (1, MOST_PARTS):
            for text in some:
                if parts_of(text) <= most:
                    return text
    size = len(words)
    while size and parts_of(text := plainer(f"{words[:size]}... {link}")) > MOST_PARTS:
        size -= 1
    return text
