"""Doses are recorded, and what was recorded is taken back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import ask, table_of
from pillweb.base.sealed import sealed_rows
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import (
    EARLY_BY,
    OPEN,
    PART,
    RECORDED,
    SKIPPED,
    TAKEN,
    UNDO_FOR,
    DoseFacts,
    is_late_entry,
)
from pillweb.patients.actions import note_plan_change

_DOSE = table_of(Dose)
_APPEND = insert(table_of(DoseEvent))
_MARK_TAKEN = (
    update(_DOSE)
    .where(
        _DOSE.c.id.in_(bindparam("ids", expanding=True)),
        _DOSE.c.patient_id == bindparam("patient"),
        _DOSE.c.state == OPEN,
        _DOSE.c.due_at <= bindparam("latest"),
    )
    .values(
        state=TAKEN,
        recorded_at=bindparam("now"),
        taken_at=bindparam("taken_at"),
        taken_amount=_DOSE.c.amount,
    )
    .returning(_DOSE.c.id, _DOSE.c.amount)
)


def mark_taken(
    session: Session,
    dose_ids: Collection[int],
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
    just_now: bool = True,
    said_at: datetime | None = None,
) -> list[int]:
    """Record that these doses were taken; return which were not recorded yet.

    `just_now` is false where they were taken earlier, nobody knows when; `said_at` is
    when it was said, where that reached us later. A dose that is already recorded
    stays as it is: pressing twice is one dose. One that is more than half a day away
    cannot have been taken yet.
    """
    said = said_at or now
    about = {"ids": list(dose_ids), "patient": patient_id, "latest": said + EARLY_BY}
    times = {"now": now, "taken_at": said if just_now else None}
    marked = ask(session, _MARK_TAKEN, about | times).all()
    _append(
        session,
        [{"dose_id": dose.id, "amount": dose.amount} for dose in marked],
        what=TAKEN,
        patient_id=patient_id,
        account_id=account_id,
        channel=channel,
        now=now,
        said_at=said_at,
    )
    return [dose.id for dose in marked]


def mark_told(
    session: Session,
    doses: Iterable[DoseFacts],
    *,
    today: date,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
) -> list[int]:
    """Record what a message told of as taken; return which were not recorded yet.

    What is of a past day keeps no time: when it was taken nobody knows. `today` is the
    patient's.
    """
    marked = []
    for past, some in groupby(
        doses, key=lambda dose: is_late_entry(dose, today=today, now=now)
    ):
        marked += mark_taken(
            session,
            [dose.id for dose in some],
            patient_id=patient_id,
            account_id=account_id,
            channel=channel,
            now=now,
            just_now=not past,
        )
    return marked


def mark_amount(
    session: Session,
    dose_id: int,
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    amount: Decimal,
    taken_at: datetime | None,
    now: datetime,
    why: str = "",
) -> bool:
    """Record that so much of a dose was taken, the plan unchanged; say if it was open.

    Less than the plan is a part. `why` is what was said where it was more.
    """
    open_dose = session.execute(
        select(Dose.amount)
        .where(
            Dose.id == dose_id,
            Dose.patient_id == patient_id,
            Dose.state == OPEN,
            Dose.due_at <= now + EARLY_BY,
        )
        .with_for_update()
    ).first()
    if open_dose is None:
        return False
    is_part = open_dose.amount is not None and amount < open_dose.amount
    state = PART if is_part else TAKEN
    session.execute(
        update(Dose)
        .where(Dose.id == dose_id)
        .values(state=state, recorded_at=now, taken_at=taken_at, taken_amount=amount),
        execution_options={"synchronize_session": False},
    )
    _append(
        session,
        [{"dose_id": dose_id, "amount": amount, "note": why or None}],
        what=state,
        patient_id=patient_id,
        account_id=account_id,
        channel=channel,
        now=now,
    )
    return True


def skip_dose(
    session: Session,
    dose_id: int,
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    reason: str,
    now: datetime,
    said_at: datetime | None = None,
    note: str = "",
) -> bool:
    """Record that a dose was left out, and why; say whether it was still open.

    `note` is what was said about it in one's own words.
    """
    skipped = session.execute(
        update(Dose)
        .where(Dose.id == dose_id, Dose.patient_id == patient_id, Dose.state == OPEN)
        .values(state=SKIPPED, recorded_at=now, skip_reason=reason)
        .returning(Dose.id),
        execution_options={"synchronize_session": False},
    ).all()
    _append(
        session,
        [
            {"dose_id": dose.id, "reason": reason, "note": note or None}
            for dose in skipped
        ],
        what=SKIPPED,
        patient_id=patient_id,
        account_id=account_id,
        channel=channel,
        now=now,
        said_at=said_at,
    )
    return bool(skipped)


def put_off_doses(
    session: Session, dose_ids: Collection[int], *, patient_id: int, until: datetime
) -> None:
    """Note when somebody wants to hear of these doses again, where they are open.

    It is asked of the reminders, too: `reminders.actions.hold_reminders`.
    """
    session.execute(
        update(Dose)
        .where(Dose.id.in_(dose_ids), Dose.patient_id == patient_id, Dose.state == OPEN)
        .values(later_until=until),
        execution_options={"synchronize_session": False},
    )


def undo_marks(
    session: Session,
    dose_ids: Collection[int],
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
    said_at: datetime | None = None,
) -> int:
    """Take back what was recorded about these doses within 24 hours; return how many.

    The events stay and one more says that they no longer hold.
    """
    undone = session.execute(
        update(Dose)
        .where(
            Dose.id.in_(dose_ids),
            Dose.patient_id == patient_id,
            Dose.state.in_(RECORDED),
            Dose.recorded_at > (said_at or now) - UNDO_FOR,
        )
        .values(
            state=OPEN,
            recorded_at=None,
            taken_at=None,
            taken_amount=None,
            skip_reason=None,
        )
        .returning(Dose.id, Dose.due_at),
        execution_options={"synchronize_session": False},
    ).all()
    _append(
        session,
        [{"dose_id": dose.id} for dose in undone],
        what="undone",
        patient_id=patient_id,
        account_id=account_id,
        channel=channel,
        now=now,
        said_at=said_at,
    )
    if any(dose.due_at > now for dose in undone):
        # What stood only because it was recorded may be in no plan any more.
        note_plan_change(session, patient_id)
    return len(undone)


def _append(
    session: Session,
    facts: Sequence[Mapping[str, Any]],
    *,
    what: str,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
    said_at: datetime | None = None,
) -> None:
    if not facts:
        return
    shared = {
        "what": what,
        "patient_id": patient_id,
        "account_id": account_id,
        "channel": channel,
        "at": said_at or now,
        "entered_at": now,
    }
    rows = [{**shared, **fact} for fact in facts]
    ask(session, _APPEND, sealed_rows(session, DoseEvent, rows))
