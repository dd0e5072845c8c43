"""The doors every page goes through: who asks, and of whom."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    exists,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from pillweb.base.db import UTCDateTime, ask
from pillweb.base.errors import ChooseFirstError, LinkGoneError, NotFoundError
from pillweb.base.hiding import hide_medicines
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.base.viewer import Asker, Tablet, Viewer
from pillweb.base.visits import (
    ACCOUNT,
    LINK,
    MESSAGE,
    TABLET,
    Visit,
    note_visit,
)
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import REACHING
from pillweb.patients.models import Patient, Unreachable
from pillweb.patients.queries import shares, zone_in_force
from pillweb.sharing.models import Grant, ShareLink
from pillweb.sharing.queries.hiding import HIDDEN, read_hidden, see_as
from pillweb.sharing.rules import (
    ACCEPTED,
    CALENDAR,
    HISTORY,
    NAMES,
    ON_TABLETS,
    OWN,
    SELF,
    SHARED,
    Door,
    Level,
    link_is_live,
    may,
    seen_by,
)


def holds(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return that a grant was agreed to and has not ended, to the second."""
    return and_(
        Grant.status == ACCEPTED, or_(Grant.ends_at.is_(None), Grant.ends_at > at)
    )


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
        Grant.sees,
        (Grant.role == SELF).label("is_self"),
        exists().where(Unreachable.patient_id == Patient.id).label("is_unreached"),
        _IS_LOST.label("has_lost"),
        HIDDEN.label("hidden"),
    )
    .join(Grant, Grant.patient_id == Patient.id)
    .where(
        Patient.id == bindparam("patient_id"),
        Grant.account_id == bindparam("account_id"),
        holds(bindparam("at", type_=UTCDateTime())),
    )
)


_TABLETS_DOOR = select(
    Patient.id,
    Patient.name,
    Patient.zone,
    zone_in_force(bindparam("at", type_=UTCDateTime())).label("zone_now"),
    exists().where(Unreachable.patient_id == Patient.id).label("is_unreached"),
).where(Patient.id == bindparam("patient_id"))


def open_door(
    session: Session,
    viewer: Asker,
    patient_id: int,
    *,
    need: Level,
    shows: Collection[str] = (NAMES,),
) -> Door:
    """Return the patient, if this account was granted enough, or it is their tablet.

    `shows` is what the page shows of `sharing.rules.SCOPES`: names of medicines, unless
    it says otherwise. A page that hides names from whom they are not for says so.

    Raises:
        NotFoundError: no such patient, or not for this viewer.
        ChooseFirstError: this tablet is not open for them now.
    """
    if isinstance(viewer, Tablet):
        return _open_on_tablet(session, viewer, patient_id, need=need, shows=shows)
    who = {
        "patient_id": patient_id,
        "account_id": viewer.account_id,
        "at": viewer.at,
        "lost_since": viewer.at - LOST_FOR,
    }
    row = ask(session, _DOOR, who).first()
    if row is None or not may(row.level, need):
        raise NotFoundError
    sees = seen_by(row.level, row.sees)
    if not sees.issuperset(shows):
        raise NotFoundError
    if row.hidden:
        hidden = read_hidden(row.hidden)
        hide_medicines(session, hidden, account_id=viewer.account_id)
        # What was lost may have been of these alone.
        row = ask(session, _DOOR, who).one()
    by = ACCOUNT if viewer.session_id else MESSAGE
    note_visit(
        session, Visit(row.id, by, account_id=viewer.account_id, is_own=row.is_self)
    )
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
        sees=sees,
    )


def _open_on_tablet(
    session: Session,
    tablet: Tablet,
    patient_id: int,
    *,
    need: Level,
    shows: Collection[str],
) -> Door:
    """Return the patient whose pages a tablet shows now: to look, and to record."""
    if patient_id not in tablet.places:
        raise NotFoundError
    if patient_id != tablet.patient_id:
        raise ChooseFirstError
    asked = {"patient_id": patient_id, "at": tablet.at}
    row = ask(session, _TABLETS_DOOR, asked).first()
    if row is None or not may(Level.MARK, need) or not ON_TABLETS.issuperset(shows):
        raise NotFoundError
    place = tablet.places[patient_id]
    note_visit(session, Visit(row.id, TABLET, link_id=place, is_own=True))
    return Door(
        patient_id=row.id,
        patient_name=row.name,
        zone=row.zone_now,
        home_zone=row.zone,
        level=Level.MARK,
        is_self=True,
        base_url=f"/patients/{row.id}",
        is_unreached=row.is_unreached,
        sees=ON_TABLETS,
        tablet=SHARED if tablet.is_shared else OWN,
    )


def patients_of(session: Session, viewer: Viewer) -> Sequence[tuple[int, str, str]]:
    """Return (id, name, role) of everybody this account was granted, oldest first."""
    rows = session.execute(
        select(Patient.id, Patient.name, Grant.role)
        .join(Grant, Grant.patient_id == Patient.id)
        .where(Grant.account_id == viewer.account_id, holds(viewer.at))
        .order_by(Grant.id)
    )
    return [(row.id, row.name, row.role) for row in rows]


def share_link_of(session: Session, token: str, *, now: datetime) -> ShareLink:
    """Return the live link with this secret.

    Raises:
        LinkGoneError: it is wrong, expired or revoked.
    """
    with seeing_everybody(session):
        row = session.scalar(
            select(ShareLink)
            .join(Patient, Patient.id == ShareLink.patient_id)
            .where(ShareLink.token_hash == token_hash(token), shares())
        )
    if row is None or not is_live(row, now=now):
        raise LinkGoneError
    let_see(session, row.patient_id)
    return row


def is_live(link: ShareLink, *, now: datetime) -> bool:
    """Say whether a link still opens."""
    return link_is_live(
        expires_at=link.expires_at,
        revoked_at=link.revoked_at,
        wrong_pins=link.wrong_pins,
        now=now,
    )


def open_shared_door(
    session: Session,
    link_id: int,
    *,
    page: str,
    opened: Collection[bytes],
    now: datetime,
) -> Door:
    """Return the patient behind a link that this browser has opened, to look only.

    `opened` holds the hashes of the secrets of links.

    Raises:
        LinkGoneError: never opened here, expired, revoked or locked, or not for this
            page (`sharing.rules.PAGES`).
    """
    with seeing_everybody(session):
        row = session.execute(
            select(
                ShareLink,
                Patient,
                zone_in_force(literal(now, UTCDateTime())).label("zone_now"),
            )
            .join(Patient, Patient.id == ShareLink.patient_id)
            .where(ShareLink.id == link_id, shares())
        ).first()
    if row is None:
        raise LinkGoneError
    share, patient, zone_now = row
    is_opened = share.token_hash in opened
    if not is_opened or page not in share.pages or not is_live(share, now=now):
        raise LinkGoneError
    note_visit(session, Visit(patient.id, LINK, link_id=link_id))
    see_as(session, share.made_by_id, patient.id)
    shown = {NAMES: share.show_names, HISTORY: CALENDAR in share.pages}
    return Door(
        patient_id=patient.id,
        patient_name=patient.name,
        zone=zone_now,
        home_zone=patient.zone,
        level=Level.VIEW,
        is_self=False,
        base_url=f"/shared/{link_id}",
        is_shared=True,
        sees=frozenset(scope for scope, is_shown in shown.items() if is_shown),
        pages=frozenset(share.pages),
    )
