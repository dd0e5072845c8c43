"""Bring the words of a prescription into one spelling, so that they can be compared."""

import re
import unicodedata

_NUMBERS = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
)
_TENS = {"thirty": 30, "forty": 40, "sixty": 60, "ninety": 90}
_WORDS = {
    **{word: str(place + 1) for place, word in enumerate(_NUMBERS)},
    **{word: str(number) for word, number in _TENS.items()},
}
_PHRASES = (
    (r"\bhalf an hour\b", "30 minutes"),
    (r"\ban hour\b", "1 hour"),
    (r"(\d+) and (?:a )?half\b", r"\1.5"),
    (r"(\d+) and (?:a )?quarter\b(?: of an?\b)?", r"\1.25"),
    (r"(\d+) and three quarters\b", r"\1.75"),
    (r"(\d+) and 3 quarters\b", r"\1.75"),
    (r"\b(?:a |1 )?half (?:of )?(?:an? )?", "0.5 "),
    (r"\b(?:a |1 )?quarter (?:of )?(?:an? )?", "0.25 "),
    (r"\b3 quarters (?:of )?(?:an? )?", "0.75 "),
    (r"(\d) 1/2\b", r"\1.5"),
    (r"(\d) 1/4\b", r"\1.25"),
    (r"(\d) 3/4\b", r"\1.75"),
    (r"\b1/2\b", "0.5"),
    (r"\b1/4\b", "0.25"),
    (r"\b3/4\b", "0.75"),
    (r"\b([ap])\.\s?m\.?(?!\w)", r"\1m"),
    (r"\b1 \(1\)", "1"),
)


def plain_words(text: str) -> str:
    """Return the text in lower case, numbers as digits, fractions as decimals."""
    spaced = re.sub("([\u00bc-\u00be\u2150-\u215e])", r" \1", text)
    plain = unicodedata.normalize("NFKC", spaced).lower().replace("\u2044", "/")
    plain = plain.replace("\u2019", "'").replace("\u2212", "-")
    plain = re.sub("[\u2010-\u2015]", "-", plain)
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    plain = re.sub(r"(?<=\d),(?=\d)", ".", plain)
    plain = re.sub(r"\b[a-z]+\b", lambda found: _WORDS.get(found[0], found[0]), plain)
    plain = " ".join(plain.split())
    for pattern, said in _PHRASES:
        plain = re.sub(pattern, said, plain)
    return " ".join(plain.split())
