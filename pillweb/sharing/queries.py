"""The doors: the only places where a patient's data is opened to somebody."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, literal, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from pillweb.accounts.models import Account
from pillweb.base.db import UTCDateTime, ask
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.tokens import token_hash
from pillweb.base.viewer import Viewer
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import REACHING
from pillweb.patients.models import Patient, Unreachable
from pillweb.patients.queries import zone_in_force
from pillweb.sharing.models import Grant, ShareLink
from pillweb.sharing.rules import Door, Helper, Level, link_is_live, may

ACCEPTED = "accepted"
SELF = "self"
# So long a reminder that did not arrive is shown, where none arrived after it.
LOST_FOR = timedelta(days=1)
_beside = aliased(Delivery)
_IS_LOST = exists().where(
    # Found by the index of dead letters, as that has it: it is far the shortest.
    Delivery.patient_id + 0 == Patient.id,
    Delivery.kind == "dose_due",
    Delivery.state == literal_column("'dead'"),
    Delivery.created_at > bindparam("lost_since", type_=UTCDateTime()),
    ~exists().where(
        _beside.patient_id == Delivery.patient_id,
        _beside.kind == Delivery.kind,
        _beside.state.in_(REACHING),
        or_(_beside.id > Delivery.id, _beside.subject_id == Delivery.subject_id),
    ),
)

_DOOR = (
    select(
        Patient.id,
        Patient.name,
        Patient.zone,
        zone_in_force(bindparam("at", type_=UTCDateTime())).label("zone_now"),
        Grant.level,
        (Grant.role == SELF).label("is_self"),
        exists().where(Unreachable.patient_id == Patient.id).label("is_unreached"),
        _IS_LOST.label("has_lost"),
    )
    .join(Grant, Grant.patient_id == Patient.id)
    .where(
        Patient.id == bindparam("patient_id"),
        Grant.account_id == bindparam("account_id"),
        Grant.status == ACCEPTED,
    )
)


def open_door(
    session: Session, viewer: Viewer, patient_id: int, *, need: Level
) -> Door:
    """Return the patient, if this account was granted enough.

    Raises:
        NotFoundError: no such patient, or not for this viewer.
    """
    who = {
        "patient_id": patient_id,
        "account_id": viewer.account_id,
        "at": viewer.at,
        "lost_since": viewer.at - LOST_FOR,
    }
    row = ask(session, _DOOR, who).first()
    if row is None or not may(row.level, need):
        raise NotFoundError
    return Door(
        patient_id=row.id,
        patient_name=row.name,
        zone=row.zone_now,
        home_zone=row.zone,
        level=row.level,
        is_self=row.is_self,
        base_url=f"/patients/{row.id}",
        is_unreached=row.is_unreached,
        has_lost=row.has_lost,
    )


def patients_of(session: Session, viewer: Viewer) -> Sequence[tuple[int, str, str]]:
    """Return (id, name, role) of everybody this account was granted, oldest first."""
    rows = session.execute(
        select(Patient.id, Patient.name, Grant.role)
        .join(Grant, Grant.patient_id == Patient.id)
        .where(Grant.account_id == viewer.account_id, Grant.status == ACCEPTED)
        .order_by(Grant.id)
    )
    return [(row.id, row.name, row.role) for row in rows]


def share_link_of(session: Session, token: str, *, now: datetime) -> ShareLink:
    """Return the live link with this secret.

    Raises:
        LinkGoneError: it is wrong, expired or revoked.
    """
    row = session.scalar(
        select(ShareLink).where(ShareLink.token_hash == token_hash(token))
    )
    if row is None or not link_is_live(
        expires_at=row.expires_at, revoked_at=row.revoked_at, now=now
    ):
        raise LinkGoneError
    return row


def open_shared_door(
    session: Session, link_id: int, *, opened: Collection[int], now: datetime
) -> Door:
    """Return the patient behind a link that this browser has opened, to look only.

    Raises:
        LinkGoneError: never opened here, expired or revoked.
    """
    row = session.execute(
        select(
            ShareLink,
            Patient,
            zone_in_force(literal(now, UTCDateTime())).label("zone_now"),
        )
        .join(Patient, Patient.id == ShareLink.patient_id)
        .where(ShareLink.id == link_id)
    ).first()
    if link_id not in opened or row is None:
        raise LinkGoneError
    share, patient, zone_now = row
    if not link_is_live(
        expires_at=share.expires_at, revoked_at=share.revoked_at, now=now
    ):
        raise LinkGoneError
    return Door(
        patient_id=patient.id,
        patient_name=patient.name,
        zone=zone_now,
        home_zone=patient.zone,
        level=Level.VIEW,
        is_self=False,
        base_url=f"/shared/{link_id}",
        is_shared=True,
        shows_names=share.show_names,
    )


def links_of(session: Session, patient_id: int) -> Sequence[ShareLink]:
    """Return the patient's links, newest first."""
    return session.scalars(
        select(ShareLink)
        .where(ShareLink.patient_id == patient_id)
        .order_by(ShareLink.id.desc())
    ).all()


