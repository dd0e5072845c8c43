"""Restores the newest backup once a week, to see that it can be: beside everything.

The scratch database is only read. Nothing is sent from it: jobs look at the one of
DATABASE_URL alone.
"""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs.build_reports import print_report
from jobs.runtime import gently, transaction
from pillweb.accounts.models import Account
from pillweb.accounts.queries import account_by_email
from pillweb.audit.queries import verify_all
from pillweb.base.age import BackupError
from pillweb.base.dumping import size_of
from pillweb.base.log import log
from pillweb.medications.models import Medication
from pillweb.reports.queries import gather_report
from pillweb.watch.actions.backing_up import (
    ROOM,
    begin_run,
    end_run,
    must_have_room,
    work_folder,
)
from pillweb.watch.actions.putting_back import (
    migrate_forward,
    must_hold,
    open_backup,
    opened_database,
    read_key,
    scratch,
)
from pillweb.watch.queries import (
    backup_folder,
    backup_url,
    backups_in,
    restore_test_due,
)
from pillweb.watch.rules.alarm import RESTORE_TEST

MONTH = timedelta(days=30)
# Nothing is known of the backup then: the machine lacks what the test needs.
CANNOT = {"no_key", "wrong_key", "no_scratch", "pg_restore_missing", "disk"}


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the newest backup is to be tested."""
    return restore_test_due(session, now=now)


def run() -> int:
    """Test it, unless another process is at it; return how many were proven."""
    with transaction() as (session, now):
        due = oldest(session, now)
        run_id = begin_run(session, RESTORE_TEST, now=now) if due else None
    if run_id is None:
        return 0
    file, outcome, reason = None, "ok", ""
    with gently():
        try:
            file = _newest()
            prove(file, now=now)
        except BackupError as error:
            outcome = "cannot" if error.code in CANNOT else "failed"
            reason = error.code
            log.error("restore_test_failed", reason=reason)
        except Exception:  # noqa: BLE001 - whatever it was, it is noted
            outcome, reason = "failed", "crashed"
            log.exception("restore_test_crashed")
    with transaction() as (session, now):
        end_run(
            session,
            run_id,
            outcome=outcome,
            reason=reason,
            file=file.name if file else "",
            size=file.stat().st_size if file and file.exists() else 0,
            now=now,
        )
    return int(outcome == "ok")


def _newest() -> Path:
    made = backups_in(backup_folder())
    if not made:
        raise BackupError("gone", "There is no backup where backups are written.")
    return made[max(made)]


def prove(file: Path, *, now: datetime) -> None:
    """Restore a backup beside everything and see that PillWeb could go on with it.

    Its rows are counted, the chains of the record followed, an account is found by its
    address, and a report printed.

    Raises:
        BackupError: it could not be restored, or one of these failed.
    """
    with work_folder() as folder:
        must_have_room(folder, size=ROOM * size_of(backup_url()))
        opened = open_backup(file, folder, key=read_key(None))
        with scratch(opened, backup_url()) as url:
            must_hold(opened, url)
            migrate_forward(url)
            with opened_database(url) as database, database.reading() as session:
                _must_be_unaltered(session)
                _must_let_in(session)
                _must_print(session, now=now)


def _must_be_unaltered(session: Session) -> None:
    faults, _broken, _entries = verify_all(session)
    if faults:
        raise BackupError("record", "A chain of the record is not as it was written.")


def _must_let_in(session: Session) -> None:
    newest = session.scalar(select(func.max(Account.id)))
    account = session.get(Account, newest) if newest else None
    if account and account_by_email(session, account.email) is not account:
        raise BackupError("sign_in", "An account is not found by its address.")


def _must_print(session: Session, *, now: datetime) -> None:
    newest = session.scalar(select(func.max(Medication.id)))
    if newest is None:
        return
    patient_id = session.get_one(Medication, newest).patient_id
    last = now.date()
    page = gather_report(session, patient_id, first=last - MONTH, last=last, now=now)
    if not print_report(page).startswith(b"%PDF"):
        raise BackupError("report", "A report could not be printed.")
