"""Questions about who leaves, and what is kept of whom."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, Table, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from pillweb.accounts.models import Account, Consent, EntryTry, SignInMail
from pillweb.base.config import settings
from pillweb.base.crypto import blind_index
from pillweb.base.db import Base, table_of
from pillweb.base.errors import NotFoundError
from pillweb.base.line_file import lines_of
from pillweb.base.sealed import DataKey
from pillweb.base.sight import seeing_everybody
from pillweb.base.viewer import Viewer
from pillweb.channels.live import LiveNote
from pillweb.contacts.models import ContactPoint
from pillweb.devices.models import Device, DevicePlace
from pillweb.devices.queries import tablets_of
from pillweb.feeds.queries import feeds_of
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery, Incident
from pillweb.patients.models import Patient
from pillweb.rights.rules import (
    ACCOUNT,
    FEED,
    LINK,
    PATIENT,
    TABLET,
    Erased,
    Way,
    Whose,
    read_line,
)
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import helpers_of, links_of
from pillweb.sharing.queries.doors import holds, is_live
from pillweb.sharing.rules import ACCEPTED, ASIDE, KEPT_OUT, SELF, Level

ROWS: dict[str, type[Patient] | type[Account]] = {PATIENT: Patient, ACCOUNT: Account}
Holding = tuple[Table, ColumnElement[bool]]


def ledger_file() -> Path:
    """Return where it is written what must stay erased: outside the database."""
    return Path(settings().var_dir) / "erasures.jsonl"


def ledger() -> list[Erased]:
    """Return all that was ever erased here; a line that was cut off is passed over."""
    lines = lines_of(ledger_file())
    return [erased for line in lines if (erased := read_line(line))]


def fingerprint_of(session: Session, whose: Whose) -> bytes | None:
    """Return the keyed hash by which a row is known again; None where there is none.

    A number may be given again, the random mark beside it never is.
    """
    row = ROWS[whose.kind]
    mark = session.scalar(select(row.mark).where(row.id == whose.row_id))
    if mark is None:
        return None
    text = json.dumps([whose.kind, whose.row_id, mark.hex()])
    return blind_index(text, purpose="erasure")


def oldest_leaving(session: Session, *, now: datetime) -> datetime | None:
    """Return since when somebody's time to take it back is over; None when nobody's."""
    ends = [
        session.scalar(select(func.min(row.leaves_at)).where(row.leaves_at <= now))
        for row in ROWS.values()
    ]
    return min((at for at in ends if at), default=None)


def to_erase(session: Session, *, now: datetime) -> Sequence[Whose]:
    """Return who is to be erased now, patients first."""
    return [
        Whose(kind, row_id)
        for kind, row in ROWS.items()
        for row_id in session.scalars(
            select(row.id).where(row.leaves_at <= now).order_by(row.leaves_at)
        )
    ]


def holdings_of(session: Session, whose: Whose) -> Iterator[Holding]:
    """Yield each table that holds something of somebody, and which rows.

    Those are all whose foreign keys say that they go with the row, as the metadata
    know them, and what points there without one; children come first, and the key by
    which all the others are read comes last.
    """
    yield from _unbound(session, whose)
    keys = table_of(DataKey)
    children_first = [*reversed(Base.metadata.sorted_tables)]
    for table in sorted(children_first, key=lambda one: one is keys):
        for column in table.columns:
            for key in column.foreign_keys:
                if key.target_fullname == f"{whose.kind}.id" and key.ondelete == (
                    "CASCADE"
                ):
                    yield table, column == whose.row_id


def _unbound(session: Session, whose: Whose) -> Iterator[Holding]:
    """Yield what belongs to somebody without a foreign key that says so."""
    column = f"{whose.kind}_id"
    points = table_of(ContactPoint)
    theirs = select(points.c.id).where(points.c[column] == whose.row_id)
    told = table_of(Delivery)
    is_told = or_(told.c[column] == whose.row_id, told.c.contact_id.in_(theirs))
    notes = table_of(LiveNote)
    yield notes, notes.c.delivery_id.in_(select(told.c.id).where(is_told))
    yield told, is_told
    incidents = table_of(Incident)
    yield incidents, incidents.c.about == f"{whose.kind[0]}{whose.row_id}"
    if whose.kind == PATIENT:
        yield _tablets_alone(whose.row_id)
    else:
        index = session.scalar(
            select(Account.email_index).where(Account.id == whose.row_id)
        )
        for asked in (table_of(SignInMail), table_of(EntryTry)):
            yield asked, asked.c.email_index == literal(index, asked.c.email_index.type)


def _tablets_alone(patient_id: int) -> Holding:
    """Return the tablets that show nobody else, nor ever did."""
    tablets, places = table_of(Device), table_of(DevicePlace)
    of_others = select(places.c.device_id).where(places.c.patient_id != patient_id)
    theirs = select(places.c.device_id).where(places.c.patient_id == patient_id)
    return tablets, tablets.c.id.in_(theirs.except_(of_others))


def leaving_patient(
    session: Session, viewer: Viewer, patient_id: int
) -> tuple[str, datetime] | None:
    """Return name and end of a patient who is leaving, if the viewer may prevent it."""
    found = {row[0]: row[1:] for row in leaving_patients(session, viewer)}
    return found.get(patient_id)


def leaving_patients(
    session: Session, viewer: Viewer
) -> Sequence[tuple[int, str, datetime]]:
    """Return (id, name, end) of who is leaving and whom the viewer can bring back.

    Their rows are kept back from everybody: nobody's access is accepted meanwhile.
    """
    mine = (
        select(Patient.id, Patient.name, Patient.leaves_at)
        .join(Grant, Grant.patient_id == Patient.id)
        .where(
            Grant.account_id == viewer.account_id,
            Grant.status == ASIDE,
            Grant.level >= int(Level.MANAGE),
            or_(Grant.ends_at.is_(None), Grant.ends_at > viewer.at),
            Patient.leaves_at > viewer.at,
        )
        .order_by(Patient.id)
    )
    with seeing_everybody(session):
        rows = session.execute(mine).all()
    return [(row.id, row.name, row.leaves_at) for row in rows]


def keys_told(session: Session, whose: Whose) -> Sequence[str]:
    """Return by what each message about somebody, or to them, is known."""
    told = table_of(Delivery)
    rows = [which for table, which in _unbound(session, whose) if table is told]
    return session.scalars(select(told.c.dedupe_key).where(*rows)).all()


def alone_managed_by(
    session: Session, account_id: int, *, now: datetime
) -> Sequence[tuple[int, str]]:
    """Return (id, name) of the patients for whom nobody else manages for good."""
    others = select(Grant.patient_id).where(
        Grant.account_id != account_id,
        Grant.level >= int(Level.MANAGE),
        Grant.ends_at.is_(None),
        holds(now),
    )
    rows = session.execute(
        select(Patient.id, Patient.name)
        .join(Grant, Grant.patient_id == Patient.id)
        .where(
            Grant.account_id == account_id,
            Grant.level >= int(Level.MANAGE),
            holds(now),
            Patient.id.not_in(others),
        )
        .order_by(Patient.id)
    )
    return [(row.id, row.name) for row in rows]


def kept_out_of(session: Session, patient_id: int) -> Sequence[str]:
    """Return the names of whom nothing of a patient is shared with for now."""
    return session.scalars(
        select(Account.name)
        .join(Grant, Grant.account_id == Account.id)
        .where(Grant.patient_id == patient_id, Grant.status == KEPT_OUT)
        .order_by(Grant.id)
    ).all()


def made_by(
    session: Session, patient_id: int, grant_id: int, *, now: datetime
) -> tuple[str, list[Way]]:
    """Return the name of who has, or had, a grant, and what they made that still opens.

    Raises:
        NotFoundError: the patient has no such grant, or it is the patient's own.
    """
    who = session.execute(
        select(Grant.account_id, Account.name)
        .join(Account, Account.id == Grant.account_id)
        .where(Grant.id == grant_id, Grant.patient_id == patient_id, Grant.role != SELF)
    ).first()
    if who is None:
        raise NotFoundError
    ways = ways_of(session, patient_id, now=now)
    return who.name, [way for way in ways if way.made_by_id == who.account_id]


def ways_of(session: Session, patient_id: int, *, now: datetime) -> list[Way]:
    """Return what was given out of a patient and still opens for whoever has it."""
    tablets = [place for place, _seen_at in tablets_of(session, patient_id)]
    links = [row for row in links_of(session, patient_id) if is_live(row, now=now)]
    feeds = feeds_of(session, patient_id)
    return [
        *(Way(TABLET, row.id, row.name, row.made_by_id) for row in tablets),
        *(Way(LINK, row.id, row.label, row.made_by_id) for row in links),
        *(Way(FEED, row.id, row.label, row.made_by_id) for row in feeds),
    ]


def ways_while_stopped(
    session: Session, patient_id: int, *, now: datetime
) -> tuple[list[Way], list[Way]]:
    """Return what stays open while sharing is stopped, and the calendars that do not.

    Tablets stand with the patient, and their own calendar reminds them.
    """
    own = session.scalars(
        select(Grant.account_id).where(
            Grant.patient_id == patient_id, Grant.role == SELF, holds(now)
        )
    ).all()
    ways = ways_of(session, patient_id, now=now)
    calendars = [way for way in ways if way.kind == FEED]
    others = [way for way in calendars if way.made_by_id not in own]
    stay = [way for way in ways if way.kind != LINK and way not in others]
    return stay, others


def is_kept_in(session: Session, patient_id: int) -> bool:
    """Say whether nothing of a patient is shared for now."""
    since = select(Patient.kept_in_at).where(Patient.id == patient_id)
    return session.scalar(since) is not None


def urgent_medicines(session: Session, patient_id: int) -> Sequence[str]:
    """Return the names of medicines taken now that must not be late."""
    rows = session.scalars(
        select(Medication)
        .where(
            Medication.patient_id == patient_id,
            Medication.category == "time_critical",
            Medication.stopped_at.is_(None),
        )
        .order_by(Medication.id)
    )
    return [row.name for row in rows]


def told_where_time_matters(
    session: Session, patient_id: int, *, besides: int
) -> Sequence[tuple[int, str]]:
    """Return (grant id, name) of who is told of doses that must not be late."""
    if not urgent_medicines(session, patient_id):
        return []
    return [
        (one.grant_id, one.name)
        for one in helpers_of(session, patient_id)
        if one.account_id != besides and (one.alerts or one.ladder_place)
    ]


def consents_of(session: Session, whose: Whose) -> Sequence[Consent]:
    """Return what was agreed to about somebody's data, newest first."""
    column = Consent.patient_id if whose.kind == PATIENT else Consent.owner_id
    return session.scalars(
        select(Consent).where(column == whose.row_id).order_by(Consent.id.desc())
    ).all()


class Given(NamedTuple):
    """Access that somebody has: since when, and who agreed to it."""

    id: int
    name: str
    level: int
    sees: Sequence[str]
    created_at: datetime
    given_by: str | None


def given_of(session: Session, patient_id: int) -> Sequence[Given]:
    """Return the access that others have, first come first."""
    giver = aliased(Account)
    rows = session.execute(
        select(
            Grant.id,
            Account.name,
            Grant.level,
            Grant.sees,
            Grant.created_at,
            giver.name,
        )
        .join(Account, Account.id == Grant.account_id)
        .outerjoin(giver, giver.id == Grant.given_by_id)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            Grant.role != SELF,
        )
        .order_by(Grant.id)
    )
    return [Given._make(row) for row in rows]
