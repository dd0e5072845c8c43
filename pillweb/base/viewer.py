"""Who is asking: carried from the edge down to the doors."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in account, by one of its sessions, at the instant it was asked."""

    account_id: int
    session_id: int
    name: str
    email: str
    at: datetime
