"""Who is asking: carried from the edge down to the doors."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in account, by one of its sessions."""

    account_id: int
    session_id: int
    name: str
    email: str
