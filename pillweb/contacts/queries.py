"""Questions about where people can be reached."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from pillweb.accounts.models import Account
from pillweb.base.crypto import blind_index
from pillweb.base.db import UTCDateTime, ask, table_of
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.i18n import Speech
from pillweb.base.look import read_look
from pillweb.base.mail_address import email_key
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.channels.registry import channels
from pillweb.contacts.models import ContactPoint, ContactTest, Preference, StopLink
from pillweb.contacts.rules import (
    Owner,
    Person,
    Point,
    Standing,
    Wishes,
    reminding_states,
)
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_in_force
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.rules import ACCEPTED, SELF

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Whose something is: the columns that say so.
PATIENT, ACCOUNT = "patient_id", "account_id"
_POINT, _WISH = table_of(ContactPoint).c, table_of(Preference).c
_instant = UTCDateTime()
_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_PATIENTS = select(
    Patient.id,
    Patient.name,
    Patient.language,
    zone_in_force(bindparam("now", type_=_instant)).label("zone_now"),
).where(Patient.id.in_(_ids))
_LOOKS = (
    select(Grant.patient_id, Account.look)
    .join(Account, Account.id == Grant.account_id)
    .where(
        Grant.patient_id.in_(_ids),
        Grant.role == SELF,
        Grant.status == ACCEPTED,
        Account.look.is_not(None),
    )
)
_POINTS = {
    owner: select(
        _POINT[owner].label("owner"),
        _POINT.id,
        _POINT.channel,
        _POINT.address,
        _POINT.state,
    )
    .where(_POINT[owner].in_(_ids))
    .order_by(_POINT.rank, _POINT.id)
    for owner in (PATIENT, ACCOUNT)
}
_COUNTS = (
    select(
        Delivery.contact_id,
        func.count().filter(Delivery.created_at > bindparam("minute", type_=_instant)),
        func.count(),
    )
    .where(
        Delivery.contact_id.in_(_ids),
        Delivery.created_at > bindparam("hour", type_=_instant),
        Delivery.state != "suppressed",
    )
    .group_by(Delivery.contact_id)
)
_WISHES = {
    owner: select(
        _WISH[owner].label("owner"), *(_WISH[one.name] for one in fields(Wishes))
    ).where(_WISH[owner].in_(_ids))
    for owner in (PATIENT, ACCOUNT)
}
# One join for either would be a look at every row on SQLite.
_patients, _accounts = aliased(Preference), aliased(Preference)
_STANDINGS = (
    select(
        Delivery.id,
        ContactPoint.state,
        or_(
            Delivery.account_id.is_(None),
            Delivery.patient_id.is_(None),
            exists().where(
                Grant.patient_id == Delivery.patient_id,
                Grant.account_id == Delivery.account_id,
                holds(bindparam("now", type_=_instant)),
            ),
        ).label("is_granted"),
        Patient.leaves_at.is_not(None).label("is_leaving"),
        zone_in_force(bindparam("now", type_=_instant)).label("zone"),
        func.coalesce(_patients.id, _accounts.id).is_not(None).label("is_wishing"),
        *(
            func.coalesce(getattr(_patients, one.name), getattr(_accounts, one.name))
            for one in fields(Wishes)
        ),
    )
    .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_id)
    .outerjoin(_patients, _patients.patient_id == ContactPoint.patient_id)
    .outerjoin(_accounts, _accounts.account_id == ContactPoint.account_id)
    .outerjoin(Patient, Patient.id == Delivery.patient_id)
    .where(Delivery.id.in_(_ids))
)
# How many of its columns come before the wishes.
_FACTS = 6


def address_index(channel: str, address: str) -> bytes:
    """Return the keyed hash by which an address of a channel is found."""
    return blind_index(email_key(address), purpose=f"contact.{channel}")


def patients_to_tell(
    session: Session, patient_ids: Collection[int], *, now: datetime
) -> Mapping[int, Person]:
    """Return how these patients are told, by id."""
    rows = ask(session, _PATIENTS, {"ids": list(patient_ids), "now": now}).all()
    looks = _looks_of_selves(session, patient_ids)
    points = _points(session, PATIENT, set(patient_ids), now=now)
    wishes = _wishes(session, PATIENT, patient_ids)
    return {
        patient.id: Person(
            key=f"p{patient.id}",
            name=patient.name,
            speech=looks.get(patient.id) or Speech(patient.language or "en"),
            zone=patient.zone_now,
            points=tuple(points.get(patient.id, ())),
            wishes=wishes.get(patient.id, Wishes()),
        )
        for patient in rows
    }


def accounts_to_tell(
    session: Session,
    account_ids: Collection[int],
    *,
    zone: str,
    language: str,
    now: datetime,
) -> Mapping[int, Person]:
    """Return how these accounts are told, by id.

    `zone` and `language` are for who told nothing of themselves.
    `contacts.actions.adding.helpers_to_tell` sees to it that each has an address.
    """
    rows = session.scalars(select(Account).where(Account.id.in_(account_ids))).all()
    points = _points(session, ACCOUNT, set(account_ids), now=now)
    wishes = _wishes(session, ACCOUNT, account_ids)
    return {
        account.id: Person(
            key=f"a{account.id}",
            name=account.name,
            speech=_speech(account, language),
            zone=zone,
            points=tuple(points.get(account.id, ())),
            wishes=wishes.get(account.id, Wishes()),
        )
        for account in rows
    }


def _speech(account: Account, language: str) -> Speech:
    look = read_look(account.look or "")
    return look.speech if look.language else Speech(language or "en")


def _looks_of_selves(
    session: Session, patient_ids: Collection[int]
) -> dict[int, Speech]:
    rows = ask(session, _LOOKS, {"ids": list(patient_ids)})
    found = {patient_id: read_look(look or "") for patient_id, look in rows}
    return {key: look.speech for key, look in found.items() if look.language}


def _points(
    session: Session, owner: str, ids: Collection[int], *, now: datetime
) -> dict[int, list[Point]]:
    rows = ask(session, _POINTS[owner], {"ids": list(ids)}).all()
    lately = sent_lately(session, [row.id for row in rows], now=now)
    known = channels()
    found: dict[int, list[Point]] = {}
    for row in rows:
        if row.channel not in known:
            continue
        minute, hour = lately.get(row.id, (0, 0))
        point = Point(
            id=row.id,
            channel=row.channel,
            address=row.address,
            state=row.state,
            loudness=known[row.channel].LOUDNESS,
            last_minute=minute,
            last_hour=hour,
        )
        found.setdefault(row.owner, []).append(point)
    return found


def sent_lately(
    session: Session, contact_ids: Collection[int], *, now: datetime
) -> dict[int, tuple[int, int]]:
    """Return how many messages addresses got in the last minute, and the last hour.

    Of those that got none there is nothing.
    """
    if not contact_ids:
        return {}
    values = {"ids": list(contact_ids), "minute": now - MINUTE, "hour": now - HOUR}
    rows = ask(session, _COUNTS, values)
    return {contact or 0: (minute, hour) for contact, minute, hour in rows}


def _wishes(session: Session, owner: str, ids: Collection[int]) -> dict[int, Wishes]:
    rows = ask(session, _WISHES[owner], {"ids": list(ids)})
    return {row.owner: Wishes(*row[1:]) for row in rows}


def owned(row: type[ContactPoint | Preference], owner: Owner) -> ColumnElement[bool]:
    """Return that a row is this owner's."""
    if owner.patient_id is not None:
        return row.patient_id == owner.patient_id
    return row.account_id == owner.account_id


