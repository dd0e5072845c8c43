"""A patient is made of a file: everything that makes the numbers, and nobody else."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.agreeing import note_agreed
from pillweb.audit.actions import append_entry
from pillweb.base.db import Base, ask, insert_new, table_of
from pillweb.base.picture import made_safe, thumbnail
from pillweb.base.row_ids import new_ids
from pillweb.base.sealed import sealed_columns
from pillweb.base.tokens import new_token
from pillweb.base.visits import ACCOUNT, Visit
from pillweb.base.zones import zone
from pillweb.contacts.actions.reach import note_reach
from pillweb.contacts.models import Preference
from pillweb.devices.actions.photos import keep_photo
from pillweb.doses.actions.planning import replan_doses
from pillweb.doses.models import Dose, Horizon
from pillweb.doses.rules.days import OPEN
from pillweb.medications.models import Medication, MedicationPicture
from pillweb.patients.models import Patient
from pillweb.reminders.actions.arming import arm_reminders
from pillweb.reminders.models import Reminder
from pillweb.setup.actions import begin_set_up
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.rules import SELF, Level
from pillweb.supply.models import Stock
from pillweb.supply.queries.ledger import newest_event_id, newest_intake_id
from pillweb.supply.rules.checks import next_check
from pillweb.transfers.models import BroughtIn, PastEntry
from pillweb.transfers.queries.rows import MODELS
from pillweb.transfers.rules.reading import PERSON, Brought, Values
from pillweb.transfers.rules.rows import ROWS
from pillweb.transfers.rules.wanted import check_wanted, horizon_of

BATCH = 1000
CHANNEL = "brought"
ACT = "jobs.bring_in"
# Kinds that are made row by row below, for they say more here than in the file.
BY_HAND = frozenset({"pictures", "stocks"})
Numbers = dict[str, dict[int, int]]


def safe_pictures(brought: Brought) -> Mapping[int, bytes]:
    """Return the pictures of a file, made safe; it needs no database.

    Raises:
        ValueError: one of them is no picture.
    """
    return {number: made_safe(raw) for number, raw in brought.pictures.items()}


def bring_in(
    session: Session,
    row: BroughtIn,
    brought: Brought,
    pictures: Mapping[int, bytes],
    *,
    now: datetime,
) -> int:
    """Make the patient of a file, managed by who sent it; return the id.

    All in this transaction. What was due between the making of the file and now was
    nobody's to record: it is not reminded, our fault, and never counted. Nobody is
    reminded of what is past.

    Raises:
        NotOursError: its plans want more doses than anybody takes.
    """
    check_wanted(brought, now=now)
    before = newest_event_id(session), newest_intake_id(session)
    patient = _patient(session, brought.patient)
    numbers: Numbers = {kind: {} for kind in ROWS}
    for kind in ROWS:
        if kind not in BY_HAND:
            _rows(session, kind, patient.id, brought.rows[kind], numbers)
    _pictures(session, patient.id, brought, pictures, numbers)
    if photo := pictures.get(PERSON):
        keep_photo(session, patient_id=patient.id, photo=photo, now=now)
    _stocks(session, patient, brought.rows["stocks"], numbers, before, now=now)
    _record(session, patient.id, brought)
    _settings(session, patient, brought)
    _let_in(session, row, patient.id, now=now)
    _go_on(session, patient.id, brought, now=now)
    row.made_id, row.state, row.built_at = patient.id, "ready", now
    row.content = row.found = row.note = row.lease_until = None
    return patient.id


def _patient(session: Session, values: Values) -> Patient:
    patient = Patient(**values, plan_revision=1, is_demo=False)
    session.add(patient)
    session.flush()
    return patient


def _rows(
    session: Session,
    kind: str,
    patient_id: int,
    rows: Sequence[tuple[int, Values]],
    numbers: Numbers,
) -> None:
    """Make the rows of a kind, each naming what its number in the file became."""
    model = MODELS[kind]
    ids = new_ids(session, table_of(model), len(rows))
    pairs = list(zip(ids, rows, strict=True))
    for start in range(0, len(rows), BATCH):
        made = []
        for new, (number, values) in pairs[start : start + BATCH]:
            numbers[kind][number] = new
            named = _named(kind, values, numbers)
            if kind == "intakes":
                named["key"] = f"{CHANNEL}:{new}"
            if kind == "lines":
                named["kind"] = named["rule"]["kind"]
            made.append({**named, "id": new, "patient_id": patient_id})
        _make(session, model, made)


def _make(session: Session, model: type[Base], rows: Sequence[Values]) -> None:
    """Make rows; those without a word of anybody, nearly all, a thousand at once."""
    sealed = sealed_columns(table_of(model))
    plain: list[Values] = []
    told: list[Values] = []
    for row in rows:
        has_words = any(row.get(name) is not None for name in sealed)
        (told if has_words else plain).append(row)
    _keep(session, [model(**row) for row in told])
    if plain:
        ask(session, insert(table_of(model)), plain)


def _named(kind: str, values: Values, numbers: Numbers) -> Values:
    """Return the values of a row, whoever helped left out: nobody here is that one."""
    return values | {
        one.column: numbers[one.of][values[one.column]]
        for one in ROWS[kind]
        if one.of and values[one.column] is not None
    }


def _keep(session: Session, made: Sequence[Base]) -> None:
    """Write rows, and let go of them: there may be hundred thousands."""
    session.add_all(made)
    session.flush()
    for one in made:
        session.expunge(one)


def _pictures(
    session: Session,
    patient_id: int,
    brought: Brought,
    pictures: Mapping[int, bytes],
    numbers: Numbers,
) -> None:
    for _, values in brought.rows["pictures"]:
        whole = pictures[values["medication_id"]]
        medication_id = numbers["medicines"][values["medication_id"]]
        key = new_token()
        session.add(
            MedicationPicture(
                patient_id=patient_id,
                medication_id=medication_id,
                key=key,
                crop=values["crop"],
                whole=whole,
                small=thumbnail(whole, values["crop"]),
                made_at=values["made_at"],
            )
        )
        session.get_one(Medication, medication_id).picture_key = key
    session.flush()


def _stocks(
    session: Session,
    patient: Patient,
    rows: Sequence[tuple[int, Values]],
    numbers: Numbers,
    before: tuple[int, int],
    *,
    now: datetime,
) -> None:
    """Count supplies on from where they were: what is booked, and what is still to be.

    `before` are the newest event and intake of anybody before this patient's.
    """
    for _, values in rows:
        event, intake = values["after_event_id"], values["after_intake_id"]
        counted = {
            "medication_id": numbers["medicines"][values["medication_id"]],
            "after_event_id": numbers["events"].get(event, before[0]),
            "after_intake_id": numbers["intakes"].get(intake, before[1]),
        }
        session.add(
            Stock(
                **values | counted,
                patient_id=patient.id,
                seen_event_id=counted["after_event_id"],
                check_at=next_check(now, zone(patient.zone)),
            )
        )
    session.flush()


def _record(session: Session, patient_id: int, brought: Brought) -> None:
    for start in range(0, len(brought.record), BATCH):
        some = brought.record[start : start + BATCH]
        _keep(session, [PastEntry(patient_id=patient_id, **one) for one in some])


def _settings(session: Session, patient: Patient, brought: Brought) -> None:
    if brought.wishes is not None:
        session.add(Preference(patient_id=patient.id, **brought.wishes))
    if (told := horizon_of(brought)) is not None:
        is_current = told.pop("is_current")
        session.add(
            Horizon(patient_id=patient.id, plan_revision=int(is_current), **told)
        )
    session.flush()


def _let_in(
    session: Session, row: BroughtIn, patient_id: int, *, now: datetime
) -> None:
    role = row.role or "caregiver"
    grant_access(
        session,
        account_id=row.account_id,
        patient_id=patient_id,
        level=Level.MANAGE,
        role=role,
        now=now,
    )
    if row.how is not None:
        note_agreed(
            session,
            patient_id,
            account_id=row.account_id,
            how=row.how,
            note=row.note or "",
            now=now,
        )
    begin_set_up(session, patient_id, now=now)
    note_reach(session, patient_id, now=now)
    who = Visit(patient_id, ACCOUNT, account_id=row.account_id, is_own=role == SELF)
    ids = {"brought_id": row.id}
    append_entry(session, who, act=ACT, ids=ids, now=now)


def _go_on(
    session: Session, patient_id: int, brought: Brought, *, now: datetime
) -> None:
    """Plan from here on; leave unsaid what came due until now."""
    replan_doses(session, [patient_id], now=now)
    mine = Dose.patient_id == patient_id
    meanwhile = Dose.due_at.between(brought.made_at + timedelta(microseconds=1), now)
    session.execute(
        update(Dose)
        .where(mine, meanwhile, Dose.state == OPEN)
        .values(system_fault=True),
        execution_options={"synchronize_session": False},
    )
    past = select(Dose.due_at).where(mine, Dose.state == OPEN, Dose.due_at <= now)
    moments = session.scalars(past.where(Dose.missed_at > now).distinct()).all()
    said = {"patient_id": patient_id, "next_at": now, "state": "done"}
    insert_new(session, Reminder, [{**said, "due_at": at} for at in moments])
    arm_reminders(session, [patient_id], now=now)
