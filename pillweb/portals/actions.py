"""Loads the demo family: made by the same actions as a real one."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.agreeing import note_agreed
from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.models import Account
from pillweb.accounts.rules import MYSELF
from pillweb.base.i18n import gettext as _
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.changing import keep_wishes
from pillweb.contacts.rules import DAY, WEEK, Owner, Wishes
from pillweb.doses.actions.planning import plan_doses, replan_doses
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import SKIPPED, TAKEN
from pillweb.medications.actions import add_medication
from pillweb.medications.models import Medication
from pillweb.patients.actions import add_patient, change_meals
from pillweb.patients.models import Patient
from pillweb.portals.queries import person_just_added
from pillweb.portals.rules import (
    CAREGIVER,
    DEMO_ZONE,
    DOCTOR,
    ELDER,
    HISTORY,
    MEDICINES,
    PACK_SIZE,
    STILL_OPEN,
    SUPPLIES,
    demo_outcome,
)
from pillweb.reminders.actions.arming import arm_reminders
from pillweb.reports.actions import order_report
from pillweb.reports.rules import MONTHLY
from pillweb.schedules.actions import set_plan
from pillweb.schedules.queries import current_plan, lines_of
from pillweb.schedules.rules.journey import with_policy
from pillweb.schedules.rules.line import ZonePolicy
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.setup.actions import begin_set_up
from pillweb.sharing.actions.granting import choose_told, grant_access
from pillweb.sharing.queries.access import helpers_of
from pillweb.sharing.rules import SELF, Level
from pillweb.supply.actions.booking import (
    count_supply,
    follow_supply,
    receive_supply,
    set_refill,
)
from pillweb.supply.rules.checks import LEAD_DAYS, next_check

A_WEEK = timedelta(days=7)
SAME_FAMILY = 82


def load_demo(session: Session, *, password: str, now: datetime) -> Account:
    """Add the demo family with 90 days of history; return the elder's account.

    Everybody in it signs in with the given password. Nothing is mailed for the past.
    """
    began = now - HISTORY
    elder, caregiver = (
        make_account(session, name=name, email=email, password=password, now=began)
        for name, email in (ELDER, CAREGIVER)
    )
    patient = add_patient(
        session,
        name=elder.name.split()[0],
        zone=DEMO_ZONE,
        now=began,
        is_demo=True,
    )
    for account, role in ((elder, SELF), (caregiver, "caregiver")):
        _let_in(session, patient, account, role=role, now=began)
    _reach(session, patient, elder, caregiver, began=began)
    _prescribe(session, patient, author_id=caregiver.id, began=began)
    _plan_since(session, patient, began=began, now=now)
    for name in SUPPLIES:
        _stock_up(session, patient, name, account_id=caregiver.id, began=began)
    _live_through(session, patient, account_id=elder.id, now=now)
    for name in SUPPLIES:
        _count(session, patient, name, account_id=caregiver.id, now=now)
    arm_reminders(session, [patient.id], now=now)
    order_report(
        session,
        patient=patient,
        made_by_id=caregiver.id,
        doctor_name=DOCTOR[0],
        email=DOCTOR[1],
        every=MONTHLY,
        now=now,
    )
    return elder


def add_person(
    session: Session,
    *,
    account_id: int,
    name: str,
    zone: str,
    born: str,
    reminder_email: str,
    is_self: bool,
    now: datetime,
    agreed: str = MYSELF,
    agreed_note: str = "",
) -> int:
    """Add somebody who takes medicine, managed by this account; return the id.

    Their set-up begins; it is written down how they agreed (`accounts.rules.WAYS`).

    The same person twice within a minute is a button pressed twice, and one person.
    """
    session.execute(
        select(Account.id).where(Account.id == account_id).with_for_update()
    )
    twin = person_just_added(session, account_id, name=name, zone=zone, now=now)
    if twin is not None:
        return twin
    patient = add_patient(
        session,
        name=name,
        zone=zone,
        born=born,
        now=now,
    )
    add_contact(
        session,
        channel="email",
        address=reminder_email,
        patient_id=patient.id,
        now=now,
    )
    begin_set_up(session, patient.id, now=now)
    grant_access(
        session,
        account_id=account_id,
        patient_id=patient.id,
        level=Level.MANAGE,
        role=SELF if is_self else "caregiver",
        now=now,
    )
    note_agreed(
        session,
        patient.id,
        account_id=account_id,
        how=agreed,
        note=agreed_note,
        now=now,
    )
    return patient.id


def keep_meals(
    session: Session, patient_id: int, meals: Mapping[str, Any], *, now: datetime
) -> None:
    """Keep when a patient eats and sleeps; what came due until now stays as it was."""
    replan_doses(session, [patient_id], now=now)
    change_meals(session, patient_id, meals)


def keep_policy(
    session: Session,
    medication: Medication,
    policy: ZonePolicy,
    *,
    author_id: int,
    now: datetime,
) -> None:
    """Take a medicine by home times or by local times on journeys from now on."""
    plan = current_plan(session, medication.id)
    rows = lines_of(session, plan.id) if plan else []
    lines = [line_from_json(row.rule) for row in rows]
    home, there = _("Home times on journeys"), _("Local times on journeys")
    set_plan(
        session,
        medication,
        lines=with_policy(lines, policy),
        author_id=author_id,
        now=now,
        reason=home if policy == "home" else there,
    )


def _let_in(
    session: Session, patient: Patient, account: Account, *, role: str, now: datetime
) -> None:
    grant_access(
        session,
        account_id=account.id,
        patient_id=patient.id,
        level=Level.MANAGE,
        role=role,
        now=now,
    )


def _reach(
    session: Session,
    patient: Patient,
    elder: Account,
    caregiver: Account,
    *,
    began: datetime,
) -> None:
    """Remind the elder by mail, quietly at night; tell the caregiver what she chose."""
    for account, owner in (
        (elder, Owner(patient_id=patient.id)),
        (caregiver, Owner(account_id=caregiver.id)),
    ):
        add_contact(
            session,
            channel="email",
            address=account.email,
            **owner._asdict(),
            is_proven=True,
            now=began,
        )
        night = Wishes(quiet_from="22:00", quiet_until="07:00")
        keep_wishes(session, owner, night)
    (helper,) = helpers_of(session, patient.id)
    choose_told(
        session,
        patient_id=patient.id,
        grant_id=helper.grant_id,
        alerts=True,
        ladder_place=1,
        wants=[DAY, WEEK],
    )


def _prescribe(
    session: Session, patient: Patient, *, author_id: int, began: datetime
) -> None:
    start = local(began, zone(patient.zone)).date()
    for medicine in MEDICINES:
        row = add_medication(
            session,
            patient_id=patient.id,
            name=medicine.name,
            strength=medicine.strength,
            form=medicine.form,
            reason=medicine.reason,
            instruction=medicine.instruction,
            now=began,
        )
        set_plan(
            session,
            row,
            lines=[medicine.line(start)],
            author_id=author_id,
            now=began,
            source="prescription",
        )


def _plan_since(
    session: Session, patient: Patient, *, began: datetime, now: datetime
) -> None:
    """Plan week by week, as the job would have done."""
    at = began
    while at < now:
        plan_doses(session, [(patient.id, patient.zone)], now=at)
        at += A_WEEK
    plan_doses(session, [(patient.id, patient.zone)], now=now)


def _medicine(session: Session, patient: Patient, name: str) -> Medication:
    mine = select(Medication).where(Medication.patient_id == patient.id)
    return next(row for row in session.scalars(mine) if row.name == name)


def _stock_up(
    session: Session, patient: Patient, name: str, *, account_id: int, began: datetime
) -> None:
    """Get what is used up in the history, and say how more is got."""
    row, supply = _medicine(session, patient, name), SUPPLIES[name]
    receive_supply(
        session,
        row,
        quantity=Fraction(supply.had),
        uses_repeat=False,
        account_id=account_id,
        press=None,
        now=began,
    )
    set_refill(
        session,
        row,
        pack_size=Decimal(PACK_SIZE),
        repeats_left=supply.repeats_left,
        lead_days=LEAD_DAYS,
        fetcher_id=account_id,
        now=began,
    )


def _count(
    session: Session, patient: Patient, name: str, *, account_id: int, now: datetime
) -> None:
    """Count what is left where somebody did; who fetches it hears at the next 9am."""
    row, counted = _medicine(session, patient, name), SUPPLIES[name].counted
    if counted is not None:
        count_supply(
            session,
            row,
            counted=Fraction(counted),
            account_id=account_id,
            press=None,
            now=now,
        )
    stock = follow_supply(session, row, now=now)
    stock.check_at = next_check(now, zone(patient.zone))


def _past_doses(session: Session, patient: Patient, *, now: datetime) -> Sequence[Dose]:
    return session.scalars(
        select(Dose)
        .where(Dose.patient_id == patient.id, Dose.due_at < now - STILL_OPEN)
        .order_by(Dose.due_at, Dose.id)
    ).all()


def _live_through(
    session: Session, patient: Patient, *, account_id: int, now: datetime
) -> None:
    """Record what became of each past dose; those of the last hour stay open."""
    dice = random.Random(SAME_FAMILY)  # noqa: S311 - the same family every time
    today = local(now, zone(patient.zone)).date()
    changes, events = [], []
    for dose in _past_doses(session, patient, now=now):
        clock = local(dose.due_at, zone(patient.zone)).time()
        # What could still be taken was taken: nothing is mailed for the past.
        ago = 0 if dose.missed_at > now else (today - dose.nominal_date).days
        found = demo_outcome(clock, ago, dice=dice)
        if found.taken_after is None and found.skip_reason is None:
            continue
        taken = found.taken_after is not None
        amount = dose.amount if taken else None
        at = min(dose.due_at + (found.taken_after or timedelta(0)), now)
        changes.append(
            {
                "id": dose.id,
                "state": TAKEN if taken else SKIPPED,
                "recorded_at": at,
                "taken_at": at if taken else None,
                "taken_amount": amount,
                "skip_reason": found.skip_reason,
            }
        )
        events.append(
            {
                "patient_id": patient.id,
                "dose_id": dose.id,
                "what": TAKEN if taken else SKIPPED,
                "amount": amount,
                "at": at,
                "entered_at": at,
                "account_id": account_id,
                "channel": "page",
                "reason": found.skip_reason,
            }
        )
    session.execute(update(Dose), changes)
    session.execute(insert(DoseEvent), events)
    session.expire_all()
