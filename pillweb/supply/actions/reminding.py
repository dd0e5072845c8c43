"""Whoever fetches a medicine is told in time that it runs out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.words import date_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import REFILLS, Person, chosen_points
from pillweb.patients.models import Patient
from pillweb.sharing.queries.access import accounts_wanting
from pillweb.sharing.queries.hiding import hidden_of
from pillweb.supply.actions.booking import book_supply
from pillweb.supply.models import Stock
from pillweb.supply.queries.ledger import newest_event_id
from pillweb.supply.queries.outlook import (
    Fetcher,
    Supplied,
    fetcher_of,
    supplies_of,
)
from pillweb.supply.rules.checks import is_settled, is_waking, must_tell, next_check
from pillweb.supply.rules.words import order_words

REFILL_DUE = "refill_due"


def check_supplies(session: Session, *, now: datetime, limit: int) -> int:
    """Look at every supply whose time has come; return how many patients.

    What recorded doses used up is booked; what is low is told to whoever fetches it,
    all of one day in one message. At night nobody is told: the next look is at 9am.
    """
    due = select(Stock.patient_id).where(Stock.check_at <= now)
    patients = session.scalars(
        select(Patient)
        .where(Patient.id.in_(due))
        .order_by(Patient.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for patient in patients:
        _check(session, patient, now=now)
    return len(patients)


def _check(session: Session, patient: Patient, *, now: datetime) -> None:
    place = zone(patient.zone)
    newest = newest_event_id(session)
    book_supply(session, patient.id, now=now)
    found = supplies_of(session, patient.id, place=place, now=now)
    low = _low(list(found.values()), patient, now=now)
    if is_waking(now, place):
        _tell(session, patient, low, now=now)
    for supplied in found.values():
        stock = supplied.stock
        stock.check_at = next_check(now, place)
        # Whatever was being written when it was last looked at is booked by now.
        stock.after_event_id = stock.seen_event_id
        stock.seen_event_id = newest


def _low(
    found: Sequence[Supplied], patient: Patient, *, now: datetime
) -> list[Supplied]:
    today = local(now, zone(patient.zone)).date()
    low = []
    for one in found:
        stock = one.stock
        if is_settled(one.outlook, lead_days=stock.lead_days, today=today):
            stock.reminded_at = None
        if must_tell(
            one.outlook,
            lead_days=stock.lead_days,
            today=today,
            reminded_at=stock.reminded_at,
            now=now,
        ):
            low.append(one)
    return low


def _tell(
    session: Session, patient: Patient, low: Sequence[Supplied], *, now: datetime
) -> None:
    asked = accounts_wanting(session, patient.id, REFILLS) if low else ()
    wanting = [Fetcher(account_id, patient.name) for account_id in asked]
    together: dict[Fetcher, list[Supplied]] = {}
    for one in low:
        fetcher = fetcher_of(session, one.stock, patient)
        for who in dict.fromkeys([fetcher, *wanting]):
            together.setdefault(who, []).append(one)
    accounts = [who.account_id for who in together if who.account_id]
    hidden = hidden_of(session, patient.id, accounts) if accounts else {}
    for fetcher, some in together.items():
        known = hidden.get(fetcher.account_id or 0, frozenset())
        if left := [one for one in some if one.stock.medication_id not in known]:
            _post(session, patient, fetcher, left, now=now)


def _post(
    session: Session,
    patient: Patient,
    fetcher: Fetcher,
    low: Sequence[Supplied],
    *,
    now: datetime,
) -> None:
    """Post one message about all that one person fetches; no medicine is named."""
    on = local(now, zone(patient.zone)).date()
    person = _person(session, patient, fetcher, now=now)
    if person is None:
        return
    with speaking(person.speech):
        context = {
            "first_name": person.name,
            "whose": fetcher.whose,
            "items": [_item(one) for one in _worst_first(low)],
            "link": link(f"/patients/{patient.id}/supply"),
        }
    for point in chosen_points(person, REFILLS):
        post_message(
            session,
            person,
            point,
            kind=REFILL_DUE,
            about=f"{patient.id}:{on}",
            context=context,
            now=now,
            patient_id=patient.id,
        )
    for one in low:
        one.stock.reminded_at = now


def _person(
    session: Session, patient: Patient, fetcher: Fetcher, *, now: datetime
) -> Person | None:
    if fetcher.account_id is None:
        return patients_to_tell(session, [patient.id], now=now)[patient.id]
    who = [fetcher.account_id]
    return helpers_to_tell(session, patient.id, who, now=now).get(fetcher.account_id)


def _worst_first(low: Sequence[Supplied]) -> list[Supplied]:
    return sorted(low, key=lambda one: str(one.outlook.runs_out_on))


def _item(one: Supplied) -> dict[str, Any]:
    stock, day = one.stock, one.outlook.runs_out_on
    return {
        "runs_out": "" if day is None else date_words(day),
        "order": order_words(
            repeats_left=stock.repeats_left, lead_days=stock.lead_days
        ),
    }
