"""Text from outside as one line in which nothing is hidden."""

import unicodedata
from typing import Any

# Embeddings, overrides and isolates turn "50 mg" round; the rest is not to be seen.
UNSEEN = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00ad\u200b\u2060\ufeff"
)


def clean_text(value: Any) -> Any:  # noqa: ANN401
    """Return text as one line in Unicode NFC, empty where nothing of it can be seen.

    Tabs and line ends become spaces, so that words never run together; control
    characters, overrides of direction and invisible spaces go. Marks that join or
    steer inside a word are kept: Arabic, Hebrew and emoji of several need them.
    """
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    kept = "".join(
        char
        for char in line
        if char not in UNSEEN and unicodedata.category(char) not in {"Cc", "Cs"}
    )
    if not any(unicodedata.category(char)[0] not in "CZ" for char in kept):
        return ""
    return unicodedata.normalize("NFC", kept).strip()
