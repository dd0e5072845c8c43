"""Entries are added to the end of a chain, one after the other."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.audit.models import AuditEntry, AuditHead
from pillweb.audit.queries import chained_patients, looked_lately, written_ids
from pillweb.audit.rules.chain import GENESIS, Seal, entry_hash, seal_line, what_place
from pillweb.base.config import settings
from pillweb.base.crypto import seal
from pillweb.base.db import ask, hold_row, table_of, upsert
from pillweb.base.i18n import speaking
from pillweb.base.log import log
from pillweb.base.look import read_look
from pillweb.base.sealed import key_or_house
from pillweb.base.visits import Visit
from pillweb.outbox.actions.posting import post_delivery

_ENTRY = insert(table_of(AuditEntry))


def append_entry(
    session: Session,
    visit: Visit,
    *,
    act: str,
    ids: Mapping[str, int],
    now: datetime,
) -> None:
    """Write who did what at the end of a patient's chain, in this transaction.

    Whoever adds to the same chain waits until it ends. Time never runs backwards in a
    chain, whatever the clocks of several machines say.
    """
    seq, at, before = _turn(session, visit.patient_id, now=now)
    place = what_place(visit.patient_id, seq + 1)
    key = key_or_house(session, visit.patient_id)
    row = {
        "patient_id": visit.patient_id,
        "seq": seq + 1,
        "at": max(at, now),
        "by": visit.by,
        "account_id": visit.account_id,
        "link_id": visit.link_id,
        "act": act,
        "what": seal(written_ids(ids), key, place=place),
        "prev_hash": before,
    }
    row["hash"] = entry_hash(SimpleNamespace(**row))
    ask(session, _ENTRY, row)
    head = {name: row[name] for name in ("patient_id", "seq", "at", "hash")}
    upsert(session, AuditHead, [head])


def _turn(
    session: Session, patient_id: int, *, now: datetime
) -> tuple[int, datetime, bytes]:
    """Return where a chain ends, and let nobody else add to it until we end."""
    none = {"patient_id": patient_id, "seq": 0, "at": now, "hash": GENESIS}
    head = hold_row(session, AuditHead, none)
    return head.seq, head.at, head.hash


def append_look(
    session: Session, visit: Visit, *, act: str, ids: Mapping[str, int], now: datetime
) -> bool:
    """Write that somebody looked, unless the same look was written lately; say if.

    Of two that look at once one is written.
    """
    _turn(session, visit.patient_id, now=now)
    if looked_lately(session, visit, act=act, ids=ids, now=now):
        return False
    append_entry(session, visit, act=act, ids=ids, now=now)
    return True


def append_everywhere(session: Session, *, by: str, act: str, now: datetime) -> None:
    """Write into each chain there is what was done to all of them at once."""
    for patient_id in chained_patients(session):
        append_entry(session, Visit(patient_id, by), act=act, ids={}, now=now)


def tell_seal(session: Session, seal: Seal, *, now: datetime) -> int:
    """Post a seal to all who run the installation, once in a week; return how many."""
    year, week, _day = seal.at.isocalendar()
    told = 0
    for account in session.scalars(select(Account).where(Account.is_admin)):
        with speaking(read_look(account.look or "").speech):
            posted = post_delivery(
                session,
                kind="audit_seal",
                recipient=account.email,
                dedupe_key=f"audit_seal:{year}-{week}:{account.id}",
                context={"seal": seal_line(seal)},
                account_id=account.id,
                now=now,
            )
        told += posted is not None
    return told


def keep_seal(seal: Seal) -> None:
    """Add a seal to `VAR_DIR/audit-heads.txt`; that it cannot is told to the log."""
    file = Path(settings().var_dir) / "audit-heads.txt"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as kept:
            kept.write(seal_line(seal) + "\n")
    except OSError as error:
        log.error("audit_heads_unwritten", error=type(error).__name__)
