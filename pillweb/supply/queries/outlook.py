"""How long supplies last, and who fetches more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.zones import Zone, local
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import EARLY_BY, OPEN, RECORDED
from pillweb.medications.models import Medication
from pillweb.medications.rules import unit_of
from pillweb.patients.models import Patient
from pillweb.schedules.queries import lives_of, planned_lines
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import ACCEPTED, SELF
from pillweb.supply.models import Stock
from pillweb.supply.queries.ledger import balances_of, stocks_of, used_lately
from pillweb.supply.rules.run_out import (
    HeldLine,
    Lasting,
    Need,
    Outlook,
    estimate,
    outlook,
)
from pillweb.supply.rules.units import NOTHING, planned_units

# No dose stays open longer than this.
OPEN_FOR = timedelta(days=40)


def held_lines(
    session: Session, patient_id: int, *, now: datetime
) -> dict[int, list[HeldLine]]:
    """Return the lines by which each medicine of a patient is taken from now on."""
    medicines = {
        row.id: row
        for row in session.scalars(
            select(Medication).where(Medication.patient_id == patient_id)
        )
    }
    found: dict[int, list[HeldLine]] = {}
    for planned in planned_lines(session, [patient_id], since=now):
        row = medicines[planned.medication_id]
        held = HeldLine(
            line_id=planned.line_id,
            line=planned.rule,
            unit=unit_of(row.form),
            strength=row.strength,
            start=planned.holds_from,
            end=planned.valid_to,
        )
        found.setdefault(planned.medication_id, []).append(held)
    return found


@dataclass(frozen=True, slots=True)
class AtHand:
    """What is planned about now and the plan alone does not tell.

    Open doses that may still be taken, by medication; and (line, due time) of those
    recorded ahead of their time.
    """

    still_open: Mapping[int, Sequence[Need]]
    settled: frozenset[tuple[int, datetime]]


def doses_at_hand(session: Session, patient_id: int, *, now: datetime) -> AtHand:
    """Return the doses about now that the plan alone does not tell."""
    rows = session.execute(
        select(
            Dose.line_id,
            Dose.medication_id,
            Dose.due_at,
            Dose.missed_at,
            Dose.nominal_date,
            Dose.state,
            Dose.amount,
            Dose.dose_text,
            Dose.action,
            Medication.form,
            Medication.strength,
        )
        .join(Medication, Medication.id == Dose.medication_id)
        .where(
            Dose.patient_id == patient_id,
            Dose.due_at > now - OPEN_FOR,
            Dose.due_at <= now + EARLY_BY,
            Dose.state.in_((OPEN, *RECORDED)),
        )
        .order_by(Dose.due_at)
    ).all()
    still_open: dict[int, list[Need]] = {}
    for row in rows:
        if row.state == OPEN and row.due_at < now < row.missed_at:
            still_open.setdefault(row.medication_id, []).append(_need_of(row))
    settled = {
        (row.line_id, row.due_at)
        for row in rows
        if row.state in RECORDED and row.due_at >= now
    }
    return AtHand(still_open, frozenset(settled))


def _need_of(dose: Row[*tuple[Any, ...]]) -> Need:
    units = planned_units(
        dose.dose_text or "",
        dose.amount,
        action=dose.action,
        unit=unit_of(dose.form),
        strength=dose.strength,
    )
    return Need(dose.due_at, dose.nominal_date, units)


@dataclass(frozen=True, slots=True)
class Supplied:
    """How much there is of a medicine, and how long it lasts."""

    stock: Stock
    balance: Fraction
    outlook: Outlook


def supplies_of(
    session: Session, patient_id: int, *, place: Zone, now: datetime
) -> dict[int, Supplied]:
    """Return every counted medicine of a patient, by medication."""
    stocks = stocks_of(session, patient_id)
    if not stocks:
        return {}
    balances = balances_of(session, patient_id)
    lines = held_lines(session, patient_id, now=now)
    life = lives_of(session, [patient_id])[patient_id]
    at_hand = doses_at_hand(session, patient_id, now=now)
    found = {}
    for key, stock in stocks.items():
        balance = balances.get(key, NOTHING)
        lasting = outlook(
            balance,
            lines.get(key, ()),
            life,
            now=now,
            still_open=at_hand.still_open.get(key, ()),
            settled=at_hand.settled,
        )
        found[key] = Supplied(stock, balance, lasting)
    return _with_estimates(session, patient_id, found, place=place, now=now)


def _with_estimates(
    session: Session,
    patient_id: int,
    found: dict[int, Supplied],
    *,
    place: Zone,
    now: datetime,
) -> dict[int, Supplied]:
    """Put an estimate where a medicine is taken only when needed."""
    needed = [
        key for key, one in found.items() if one.outlook.lasting is Lasting.AS_NEEDED
    ]
    used = used_lately(session, patient_id, now=now) if needed else {}
    for key in needed:
        one = found[key]
        guess = estimate(
            one.balance,
            used=used.get(key, NOTHING),
            since=one.stock.since,
            now=now,
            today=local(now, place).date(),
        )
        found[key] = Supplied(one.stock, one.balance, guess)
    return found


def fetchers_of(session: Session, patient_id: int) -> Sequence[tuple[int, str]]:
    """Return (account id, name) of everybody who could fetch a patient's medicines."""
    rows = session.execute(
        select(Account.id, Account.name)
        .join(Grant, Grant.account_id == Account.id)
        .where(Grant.patient_id == patient_id, Grant.status == ACCEPTED)
        .order_by(Grant.id)
    )
    return [(row.id, row.name) for row in rows]


class Fetcher(NamedTuple):
    """Who is told that a medicine runs out, and whose it is where not their own."""

    account_id: int | None
    whose: str


def fetcher_of(session: Session, stock: Stock, patient: Patient) -> Fetcher:
    """Return who fetches a medicine: who was chosen and is let in, or the patient."""
    row = session.execute(
        select(Account, Grant.role)
        .join(Grant, Grant.account_id == Account.id)
        .where(
            Account.id == stock.fetcher_id,
            Grant.patient_id == stock.patient_id,
            Grant.status == ACCEPTED,
        )
    ).first()
    if row is None:
        return Fetcher(None, "")
    account, role = row
    whose = "" if role == SELF else patient.name
    return Fetcher(account.id, whose)


def oldest_check(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a supply waits to be looked at; None when none does."""
    since: datetime | None = session.scalar(
        select(func.min(Stock.check_at)).where(Stock.check_at <= now)
    )
    return since
