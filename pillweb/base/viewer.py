"""Who is asking: carried from the edge down to the doors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in account, by one of its sessions, at the instant it was asked.

    `seen_at` is when the session was last written down as used; `proved_at` is when
    somebody last showed in it who they are. `is_let_in` says that a helper is about to
    let this account in again: only it can say whether that is right. From `leaves_at`
    on the account is no more.
    """

    account_id: int
    session_id: int
    name: str
    email: str
    at: datetime
    seen_at: datetime | None = None
    proved_at: datetime | None = None
    is_let_in: bool = False
    leaves_at: datetime | None = None

    @property
    def channel(self) -> str:
        """By which way they record doses."""
        return "page"

    @property
    def key(self) -> str:
        """Whose what this browser keeps is."""
        return str(self.account_id)


@dataclass(frozen=True, slots=True)
class Tablet:
    """A tablet that stays signed in to those it is for, at the instant it was asked.

    `places` are its places by patient; `patient_id` is whose pages it shows now, None
    until somebody pressed their picture. `is_shared` says that there is a picture to
    press, `open_until` until when it was pressed for. No account stands behind it.
    """

    device_id: int
    places: Mapping[int, int]
    patient_id: int | None
    is_shared: bool
    at: datetime
    seen_at: datetime
    open_until: datetime | None = None

    @property
    def account_id(self) -> None:
        """Nobody's: whoever holds it records as the patient."""
        return

    @property
    def name(self) -> str:
        """Nobody's."""
        return ""

    @property
    def channel(self) -> str:
        """By which way they record doses."""
        return "tablet"

    @property
    def key(self) -> str:
        """Whose what this browser keeps is; empty while it is open for nobody."""
        open_for = self.patient_id
        return f"tablet-{self.device_id}-{open_for}" if open_for is not None else ""


Asker = Viewer | Tablet
