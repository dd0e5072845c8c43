"""How the pages look to one person: size and colours, language, clock and digits."""

from dataclasses import dataclass, replace
from typing import Self

from pillweb.base.i18n import DIGITS, HOURS, LANGUAGES, Speech, gettext_noop

SIZES = {
    "20": gettext_noop("Large"),
    "24": gettext_noop("Larger"),
    "30": gettext_noop("Largest"),
}
THEMES = {
    "system": gettext_noop("As this device"),
    "light": gettext_noop("Light"),
    "dark": gettext_noop("Dark"),
    "contrast": gettext_noop("High contrast"),
}
_SPEECH = (LANGUAGES, HOURS, DIGITS)


@dataclass(frozen=True, slots=True)
class Look:
    """What one person chose; at first, what suits most.

    An empty language is that of the browser; empty hours and digits are those of the
    language.
    """

    size: str = "20"
    theme: str = "system"
    language: str = ""
    hours: str = ""
    digits: str = ""

    @property
    def written(self) -> str:
        """The look as one word, as a cookie and an account keep it."""
        parts = (self.size, self.theme, self.language, self.hours, self.digits)
        return ".".join(parts).rstrip(".")

    @property
    def speech(self) -> Speech:
        """How to speak to this person; in English where nothing was chosen."""
        return Speech(self.language or "en", self.hours, self.digits)

    def spoken(self, language: str) -> Self:
        """Return this look with a language, where none was chosen."""
        return replace(self, language=self.language or language)

    @property
    def scheme(self) -> str:
        """What the browser is to paint before the page comes, in CSS's own words."""
        return {"system": "light dark", "light": "light"}.get(self.theme, "dark")


def read_look(text: str) -> Look:
    """Return the look that was written; what cannot be read is as at first.

    >>> read_look("24.dark.es").written, read_look("99.dark..24").written
    ('24.dark.es', '20.dark..24')
    >>> read_look("x") == Look()
    True
    """
    size, theme, *spoken = (*text.split("."), "", "", "", "", "")[:5]
    known = [
        chosen if chosen in offered else ""
        for chosen, offered in zip(spoken, _SPEECH, strict=True)
    ]
    return Look(
        size if size in SIZES else Look().size,
        theme if theme in THEMES else Look().theme,
        *known,
    )
