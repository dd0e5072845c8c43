"""Backups: made, forgotten, and what is noted of them."""

import contextlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pyrage import EncryptError
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from pillweb.base.age import BackupError, new_key, recipient_of, seal
from pillweb.base.config import settings
from pillweb.base.crypto import key_name
from pillweb.base.db import insert_new
from pillweb.base.dumping import Contents, copy_out, kind_of, size_of
from pillweb.base.known_settings import ROOT, listed
from pillweb.base.line_file import bring_lines
from pillweb.base.log import log
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.watch.models import BackupRun
from pillweb.watch.queries import (
    backup_folder,
    backup_url,
    backups_in,
    key_file,
    newest_run,
    newest_success,
)
from pillweb.watch.rules.alarm import BACKUP, RESTORE_TEST
from pillweb.watch.rules.keeping import (
    FORMAT,
    LEASE,
    RUNS_KEPT,
    UNPROVEN_AFTER,
    Manifest,
    file_name,
    kept,
)

DATABASE, CONTENTS, HEADS, ERASURES = (
    "database",
    "contents.json",
    "audit-heads.txt",
    "erasures.jsonl",
)
# The pages call a disk full that has less than a twentieth left.
LEAST_FREE = 0.05
# The copy, and what is made of it.
ROOM = 2.2


class _Counted:
    """A file that knows how long it is and what its SHA-256 is."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.bytes, self.hash = file, 0, sha256()

    def write(self, piece: bytes) -> int:
        """Write a piece."""
        self.hash.update(piece)
        self.bytes += len(piece)
        return self.file.write(piece)

    def flush(self) -> None:
        """Hand over what was written."""
        self.file.flush()


def make_key() -> str:
    """Return the secret key that opens the backups made here; make it the first time.

    Raises:
        BackupError: it cannot be written.
    """
    file = key_file()
    if not file.exists():
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = file.with_suffix(f".{os.getpid()}")
            _write(new, f"{new_key()}\n")
            with contextlib.suppress(FileExistsError):
                # A link, not a rename: two at once must agree on one key.
                os.link(new, file)
            new.unlink()
        except OSError as error:
            raise BackupError("no_key", f"{file}: {error.strerror}.") from None
        log.warning("backup_key_made", answer="run: python app.py backup-key")
    return file.read_text("ascii").strip()


def recipients() -> tuple[str, ...]:
    """Return for whom backups are encrypted; make a key where nobody is named."""
    return listed(settings().backup_recipient) or (recipient_of(make_key()),)


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """Yield a private folder for what must not lie beside the backups in the clear."""
    place = Path(settings().var_dir) / "work"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def must_have_room(*places: Path, size: float) -> None:
    """Refuse what would leave a disk nearly full.

    Raises:
        BackupError: it would.
    """
    for place in places:
        usage = shutil.disk_usage(place)
        if usage.free - size < usage.total * LEAST_FREE:
            raise BackupError(
                "disk", f"There is too little room for it on the disk of {place}."
            )


def make_backup(folder: Path, *, now: datetime) -> tuple[Path, Manifest]:
    """Write a backup of everything into a folder; return its file, and what it is.

    It counts from when its manifest stands beside it: a file without one was cut off.

    Raises:
        BackupError: it could not be made. No part of it is left.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with work_folder() as work:
            url = backup_url()
            must_have_room(work, folder, size=ROOM * size_of(url))
            contents = copy_out(url, work / DATABASE)
            _write(work / CONTENTS, contents_text(contents, kind_of(url)))
            return _seal_all(work, folder, contents, now=now)
    except (OSError, EncryptError) as error:
        log.warning("backup_unwritten", error=type(error).__name__)
        raise BackupError(
            "unwritten", f"The backup could not be written to {folder}: {error}."
        ) from None


def contents_text(contents: Contents, kind: str) -> str:
    """Return what a backup says of itself to those who can open it."""
    ring = {*settings().field_key_ring, settings().index_key_bytes}
    keys = sorted(key_name(key).hex() for key in ring)
    facts = asdict(contents) | {"format": FORMAT, "database": kind, "keys": keys}
    return json.dumps(facts)


