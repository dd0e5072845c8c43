"""How entries hang together: hashes, and what is wrong with a chain."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple, Protocol

FORMAT = b"pillweb audit 1"
SEAL_FORMAT = b"pillweb audit heads 1"
GENESIS = bytes(32)
LENGTH_BYTES = 4
# A look of the same person at the same page is told once in this time.
ONE_LOOK = timedelta(minutes=10)
# Longer than any transaction lasts: no entry of so long ago is still on its way.
SETTLED = timedelta(minutes=10)
EDITED, MISSING, FORKED, TRUNCATED, HEAD = (
    "edited",
    "missing",
    "forked",
    "truncated",
    "head",
)


def what_place(patient_id: int, seq: int) -> str:
    """Return to which entry the encrypted part of one is bound."""
    return f"audit_entry.what:{patient_id}:{seq}"


class Linked(Protocol):
    """An entry as it is stored; see `audit.models.AuditEntry`."""

    id: int
    patient_id: int
    seq: int
    at: datetime
    by: str
    account_id: int | None
    link_id: int | None
    act: str
    what: bytes
    prev_hash: bytes
    hash: bytes


class Head(NamedTuple):
    """Where a chain ends, or ended at some time."""

    patient_id: int
    seq: int
    hash: bytes


class Fault(NamedTuple):
    """The first entry of a chain that is not as it was written."""

    patient_id: int
    seq: int
    kind: str


class Seal(NamedTuple):
    """All heads as they were at an instant: how many entries, and one hash of all."""

    at: datetime
    entries: int
    root: bytes


def _packed(*fields: bytes) -> bytes:
    """Return fields in one string that no other fields give (length before each)."""
    return b"".join(len(one).to_bytes(LENGTH_BYTES, "big") + one for one in fields)


def _number(value: int | None) -> bytes:
    return b"" if value is None else str(value).encode()


def entry_hash(entry: Linked) -> bytes:
    """Return the SHA-256 of an entry and of the hash before it.

    `what` goes in as it is stored, so that a chain is still whole when the key to its
    text is gone. The time goes in as UTC to the microsecond.
    """
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    fields = (
        FORMAT,
        entry.prev_hash,
        _number(entry.patient_id),
        _number(entry.seq),
        at.encode(),
        entry.by.encode(),
        _number(entry.account_id),
        _number(entry.link_id),
        entry.act.encode(),
        entry.what,
    )
    return sha256(_packed(*fields)).digest()


def faults_among(
    entries: Iterable[Linked], *, after: Head
) -> Iterator[tuple[Linked, Fault | None]]:
    """Yield entries that follow a head with what is wrong with each; end at a fault."""
    for entry in entries:
        kind = _fault_of(entry, after)
        yield entry, Fault(entry.patient_id, entry.seq, kind) if kind else None
        if kind:
            return
        after = Head(entry.patient_id, entry.seq, entry.hash)


def _fault_of(entry: Linked, before: Head) -> str:
    if entry.seq <= before.seq:
        return FORKED
    if entry.seq != before.seq + 1:
        return MISSING
    if entry.hash != entry_hash(entry):
        return EDITED
    return "" if entry.prev_hash == before.hash else FORKED


class Roots:
    """Makes one hash of all heads, as they were at each of some instants."""

    def __init__(self, instants: Iterable[datetime]) -> None:
        self.instants: Sequence[datetime] = sorted(instants)
        self._hashes = [sha256(_packed(SEAL_FORMAT)) for _ in self.instants]
        self._entries = [0 for _ in self.instants]

    def take(self, index: int, head: Head) -> None:
        """Add the head that a chain had at an instant; chains come in their order."""
        fields = _number(head.patient_id), _number(head.seq), head.hash
        self._hashes[index].update(_packed(*fields))
        self._entries[index] += head.seq

    def seals(self) -> list[Seal]:
        """Return the hash of all heads at each instant, and how many entries it is."""
        return [
            Seal(at, entries, found.digest())
            for at, entries, found in zip(
                self.instants, self._entries, self._hashes, strict=True
            )
        ]


def seal_line(seal: Seal) -> str:
    """Return a seal as one line of the file of heads."""
    return f"{seal.at.isoformat()} {seal.entries} {seal.root.hex()}"


def read_seals(text: str) -> list[Seal]:
    """Return the seals of a file of heads; raise ValueError where it is none."""
    rows = (line.split() for line in text.splitlines() if line.strip())
    return [
        Seal(datetime.fromisoformat(at), int(entries), bytes.fromhex(root))
        for at, entries, root in rows
    ]