def contacts_of(session: Session, owner: Owner) -> Sequence[ContactPoint]:
    """Return everywhere somebody is reached, the first by rank first."""
    return session.scalars(
        select(ContactPoint)
        .where(owned(ContactPoint, owner))
        .order_by(ContactPoint.rank, ContactPoint.id)
    ).all()


def contacts_of_patient(session: Session, patient_id: int) -> Sequence[ContactPoint]:
    """Return everywhere a patient is reached, the first by rank first."""
    return contacts_of(session, Owner(patient_id=patient_id))


def contact_of(session: Session, owner: Owner, contact_id: int) -> ContactPoint:
    """Return one contact point of somebody.

    Raises:
        NotFoundError: they have no such one.
    """
    row = session.get(ContactPoint, contact_id)
    if row is None or Owner(row.patient_id, row.account_id) != owner:
        raise NotFoundError
    return row


def wishes_of(session: Session, owner: Owner) -> Wishes:
    """Return how somebody wants to be told."""
    found = _wishes(
        session,
        PATIENT if owner.patient_id else ACCOUNT,
        [owner.number],
    )
    return found.get(owner.number, Wishes())


def ways_to_remind(session: Session, patient_id: int, *, besides: int = 0) -> list[str]:
    """Return the states of where a patient wants reminders, but for one contact point.

    `contacts.rules.is_reached` says whether these are enough.
    """
    ways = session.execute(
        select(ContactPoint.channel, ContactPoint.state).where(
            ContactPoint.patient_id == patient_id, ContactPoint.id != besides
        )
    )
    wishes = wishes_of(session, Owner(patient_id=patient_id))
    return reminding_states([(one.channel, one.state) for one in ways], wishes)


def newest_tests(
    session: Session, contact_ids: Collection[int]
) -> Mapping[int, ContactTest]:
    """Return the newest test of each contact point that ever got one."""
    rows = session.scalars(
        select(ContactTest)
        .where(ContactTest.contact_id.in_(contact_ids))
        .order_by(ContactTest.id)
    )
    return {row.contact_id: row for row in rows}


def contact_to_stop(session: Session, token: str) -> ContactPoint:
    """Return the contact point that this secret stops.

    Raises:
        LinkGoneError: the secret is wrong, or the contact point was removed.
    """
    with seeing_everybody(session):
        row = session.scalar(
            select(ContactPoint)
            .join(StopLink, StopLink.contact_id == ContactPoint.id)
            .where(StopLink.token_hash == token_hash(token))
        )
    if row is None:
        raise LinkGoneError
    if row.patient_id is not None:
        let_see(session, row.patient_id)
    return row


def standings_of(
    session: Session, delivery_ids: Collection[int], *, now: datetime
) -> dict[int, Standing]:
    """Return how whom these messages go to stand to them now, by the messages' ids."""
    if not delivery_ids:
        return {}
    rows = ask(session, _STANDINGS, {"ids": list(delivery_ids), "now": now})
    return {
        row.id: Standing(
            state=row.state,
            is_granted=row.is_granted,
            is_leaving=row.is_leaving,
            wishes=Wishes(*row[_FACTS:]) if row.is_wishing else Wishes(),
            zone=row.zone or "Etc/UTC",
        )
        for row in rows
    }


def contact_test_behind(session: Session, token: str, *, now: datetime) -> ContactTest:
    """Return the test with this secret.

    Raises:
        LinkGoneError: it is wrong or too old.
    """
    with seeing_everybody(session):
        row = session.execute(
            select(ContactTest, ContactPoint.patient_id)
            .join(ContactPoint, ContactPoint.id == ContactTest.contact_id)
            .where(
                ContactTest.token_hash == token_hash(token),
                ContactTest.expires_at > now,
            )
        ).first()
    if row is None:
        raise LinkGoneError
    if row.patient_id is not None:
        let_see(session, row.patient_id)
    test: ContactTest = row.ContactTest
    return test