def _seal_all(
    work: Path, folder: Path, contents: Contents, *, now: datetime
) -> tuple[Path, Manifest]:
    files = {CONTENTS: work / CONTENTS, DATABASE: work / DATABASE}
    heads = Path(settings().var_dir) / HEADS
    files |= {HEADS: heads} if heads.exists() else {}
    whole = folder / file_name(now)
    part = whole.with_name(f"{whole.name}.part")
    try:
        with part.open("xb") as file:
            part.chmod(0o600)
            counted = _Counted(file)
            seal(counted, files, recipients())  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)
    manifest = Manifest(
        format=FORMAT,
        version=version(),
        schema=contents.revision,
        database=kind_of(backup_url()),
        made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        bytes=counted.bytes,
        sha256=counted.hash.hexdigest(),
    )
    _replace(whole.with_name(f"{whole.name}.json"), manifest.text())
    _copy_ledger(folder)
    return whole, manifest


def _copy_ledger(folder: Path) -> None:
    """Keep who was erased beside the backups: older ones still hold them.

    What other machines wrote there stays.
    """
    bring_lines(Path(settings().var_dir) / ERASURES, folder / ERASURES)


def version() -> str:
    """Return which PillWeb this is."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return str(told["project"]["version"])


def _replace(file: Path, text: str) -> None:
    """Let a file hold a text, on the disk, whole or not at all."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        _write(part, text)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(file: Path, text: str) -> None:
    with file.open("x", encoding="utf-8") as sink:
        file.chmod(0o600)
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())


def forget_backups(folder: Path, *, now: datetime) -> int:
    """Delete the backups whose time is over, and what was cut off; return how many."""
    made = backups_in(folder)
    over = made.keys() - kept(made, now=now, days=settings().backup_days)
    for at in over:
        # Without its manifest it counts no more, wherever this ends.
        made[at].with_name(f"{made[at].name}.json").unlink(missing_ok=True)
        made[at].unlink(missing_ok=True)
    _sweep(folder, now - timedelta(days=max(settings().backup_days, 1)), now - LEASE)
    return len(over)


def _sweep(folder: Path, oldest: datetime, begun: datetime) -> None:
    """Delete what was cut off: parts after hours, whole files that never counted."""
    counted = set(backups_in(folder).values())
    for file in folder.glob("pillweb-*"):
        limit = begun if file.suffix == ".part" else oldest
        is_ours = file.suffix == ".part" or (
            file.suffix == ".age" and file not in counted
        )
        if is_ours and datetime.fromtimestamp(file.stat().st_mtime, UTC) < limit:
            file.unlink(missing_ok=True)
    for left in (Path(settings().var_dir) / "work").glob("*"):
        if datetime.fromtimestamp(left.stat().st_mtime, UTC) < begun:
            shutil.rmtree(left, ignore_errors=True)


def begin_run(session: Session, kind: str, *, now: datetime) -> int | None:
    """Note that a backup or a test begins; None where another one is at it."""
    session.execute(delete(BackupRun).where(BackupRun.started_at < now - RUNS_KEPT))
    session.execute(
        update(BackupRun)
        .where(
            BackupRun.kind == kind,
            BackupRun.finished_at.is_(None),
            BackupRun.started_at < now - LEASE,
        )
        .values(finished_at=now, outcome="failed", reason="cut_off")
    )
    row = {"kind": kind, "started_at": now, "outcome": "", "reason": ""}
    if not insert_new(session, BackupRun, [row | {"file": "", "size": 0}]):
        return None
    run = newest_run(session, kind)
    return run.id if run else None


def end_run(
    session: Session,
    run_id: int,
    *,
    outcome: str,
    reason: str = "",
    file: str = "",
    size: int = 0,
    now: datetime,
) -> None:
    """Note how a backup or a test ended, and whether something is wrong by now."""
    run = session.get_one(BackupRun, run_id)
    run.finished_at, run.outcome, run.reason = now, outcome, reason[:40]
    run.file, run.size = file, size
    session.flush()
    if outcome == "ok":
        close_incidents(session, kind=run.kind, now=now)
    elif outcome == "failed" or _is_unproven(session, run.kind, now=now):
        open_incident(session, kind=run.kind, opened_at=now)


def _is_unproven(session: Session, kind: str, *, now: datetime) -> bool:
    """Say whether no test succeeded for longer than eight days."""
    if kind != RESTORE_TEST:
        return False
    proven = newest_success(session, RESTORE_TEST)
    since = proven.started_at if proven else _first_backup_at(session)
    return since is not None and now - since > UNPROVEN_AFTER


def _first_backup_at(session: Session) -> datetime | None:
    first = min(backups_in(backup_folder()), default=None)
    noted = newest_success(session, BACKUP)
    return first or (noted.started_at if noted else None)