_HELPER = (
    select(
        Grant.id,
        Grant.account_id,
        Account.name,
        Grant.alerts,
        Grant.ladder_place,
        Grant.wants,
    )
    .join(Account, Account.id == Grant.account_id)
    .where(Grant.status == ACCEPTED, Grant.role != SELF)
    .order_by(Grant.id)
)


def helpers_of(session: Session, patient_id: int) -> list[Helper]:
    """Return everybody who helps a patient, first come first."""
    rows = session.execute(_HELPER.where(Grant.patient_id == patient_id))
    return [Helper(*row) for row in rows]


def helper_of(session: Session, patient_id: int, grant_id: int) -> Helper:
    """Return one who helps a patient.

    Raises:
        NotFoundError: nobody helps this patient by that grant.
    """
    mine = _HELPER.where(Grant.patient_id == patient_id, Grant.id == grant_id)
    row = session.execute(mine).first()
    if row is None:
        raise NotFoundError
    return Helper(*row)


def answerable_for(session: Session, patient_id: int) -> Sequence[tuple[int, bool]]:
    """Return (account id, whether it is the patient's own) of who answers for somebody.

    Those are all who manage, and all who are told of doses without a record.
    """
    rows = session.execute(
        select(Grant.account_id, Grant.role == SELF)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            or_(Grant.level >= int(Level.MANAGE), Grant.ladder_place.is_not(None)),
        )
        .order_by(Grant.id)
    )
    return [(account_id, is_self) for account_id, is_self in rows]


def accounts_wanting(session: Session, patient_id: int, group: str) -> Sequence[int]:
    """Return the helpers who are to get a kind of message about a patient."""
    found = helpers_of(session, patient_id)
    return [helper.account_id for helper in found if group in helper.wants]


def told_of_doses(session: Session, patient_id: int) -> dict[int, int | None]:
    """Return the accounts that are told where a dose was not reminded or recorded.

    Each with its place on the ladder, None where it has none.
    """
    rows = session.execute(
        select(Grant.account_id, Grant.ladder_place)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            Grant.role != SELF,
            or_(Grant.ladder_place.is_not(None), Grant.alerts.is_(True)),
        )
        .order_by(Grant.id)
    )
    return {row.account_id: row.ladder_place for row in rows}


def told_of(
    session: Session, patient_id: int, *, besides: int | None
) -> Sequence[tuple[int, str]]:
    """Return (account id, name) of who is told when too much is recorded."""
    rows = session.execute(
        select(Account.id, Account.name)
        .join(Grant, Grant.account_id == Account.id)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            Grant.alerts.is_(True),
        )
        .order_by(Grant.id)
    )
    return [(row.id, row.name) for row in rows if row.id != besides]
