"""Which backups are kept, when one is due, and what stands beside each."""

import json
import re
from collections.abc import Callable, Collection, Hashable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

FORMAT = 1
NAME = re.compile(r"pillweb-(\d{8}T\d{6}Z)\.age")
STAMP = "%Y%m%dT%H%M%SZ"
DAILY, WEEKLY, MONTHLY = 7, 4, 6
# Few people are reminded then, wherever most of them live between Lisbon and Delhi.
NIGHT_HOUR = 2
RETRY = timedelta(hours=1)
# No backup and no test takes longer: whoever began it was killed.
LEASE = timedelta(hours=2)
TEST_EVERY = timedelta(days=7)
TEST_RETRY = timedelta(hours=12)
UNPROVEN_AFTER = timedelta(days=8)
RUNS_KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What may be known of a backup without its key; no names and no numbers of rows.

    `schema` is the revision of the database, `database` its kind (sqlite or
    postgresql), `version` PillWeb's; `bytes` and `sha256` are of the encrypted file.
    """

    format: int
    version: str
    schema: str
    database: str
    made_at: str
    bytes: int
    sha256: str

    def text(self) -> str:
        """Return it as it is written beside the file."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_manifest(text: str) -> Manifest | None:
    """Return what a text says of a backup; None where it is no such text."""
    try:
        found = json.loads(text)
        made = Manifest(**{name: found[name] for name in Manifest.__slots__})
    except (ValueError, TypeError, KeyError):
        return None
    kinds = {name: type(getattr(made, name)) for name in Manifest.__slots__}
    wanted = {name: int if name in {"format", "bytes"} else str for name in kinds}
    return made if kinds == wanted else None


def file_name(made_at: datetime) -> str:
    """Return how a backup of this instant is called.

    >>> file_name(datetime(2026, 11, 20, 2, tzinfo=UTC))
    'pillweb-20261120T020000Z.age'
    """
    return f"pillweb-{made_at.astimezone(UTC):{STAMP}}.age"


def made_at_of(name: str) -> datetime | None:
    """Return of when a file is by its name; None where it is no backup of ours."""
    found = NAME.fullmatch(name)
    try:
        made = datetime.strptime(found[1], STAMP) if found else None  # noqa: DTZ007
    except ValueError:
        return None
    return made.replace(tzinfo=UTC) if made else None


def last_night(now: datetime) -> datetime:
    """Return since when the newest backup should have been made.

    >>> last_night(datetime(2026, 11, 20, 1, 59, tzinfo=UTC)).isoformat()
    '2026-11-19T02:00:00+00:00'
    """
    tonight = now.astimezone(UTC).replace(
        hour=NIGHT_HOUR, minute=0, second=0, microsecond=0
    )
    return tonight if tonight <= now else tonight - timedelta(days=1)


def kept(made: Collection[datetime], *, now: datetime, days: int) -> set[datetime]:
    """Return which backups are kept: the newest of each day, week and month.

    So of the last 7 days, 4 weeks and 6 months that have any; of those none that is
    older than so many days, but always the newest there is.
    """
    newest_first = sorted(made, reverse=True)
    rules: tuple[tuple[int, Callable[[datetime], Hashable]], ...] = (
        (DAILY, lambda at: at.date()),
        (WEEKLY, lambda at: at.isocalendar()[:2]),
        (MONTHLY, lambda at: (at.year, at.month)),
    )
    found = set(newest_first[:1])
    for most, span_of in rules:
        newest_of: dict[Hashable, datetime] = {}
        for at in newest_first:
            newest_of.setdefault(span_of(at), at)
        found |= set(list(newest_of.values())[:most])
    oldest = now - timedelta(days=days)
    return {at for at in found if at >= oldest or at == newest_first[0]}
