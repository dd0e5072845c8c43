"""The last look at whom a message goes to: much may have changed since it was posted.

What is claimed goes to its address, goes another way, waits, or goes nowhere.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pillweb.base.log import log
from pillweb.contacts.actions.arriving import fall_back
from pillweb.contacts.queries import patients_to_tell, standings_of
from pillweb.contacts.rules import AT_ONCE, GONE, LEAVING, USABLE, Standing, is_way
from pillweb.outbox.actions.sending import (
    bury_deliveries,
    close_deliveries,
    hold_deliveries,
)
from pillweb.outbox.rules import HOW, Leased
from pillweb.reminders.actions.posting import follow_deliveries
from pillweb.reminders.queries.waiting import said_first
from pillweb.reminders.rules.course import DOSE_DUE

# What waits for the end of quiet hours is worth saying for so long after it at least.
WORTH_AFTER = timedelta(hours=2)
UNWANTED, REMOVED = "unwanted", "removed"

Standings = Mapping[int, Standing]


def follow(
    session: Session, failed: Sequence[Leased], *, now: datetime
) -> dict[int, int]:
    """Send by another channel what did not arrive; return the new delivery of each."""
    if not failed:
        return {}
    followed = fall_back(session, failed, now=now)
    follow_deliveries(session, followed)
    for old, new in followed.items():
        log.info("message_followed", delivery=old, by=new)
    return followed


def may_leave(
    session: Session, rows: Sequence[Leased], *, now: datetime
) -> list[Leased]:
    """Return of claimed messages those that may leave now; put the others aside.

    Nothing goes to who helps no more, to a closed address, by a channel that is not
    wanted any more for it, or in quiet hours that began since.
    """
    asked = [row for row in rows if row.contact_id]
    known = standings_of(session, [row.id for row in asked], now=now)
    left = _to_helpers(session, asked, known)
    left = _to_open(session, left, known, now=now)
    left = _to_willing(session, left, known, now=now)
    may = {row.id: row for row in _in_peace(session, left, known, now=now)}
    return [may.get(row.id, row) for row in rows if row.id in may or row not in asked]


def _to_helpers(
    session: Session, rows: Sequence[Leased], known: Standings
) -> list[Leased]:
    """Return what goes to the patient, and to who still helps.

    Of a patient who is leaving nothing goes to anybody but word of just that.
    """
    gone = [
        row
        for row in rows
        if row.kind != LEAVING
        and (known[row.id].is_leaving or not known[row.id].is_granted)
    ]
    close_deliveries(session, gone, state="cancelled")
    return [row for row in rows if row not in gone]


def _to_open(
    session: Session, rows: Sequence[Leased], known: Standings, *, now: datetime
) -> list[Leased]:
    """Return what goes to an address in use; of a closed one it goes another way."""
    closed = [row for row in rows if known[row.id].state not in USABLE]
    for row in closed:
        reason = known[row.id].state or REMOVED
        if reason == GONE:
            bury_deliveries(session, [row], error=reason)
        else:
            close_deliveries(session, [row], state="suppressed", error=reason)
    follow(session, closed, now=now)
    return [row for row in rows if row not in closed]


def _to_willing(
    session: Session, rows: Sequence[Leased], known: Standings, *, now: datetime
) -> list[Leased]:
    """Return what is wanted where it goes; the rest goes where it is, if anywhere."""
    spurned = [row for row in rows if not known[row.id].wants(row.kind, row.channel)]
    patient_ids = {row.patient_id or 0 for row in spurned if not row.account_id}
    people = patients_to_tell(session, patient_ids, now=now) if patient_ids else {}
    # Of doses somebody is told by a way they did not want, when no other works.
    spurned = [
        row
        for row in spurned
        if row.account_id
        or not is_way(people[row.patient_id or 0], row.kind, row.contact_id or 0)
    ]
    followed = follow(session, spurned, now=now)
    for state, is_followed in (("superseded", True), ("suppressed", False)):
        some = [row for row in spurned if (row.id in followed) == is_followed]
        close_deliveries(session, some, state=state, error=UNWANTED)
    return [row for row in rows if row not in spurned]


def _in_peace(
    session: Session, rows: Sequence[Leased], known: Standings, *, now: datetime
) -> list[Leased]:
    """Return what may be said now; the rest waits until quiet hours are over.

    As when it is posted: who takes something at night is told once, without a sound.
    """
    quiet = {
        row.id: until
        for row in rows
        if (until := _quiet_until(row, known[row.id], now=now))
    }
    if not quiet:
        return [*rows]
    due = [row.id for row in rows if row.id in quiet and row.kind == DOSE_DUE]
    first = said_first(session, due) if due else set()
    held = [row for row in rows if row.id in quiet and row.id not in first]
    hold_deliveries(
        session, {row: (quiet[row.id], _over(row, quiet[row.id])) for row in held}
    )
    return [_silent(row) if row.id in first else row for row in rows if row not in held]


def _quiet_until(row: Leased, standing: Standing, *, now: datetime) -> datetime | None:
    if row.kind in AT_ONCE or not standing.wishes.quiet_from:
        return None
    how = json.loads(row.context or "{}").get(HOW, {})
    return standing.quiet_until(
        since=row.due_at or row.created_at,
        is_urgent=how.get("is_urgent", False),
        now=now,
    )


def _over(row: Leased, until: datetime) -> datetime:
    """Return until when what is held is said: no dose is told of too late."""
    if row.kind == DOSE_DUE:
        return row.expires_at
    return max(row.expires_at, until + WORTH_AFTER)


def _silent(row: Leased) -> Leased:
    words = json.loads(row.context or "{}")
    words[HOW] = {**words.get(HOW, {}), "is_silent": True}
    return row._replace(context=json.dumps(words))
