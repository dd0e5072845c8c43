"""How the pages look to one person: the size of the words, and the colours."""

from dataclasses import dataclass

SIZES = {"20": "Large", "24": "Larger", "30": "Largest"}
THEMES = {
    "system": "As this device",
    "light": "Light",
    "dark": "Dark",
    "contrast": "High contrast",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What one person chose; at first, what suits most."""

    size: str = "20"
    theme: str = "system"

    @property
    def written(self) -> str:
        """The look as one word, as a cookie and an account keep it."""
        return f"{self.size}.{self.theme}"

    @property
    def scheme(self) -> str:
        """What the browser is to paint before the page comes, in CSS's own words."""
        return {"system": "light dark", "light": "light"}.get(self.theme, "dark")


def read_look(text: str) -> Look:
    """Return the look that was written; what cannot be read is as at first.

    >>> read_look("24.dark"), read_look("99.dark"), read_look("x") == Look()
    (Look(size='24', theme='dark'), Look(size='20', theme='dark'), True)
    """
    size, _, theme = text.partition(".")
    return Look(
        size=size if size in SIZES else Look().size,
        theme=theme if theme in THEMES else Look().theme,
    )
