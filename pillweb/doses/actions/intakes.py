"""Intakes that no dose was planned for are recorded, asked about, and taken back."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pillweb.base.errors import NotFoundError
from pillweb.base.zones import Zone, local
from pillweb.doses.models import Intake
from pillweb.doses.queries.intakes import Shelf, intake_by_key, shelf_of
from pillweb.doses.rules.days import MOMENT, UNDO_FOR
from pillweb.patients.models import Patient
from pillweb.schedules.rules.dose import decimal_of
from pillweb.schedules.rules.guard_words import moment_words, question
from pillweb.schedules.rules.line import Dose as Amount
from pillweb.schedules.rules.needed import Needed, limits_besides


class Recorded(NamedTuple):
    """How a press ended: an intake, or a question to ask first."""

    intake: Intake | None = None
    question: str = ""
    is_new: bool = False


class Told(NamedTuple):
    """What somebody says of an intake: when, how much, from which form, and why."""

    taken_at: datetime
    dose: Amount | None
    key: str
    was_asked: bool = False
    why: str = ""


def record_needed(
    session: Session,
    needed: Needed,
    told: Told,
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    place: Zone,
    now: datetime,
) -> Recorded:
    """Record a medicine taken as needed, unless that is to be asked about first.

    Presses for one patient take turns, so that of two at once the second meets what the
    first recorded. The same form twice is one intake. Who `was_asked` is believed.
    """
    _lock(session, patient_id)
    earlier, key = _pressed(session, patient_id, told.key, now=now)
    if earlier is not None:
        return Recorded(earlier)
    shelf = shelf_of(session, patient_id, now=now)
    told = told._replace(key=key)
    asked = _question(shelf, needed, told, here=now, place=place)
    if asked and not told.was_asked:
        return Recorded(question=asked)
    intake = _add(
        session,
        told,
        patient_id=patient_id,
        medication_id=needed.medicine.id,
        line_id=needed.line_id,
        dose_id=None,
        is_against=bool(asked),
        account_id=account_id,
        channel=channel,
        now=now,
    )
    return Recorded(intake, asked, is_new=True)


def record_another(
    session: Session,
    dose_id: int,
    told: Told,
    *,
    patient_id: int,
    medication_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
) -> Recorded:
    """Record one more intake on top of a dose that was taken; the same form once."""
    _lock(session, patient_id)
    earlier, key = _pressed(session, patient_id, told.key, now=now)
    if earlier is not None:
        return Recorded(earlier)
    intake = _add(
        session,
        told._replace(key=key),
        patient_id=patient_id,
        medication_id=medication_id,
        line_id=None,
        dose_id=dose_id,
        is_against=True,
        account_id=account_id,
        channel=channel,
        now=now,
    )
    return Recorded(intake, is_new=True)


def undo_intake(
    session: Session,
    intake_id: int,
    *,
    patient_id: int,
    account_id: int | None,
    now: datetime,
) -> bool:
    """Take an intake back within 24 hours; the row stays and says who did.

    Raises:
        NotFoundError: the patient has no such intake.
    """
    row = session.get(Intake, intake_id)
    if row is None or row.patient_id != patient_id:
        raise NotFoundError
    undone = session.execute(
        update(Intake)
        .where(
            Intake.id == intake_id,
            Intake.patient_id == patient_id,
            Intake.undone_at.is_(None),
            Intake.entered_at > now - UNDO_FOR,
        )
        .values(undone_at=now, undone_by_id=account_id)
        .returning(Intake.id),
        execution_options={"synchronize_session": False},
    ).first()
    return undone is not None


def _lock(session: Session, patient_id: int) -> None:
    """Let whoever records for one patient take turns."""
    session.execute(
        select(Patient.id)
        .where(Patient.id == patient_id)
        .with_for_update(key_share=True)
    )


def _pressed(
    session: Session, patient_id: int, key: str, *, now: datetime
) -> tuple[Intake | None, str]:
    """Return the intake that this form made by this press, and its key.

    An old page pressed again, or after its intake was taken back, says a new one. Its
    key follows from the one before, so that this press, too, is one however often sent.
    """
    earlier = intake_by_key(session, patient_id, key)
    while earlier is not None and not _is_same_press(earlier, now=now):
        key = f"after {earlier.id}"
        earlier = intake_by_key(session, patient_id, key)
    return earlier, key


def _is_same_press(earlier: Intake, *, now: datetime) -> bool:
    return earlier.undone_at is None and now - earlier.entered_at < MOMENT


def _question(
    shelf: Shelf, needed: Needed, told: Told, *, here: datetime, place: Zone
) -> str:
    return question(
        needed.line,
        needed.medicine,
        shelf.taken,
        at=told.taken_at,
        dose=told.dose,
        when=lambda moment: moment_words(local(moment, place), local(here, place)),
        others=limits_besides(needed.medicine, shelf.needed),
    )


def _add(
    session: Session,
    told: Told,
    *,
    patient_id: int,
    medication_id: int,
    line_id: int | None,
    dose_id: int | None,
    is_against: bool,
    account_id: int | None,
    channel: str,
    now: datetime,
) -> Intake:
    intake = Intake(
        patient_id=patient_id,
        medication_id=medication_id,
        line_id=line_id,
        dose_id=dose_id,
        taken_at=told.taken_at,
        amount=_amount(told.dose),
        dose_text=told.dose.text if told.dose else None,
        was_asked=is_against,
        why=told.why or None,
        entered_at=now,
        account_id=account_id,
        channel=channel,
        key=told.key,
    )
    session.add(intake)
    session.flush()
    return intake


def _amount(dose: Amount | None) -> Decimal | None:
    if dose is None or dose.fraction is None:
        return None
    return dose.amount or decimal_of(dose.fraction)
