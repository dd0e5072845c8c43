"""The rows of a patient, kind by kind, as a file says them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, Consent
from pillweb.contacts.models import Preference
from pillweb.doses.models import Dose, DoseEvent, Horizon, Intake
from pillweb.medications.models import Medication, MedicationPicture
from pillweb.patients.models import Patient, ZoneChange
from pillweb.schedules.models import Line, Plan
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.transfers.rules.fields import Field
from pillweb.transfers.rules.rows import HORIZON, PATIENT, ROWS, UNNUMBERED, WISHES

BATCH = 1000
MODELS: Mapping[str, Any] = {
    "zone_changes": ZoneChange,
    "consents": Consent,
    "medicines": Medication,
    "pictures": MedicationPicture,
    "plans": Plan,
    "lines": Line,
    "doses": Dose,
    "events": DoseEvent,
    "intakes": Intake,
    "stocks": Stock,
    "supply": SupplyEntry,
}
Told = dict[str, object]


def told_patient(session: Session, patient_id: int) -> Told:
    """Return what a file says of the patient's own row."""
    return _told(PATIENT, session.get_one(Patient, patient_id), {})


def told_wishes(session: Session, patient_id: int) -> Told | None:
    """Return how a patient wants to be told, None where nobody said."""
    mine = select(Preference).where(Preference.patient_id == patient_id)
    found = session.scalar(mine)
    return None if found is None else _told(WISHES, found, {})


def told_horizon(session: Session, patient_id: int) -> Told | None:
    """Return how far doses are planned, None where none are."""
    found = session.get(Horizon, patient_id)
    if found is None:
        return None
    patient = session.get_one(Patient, patient_id)
    is_current = found.plan_revision == patient.plan_revision
    told = _told([one for one in HORIZON if one.name != "is_current"], found, {})
    return told | {"is_current": is_current}


def told_rows(session: Session, kind: str, patient_id: int) -> Iterator[Told]:
    """Yield the rows of a kind, oldest first, a thousand in memory at a time."""
    names: dict[int, str] = {}
    for batch in _batches(session, MODELS[kind], patient_id):
        _learn(session, kind, batch, names)
        for row in batch:
            told = {} if kind in UNNUMBERED else {"id": row.id}
            told |= _told(ROWS[kind], row, names)
            yield told | _bounds(session, row) if kind == "stocks" else told


def _batches(
    session: Session,
    model: Any,  # noqa: ANN401 - of any table
    patient_id: int,
) -> Iterator[Sequence[Any]]:
    key = model.medication_id if model is Stock else model.id
    after = 0
    while rows := session.scalars(
        select(model)
        .where(model.patient_id == patient_id, key > after)
        .order_by(key)
        .limit(BATCH)
    ).all():
        after = getattr(rows[-1], key.key)
        yield rows
        session.expunge_all()


def _learn(
    session: Session, kind: str, rows: Sequence[Any], names: dict[int, str]
) -> None:
    columns = [one.column for one in ROWS[kind] if one.is_person]
    ids = {getattr(row, column) for row in rows for column in columns} - names.keys()
    if wanted := ids - {None}:
        found = select(Account.id, Account.name).where(Account.id.in_(wanted))
        names.update((row.id, row.name) for row in session.execute(found))


def _told(row: Sequence[Field], found: Any, names: Mapping[int, str]) -> Told:  # noqa: ANN401
    told: Told = {}
    for one in row:
        value = getattr(found, one.column)
        if one.is_person:
            told[one.name] = names.get(value)
        else:
            told[one.name] = None if value is None else one.write(value)
    return told


def _bounds(session: Session, stock: Stock) -> Told:
    """Return the patient's own newest event and intake that are not to be booked.

    The ids that the row keeps may be of anybody.
    """
    newest_event = select(func.max(DoseEvent.id)).where(
        DoseEvent.patient_id == stock.patient_id, DoseEvent.id <= stock.after_event_id
    )
    newest_intake = select(func.max(Intake.id)).where(
        Intake.patient_id == stock.patient_id, Intake.id <= stock.after_intake_id
    )
    return {
        "after_event": session.scalar(newest_event),
        "after_intake": session.scalar(newest_intake),
    }
