"""What keeps an imported dosage from being certain."""


class Doubts:
    """Why a dosage needs checking: what a person must choose, and one sentence each.

    `missing` holds names of our own fields ("dose", "times", "start_date", "text" …).
    """

    def __init__(self) -> None:
        self._missing: dict[str, None] = {}
        self._reasons: dict[str, None] = {}

    def add(self, missing: str, sentence: str) -> None:
        """Write down one doubt, in the words of who imports; the same twice is one."""
        self._missing[missing] = None
        self._reasons[sentence] = None

    def take(self, other: "Doubts") -> None:
        """Add everything that another reading doubted."""
        self._missing |= dict.fromkeys(other.missing)
        self._reasons |= dict.fromkeys(other.reasons)

    def __bool__(self) -> bool:
        return bool(self._missing)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what a person must choose, first met first."""
        return tuple(self._missing)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return the sentences, first met first."""
        return tuple(self._reasons)
