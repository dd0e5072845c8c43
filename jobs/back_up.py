"""Makes a backup every night, and forgets those whose time is over."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import gently, transaction
from pillweb.base.age import BackupError
from pillweb.base.db import database
from pillweb.base.log import log
from pillweb.rights.actions.purging import complete_ledger
from pillweb.watch.actions.backing_up import (
    begin_run,
    end_run,
    forget_backups,
    make_backup,
)
from pillweb.watch.queries import backup_due, backup_folder
from pillweb.watch.rules.alarm import BACKUP


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when tonight's backup is to be made."""
    return backup_due(session, now=now)


def run() -> int:
    """Make it, unless another process is at it; return how many were made."""
    with transaction() as (session, now):
        due = oldest(session, now)
        run_id = begin_run(session, BACKUP, now=now) if due else None
    if run_id is None:
        return 0
    with gently():
        try:
            facts = _make(now)
        except BackupError as error:
            facts = {"outcome": "failed", "reason": error.code}
            log.error("backup_failed", reason=error.code)
        except Exception:  # noqa: BLE001 - whatever it was, it is noted
            facts = {"outcome": "failed", "reason": "crashed"}
            log.exception("backup_crashed")
    with transaction() as (session, now):
        end_run(session, run_id, now=now, **facts)  # type: ignore[arg-type]
    return int(facts["outcome"] == "ok")


def _make(now: datetime) -> dict[str, object]:
    folder = backup_folder()
    with database().reading() as session:
        complete_ledger(session)
    try:
        file, manifest = make_backup(folder, now=now)
    finally:
        # Also where none could be made: what is over goes, and the newest stays.
        gone = forget_backups(folder, now=now) if folder.exists() else 0
    log.info("backup_made", bytes=manifest.bytes, forgotten=gone)
    return {"outcome": "ok", "file": file.name, "size": manifest.bytes}
