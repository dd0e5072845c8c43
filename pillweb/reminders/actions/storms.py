"""Storms: too many messages for one person are held back, and told of as one."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from pillweb.base.links import link
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import STORM, Person
from pillweb.outbox.models import Delivery, Incident
from pillweb.patients.models import Patient
from pillweb.reminders.rules.course import HELD_BACK
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.doors import holds

# A storm is over when so long nothing had to be held back.
CALM = timedelta(minutes=1)


def oldest_storm(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a storm is over that nobody was told of; None for no such."""
    calm = _calm_since(session, now=now)
    return min((at for _incident, at in calm), default=None)


def _calm_since(session: Session, *, now: datetime) -> list[tuple[Incident, datetime]]:
    """Return the open storms that are over, and since when."""
    incidents = session.scalars(
        select(Incident)
        .where(Incident.kind == STORM, Incident.closed_at.is_(None))
        .order_by(Incident.id)
    ).all()
    found = []
    for incident in incidents:
        last = session.scalar(
            select(func.max(Delivery.created_at)).where(*_held_back(incident))
        )
        calm_at = (last or incident.opened_at) + CALM
        if calm_at <= now:
            found.append((incident, calm_at))
    return found


def _held_back(incident: Incident) -> tuple[ColumnElement[bool], ...]:
    """Return what was held back from one person while a storm lasted."""
    column = {"p": ContactPoint.patient_id, "a": ContactPoint.account_id}
    owner = column[incident.about[0]] == int(incident.about[1:])
    return (
        Delivery.contact_id.in_(select(ContactPoint.id).where(owner)),
        Delivery.created_at >= incident.opened_at,
        Delivery.state == "suppressed",
        Delivery.last_error == STORM,
    )


def end_storms(session: Session, *, now: datetime) -> int:
    """Tell everybody once what a storm held back that is over; return how many storms.

    It is the one message that may be more than the cap allows.
    """
    calm = _calm_since(session, now=now)
    for incident, _at in calm:
        # Whoever closes it tells of it: two of us never do.
        closed = session.execute(
            update(Incident)
            .where(Incident.id == incident.id, Incident.closed_at.is_(None))
            .values(closed_at=now)
            .returning(Incident.id),
            execution_options={"synchronize_session": False},
        ).first()
        if closed is not None:
            _tell_held_back(session, incident, now=now)
    return len(calm)


def _tell_held_back(session: Session, incident: Incident, *, now: datetime) -> None:
    """Tell one person what was held back, and of whom: each may be looked at."""
    rows = session.execute(
        select(Delivery.contact_id, Delivery.patient_id).where(*_held_back(incident))
    ).all()
    names = _names_of(
        session,
        incident.about,
        {row.patient_id for row in rows if row.patient_id},
        now=now,
    )
    if not names:
        return
    person = _person(session, incident.about, min(names), now=now)
    if person is None:
        return
    held = Counter(row.contact_id for row in rows)
    people = [
        {"name": name, "link": link(f"/patients/{patient_id}/today")}
        for patient_id, name in names.items()
    ]
    for point in person.points:
        if point.id in held:
            post_message(
                session,
                person,
                replace(point, last_minute=0, last_hour=0),
                kind=HELD_BACK,
                about=str(incident.id),
                context={
                    "first_name": person.name,
                    "number": held[point.id],
                    "people": people,
                    "link": people[0]["link"] if len(people) == 1 else link("/people"),
                },
                now=now,
                patient_id=min(names),
            )


def _names_of(
    session: Session, key: str, patient_ids: Collection[int], *, now: datetime
) -> dict[int, str]:
    """Return the names of those of these patients somebody may still be told of."""
    helped = select(Grant.patient_id).where(
        Grant.account_id == int(key[1:]), holds(now)
    )
    may = Patient.id == int(key[1:]) if key[0] == "p" else Patient.id.in_(helped)
    rows = session.execute(
        select(Patient.id, Patient.name)
        .where(Patient.id.in_(patient_ids), may)
        .order_by(Patient.id)
    )
    return {row.id: row.name for row in rows}


def _person(
    session: Session, key: str, patient_id: int, *, now: datetime
) -> Person | None:
    if key == f"p{patient_id}":
        return patients_to_tell(session, [patient_id], now=now)[patient_id]
    account_id = int(key[1:])
    return helpers_to_tell(session, patient_id, [account_id], now=now).get(account_id)
