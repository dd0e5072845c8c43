"""What is true of leaving and forgetting without asking anybody."""

import json
from datetime import datetime
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.retention import LEAVING, kept_for

# So long it can be taken back that somebody leaves.
LEAVES_AFTER = kept_for(LEAVING)
PATIENT, ACCOUNT = "patient", "account"
# What a reminder of somebody is who is leaving; it may wake up again.
ASLEEP = "asleep"
# What names a patient or an account and is not erased with them: the record is numbers
# alone, and a chain with a gap proves nothing; a tombstone keeps backups from bringing
# anybody back.
STAYS = ("audit_entry", "audit_head", "erasure")


TABLET, LINK, FEED = "tablet", "link", "feed"
WAYS = {
    TABLET: gettext_noop("The tablet “%(name)s”"),
    LINK: gettext_noop("The link “%(name)s”"),
    FEED: gettext_noop("The calendar of a phone “%(name)s”"),
}


class Way(NamedTuple):
    """What was given out of a patient: a tablet, a link, or a phone's calendar."""

    kind: str
    row_id: int
    name: str
    made_by_id: int | None

    @property
    def key(self) -> str:
        """By which a form names it."""
        return f"{self.kind}-{self.row_id}"

    @property
    def words(self) -> str:
        """How people call it."""
        return _(WAYS[self.kind], name=self.name)


class Whose(NamedTuple):
    """A patient or an account, by number."""

    kind: str
    row_id: int


class Erased(NamedTuple):
    """A line of the ledger: that something was erased, and how to know it again."""

    whose: Whose
    fingerprint: bytes
    at: datetime


def ledger_line(erased: Erased) -> str:
    """Return an erasure as a line of the ledger."""
    facts = {
        "kind": erased.whose.kind,
        "id": erased.whose.row_id,
        "fingerprint": erased.fingerprint.hex(),
        "at": erased.at.isoformat(),
    }
    return json.dumps(facts)


def read_line(line: str) -> Erased | None:
    """Return what a line of the ledger says; None where it was cut off.

    >>> read_line('{"kind": "pat') is None
    True
    """
    try:
        facts = json.loads(line)
        return Erased(
            Whose(str(facts["kind"]), int(facts["id"])),
            bytes.fromhex(facts["fingerprint"]),
            datetime.fromisoformat(facts["at"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def is_same_name(typed: str, name: str) -> bool:
    """Say whether somebody typed a name as it is written, but for case and spaces.

    >>> is_same_name(" rosa  diaz", "Rosa Diaz")
    True
    """
    return " ".join(typed.split()).casefold() == " ".join(name.split()).casefold()
