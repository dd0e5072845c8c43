"""Patients for the benchmarks, made by the product's own actions."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.actions.sessions import start_session
from pillweb.doses.actions.planning import plan_doses
from pillweb.doses.models import Dose as DoseRow
from pillweb.doses.models import DoseEvent
from pillweb.doses.rules.days import OPEN, TAKEN
from pillweb.medications.actions import add_medication
from pillweb.patients.actions import add_patient
from pillweb.reminders.actions.arming import arm_reminders
from pillweb.schedules.actions import set_plan
from pillweb.schedules.rules.line import Dose, Line, TimeOfDay
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.rules import Level

ZONE = "Europe/London"
MEDICINES = 20
A_WEEK = timedelta(days=7)
A_YEAR = timedelta(days=364)
ONE = Dose("1", Decimal(1))


def daily(*clocks: str, start: date) -> Line:
    """Return a line of clock times every day."""
    return Line(
        kind="clock",
        start_date=start,
        times=tuple(
            TimeOfDay(at=time.fromisoformat(clock), dose=ONE, slot=slot)
            for slot, clock in enumerate(clocks)
        ),
    )


def add_medicines(
    session: Session, patient_id: int, plans: Sequence[Sequence[str]], *, now: datetime
) -> None:
    """Give a patient one medicine for each plan, a plan being its clock times."""
    for number, clocks in enumerate(plans):
        medication = add_medication(
            session,
            patient_id=patient_id,
            name=f"Medicine {number} of the list",
            strength="5 mg",
            form="tablet",
            reason="blood pressure",
            instruction="With water",
            now=now,
        )
        line = daily(*clocks, start=now.date())
        set_plan(session, medication, lines=[line], author_id=None, now=now)


def full_list() -> list[list[str]]:
    """Return the times of 20 medicines: some once a day, some twice."""
    round_ = (["08:00"], ["08:00", "20:00"], ["13:00"], ["08:00", "22:00"], ["18:30"])
    return [round_[number % len(round_)] for number in range(MEDICINES)]


def morning_zone(at: datetime) -> str:
    """Return a zone in which it is past 8 in the morning."""
    ahead = (8 - at.hour) % 24
    ahead -= 24 if ahead > 12 else 0
    # POSIX counts the other way round: Etc/GMT-3 is three hours ahead.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def year_of(session: Session, *, now: datetime, zone: str) -> tuple[int, str]:
    """Add a patient with 20 medicines and a year of recorded doses.

    Returns the patient's id and the cookie secret of their signed-in browser.
    """
    began = now - A_YEAR
    patient = add_patient(session, name="Rosa", zone=zone, now=began)
    account = make_account(session, name="Rosa", email="rosa@example.org", now=began)
    grant_access(
        session,
        account_id=account.id,
        patient_id=patient.id,
        level=Level.MANAGE,
        role="self",
        now=began,
    )
    add_medicines(session, patient.id, full_list(), now=began)
    at = began
    while at < now:
        plan_doses(session, [(patient.id, zone)], now=at)
        at += A_WEEK
    plan_doses(session, [(patient.id, zone)], now=now)
    past = (DoseRow.patient_id == patient.id, DoseRow.due_at < now - timedelta(hours=6))
    session.execute(
        update(DoseRow)
        .where(*past, DoseRow.state == OPEN)
        .values(
            state=TAKEN,
            recorded_at=DoseRow.due_at,
            taken_at=DoseRow.due_at,
            taken_amount=DoseRow.amount,
        )
    )
    taken = session.query(DoseRow.id, DoseRow.due_at).where(*past).all()
    session.execute(
        insert(DoseEvent),
        [
            {
                "patient_id": patient.id,
                "dose_id": dose_id,
                "what": TAKEN,
                "amount": Decimal(1),
                "at": due_at,
                "entered_at": due_at,
                "account_id": account.id,
                "channel": "page",
            }
            for dose_id, due_at in taken
        ],
    )
    arm_reminders(session, [patient.id], now=now)
    token = start_session(session, account, now=now)
    session.flush()
    return patient.id, token


def many_patients(session: Session, count: int, *, now: datetime) -> list[int]:
    """Add patients of two medicines with four doses a day; return their ids."""
    ids = []
    for number in range(count):
        patient = add_patient(
            session,
            name=f"Patient {number}",
            zone=ZONE,
            now=now,
        )
        plans = [["08:00", "20:00"], ["08:00", "14:00"]]
        add_medicines(session, patient.id, plans, now=now)
        ids.append(patient.id)
    return ids


def at_clock(day: date, clock: str) -> datetime:
    """Return an instant in UTC."""
    return datetime.combine(day, time.fromisoformat(clock), UTC)
