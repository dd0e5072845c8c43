"""Questions about papers, and about the codes on them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.base.code import Code, code_of
from pillweb.base.config import settings
from pillweb.base.emergency import help_in
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.links import link
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.base.zones import local, zone
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.queries.days import doses_on
from pillweb.doses.rules.days import OPEN, DoseFacts, told_here
from pillweb.medications.models import Medication
from pillweb.medications.rules import unit_of
from pillweb.papers.models import Paper, PaperCode
from pillweb.papers.rules.card import Card, CardMedicine, make_card
from pillweb.papers.rules.scan import meant
from pillweb.papers.rules.sheet import Around, Planned, Sheet, make_sheet, week_of
from pillweb.patients.models import Patient
from pillweb.patients.queries import stays, zone_at
from pillweb.schedules.models import Plan
from pillweb.schedules.queries import (
    PlannedLine,
    life_with,
    medicines_of,
    planned_lines,
)
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.words import in_words
from pillweb.sharing.queries.hiding import see_as

CHANNEL = "paper"
NEWEST = 12
# A date lies within two days of its instants, in whatever zone.
AROUND = timedelta(days=2)


class Behind(NamedTuple):
    """What stands behind a code: whose, for when, and what its sheet told and when."""

    patient_id: int
    clock: time
    show_names: bool
    made_at: datetime


def gather_sheet(
    session: Session,
    patient_id: int,
    *,
    first: date,
    now: datetime,
    codes: Mapping[str, Code] | None = None,
) -> Sheet:
    """Return the sheet of a week by the plans that hold now."""
    names = {
        row.id: row
        for row in session.scalars(
            select(Medication).where(Medication.patient_id == patient_id)
        )
    }
    life = life_with(session, patient_id)
    planned = [
        _planned(one, names[one.medication_id], life, week_of(first))
        for one in planned_lines(session, [patient_id], since=now)
    ]
    planned.sort(key=lambda one: one.medication_id)
    return make_sheet(
        planned, _around(session, patient_id, now=now), first=first, codes=codes or {}
    )


def _planned(
    one: PlannedLine, row: Medication, life: Life, week: Sequence[date]
) -> Planned:
    start = datetime.combine(week[0], time(), UTC) - AROUND
    window = (start, start + timedelta(days=len(week)) + 2 * AROUND)
    doses = tuple(
        dose
        for dose in life.occurrences(one.rule, window)
        if one.holds_from <= dose.due_at
        and (one.valid_to is None or dose.due_at < one.valid_to)
    )
    held = life.held(one.rule, window)
    return Planned(
        medication_id=row.id,
        name=row.name,
        strength=row.strength,
        instruction=row.instruction,
        unit=unit_of(row.form),
        line_id=one.line_id,
        line=one.rule,
        occurrences=doses,
        is_held=any(dose.nominal_date in week for dose in held),
    )


def gather_card(session: Session, patient_id: int, *, now: datetime) -> Card:
    """Return the card of the medicines whose plans hold now."""
    medicines = []
    for found in medicines_of(session, patient_id):
        row, unit = found.medication, unit_of(found.medication.form)
        if row.stopped_at or not found.rules:
            continue
        words = [in_words(line_from_json(rule), unit) for rule in found.rules]
        medicines.append(CardMedicine(row.name, row.strength, "; ".join(words)))
    return make_card(medicines, _around(session, patient_id, now=now))


def _around(session: Session, patient_id: int, *, now: datetime) -> Around:
    place = zone_at(session, patient_id, at=now)
    return Around(
        patient_name=session.get_one(Patient, patient_id).name,
        made_on=local(now, zone(place)).date(),
        zone=place,
        numbers=help_in(place, settings()),
        help_phone=settings().help_phone,
    )


def paper_of(session: Session, patient_id: int, paper_id: int) -> Paper:
    """Return a paper of this patient.

    Raises:
        NotFoundError: there is none such.
    """
    row = session.get(Paper, paper_id)
    if row is None or row.patient_id != patient_id:
        raise NotFoundError
    return row


def papers_of(session: Session, patient_id: int, kind: str) -> Sequence[Paper]:
    """Return the newest papers of a kind."""
    return session.scalars(
        select(Paper)
        .where(Paper.patient_id == patient_id, Paper.kind == kind)
        .order_by(Paper.id.desc())
        .limit(NEWEST)
    ).all()


def is_live(paper: Paper, *, now: datetime) -> bool:
    """Say whether the codes of a sheet work."""
    return paper.void_at is None and now < paper.expires_at


def codes_of(session: Session, paper: Paper, *, now: datetime) -> dict[str, Code]:
    """Return the codes of a sheet by clock; none once they do not work any more."""
    if not is_live(paper, now=now):
        return {}
    rows = session.scalars(select(PaperCode).where(PaperCode.paper_id == paper.id))
    return {row.clock: code_of(link(f"/p/{row.token}")) for row in rows}


def behind_code(session: Session, token: str, *, now: datetime) -> Behind:
    """Return what stands behind a scanned code.

    Raises:
        LinkGoneError: it is wrong, too old, or its sheet was made void.
    """
    with seeing_everybody(session):
        row = session.execute(
            select(
                PaperCode.patient_id,
                Paper.made_by_id,
                PaperCode.clock,
                Paper.show_names,
                Paper.created_at,
            )
            .join(Paper, Paper.id == PaperCode.paper_id)
            .join(Patient, Patient.id == PaperCode.patient_id)
            .where(
                stays(),
                PaperCode.token_hash == token_hash(token),
                Paper.void_at.is_(None),
                Paper.expires_at > now,
            )
        ).first()
    if row is None:
        raise LinkGoneError
    let_see(session, row.patient_id)
    see_as(session, row.made_by_id, row.patient_id)
    clock = time.fromisoformat(row.clock)
    return Behind(row.patient_id, clock, row.show_names, row.created_at)


def doses_behind(
    session: Session, behind: Behind, *, place: str, now: datetime
) -> list[DoseFacts]:
    """Return the doses a code is about now."""
    today = local(now, zone(place)).date()
    found = [
        dose
        for day in (today - timedelta(days=1), today)
        for dose in doses_on(session, behind.patient_id, day)
    ]
    return meant(told_here(found, zone(place)), behind.clock, today=today, now=now)


def unprinted(
    session: Session, doses: Collection[DoseFacts], *, made_at: datetime
) -> set[int]:
    """Return the open ones of these doses whose plan is newer than the sheet."""
    still_open = [dose.id for dose in doses if dose.state == OPEN]
    newer = (
        select(Dose.id)
        .join(Plan, Plan.id == Dose.plan_id)
        .where(Dose.id.in_(still_open), Plan.created_at > made_at)
    )
    return set(session.scalars(newer)) if still_open else set()


def recorded_by_paper(session: Session, dose_ids: Collection[int]) -> list[int]:
    """Return those of these doses that a code recorded last."""
    newest = (
        select(func.max(DoseEvent.id))
        .where(DoseEvent.dose_id.in_(dose_ids))
        .group_by(DoseEvent.dose_id)
    )
    return list(
        session.scalars(
            select(DoseEvent.dose_id).where(
                DoseEvent.id.in_(newest), DoseEvent.channel == CHANNEL
            )
        )
    )
