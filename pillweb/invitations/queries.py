"""Questions about who was offered access, and who asks for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.crypto import blind_index
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.invitations.models import AskingCode, Invitation
from pillweb.invitations.rules import Request, code_typed
from pillweb.patients.models import Patient
from pillweb.patients.queries import shares
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import would_gain
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.rules import ACCEPTED, PENDING, SELF, Level, Terms

CODE = "asking_code"
A_DAY = timedelta(days=1)


_REQUEST = (
    select(
        Grant.id,
        Grant.account_id,
        Account.name,
        Account.email,
        Grant.role,
        Grant.created_at,
    )
    .join(Account, Account.id == Grant.account_id)
    .where(Grant.status == PENDING)
    .order_by(Grant.id)
)


def requests_of(session: Session, patient_id: int) -> list[Request]:
    """Return everybody who asks for access to a patient, first come first."""
    rows = session.execute(_REQUEST.where(Grant.patient_id == patient_id))
    return [Request(*row) for row in rows]


def request_of(session: Session, patient_id: int, grant_id: int) -> Request:
    """Return one who asks for access to a patient.

    Raises:
        NotFoundError: nobody asks by that grant.
    """
    mine = _REQUEST.where(Grant.patient_id == patient_id, Grant.id == grant_id)
    row = session.execute(mine).first()
    if row is None:
        raise NotFoundError
    return Request(*row)


def asked_by(session: Session, account_id: int) -> Sequence[datetime]:
    """Return when an account asked for access that nobody answered yet."""
    return session.scalars(
        select(Grant.created_at)
        .where(Grant.account_id == account_id, Grant.status == PENDING)
        .order_by(Grant.id)
    ).all()


def code_of_patient(session: Session, patient_id: int) -> str:
    """Return the letters by which a patient can be asked; empty for none."""
    row = session.get(AskingCode, patient_id)
    return row.code if row else ""


def patient_by_code(session: Session, code: str) -> int | None:
    """Return the patient who has this code."""
    index = blind_index(code_typed(code), purpose=CODE)
    found = select(AskingCode.patient_id).where(AskingCode.code_index == index)
    with seeing_everybody(session):
        patient_id: int | None = session.scalar(found)
    return patient_id


def invitations_of(session: Session, patient_id: int) -> Sequence[Invitation]:
    """Return what the patient's side offered, newest first."""
    return session.scalars(
        select(Invitation)
        .where(Invitation.patient_id == patient_id)
        .order_by(Invitation.id.desc())
    ).all()


def invitations_lately(session: Session, account_id: int, *, now: datetime) -> int:
    """Return how many invitations an account made within a day."""
    made = select(func.count()).where(
        Invitation.made_by_id == account_id, Invitation.created_at > now - A_DAY
    )
    return session.scalars(made).one()


def _live(at: datetime) -> Select[Invitation]:
    """Return the invitations that can be answered: whoever made one still manages."""
    still_manages = exists().where(
        Grant.patient_id == Invitation.patient_id,
        Grant.account_id == Invitation.made_by_id,
        Grant.level >= int(Level.MANAGE),
        holds(at),
    )
    return select(Invitation).where(
        Invitation.status == PENDING, Invitation.expires_at > at, still_manages
    )


def _open(at: datetime) -> Select[Invitation]:
    """Return those that open anything now: while sharing is stopped the patient's."""
    open_now = shares(is_own=Invitation.role == SELF)
    return _live(at).join(Patient, Patient.id == Invitation.patient_id).where(open_now)


def live_invitations(
    session: Session, patient_id: int, *, now: datetime
) -> frozenset[int]:
    """Return the ids of the invitations for a patient that nobody answered yet."""
    mine = _live(now).where(Invitation.patient_id == patient_id)
    return frozenset(row.id for row in session.scalars(mine))


def invitation_behind(session: Session, token: str, *, now: datetime) -> Invitation:
    """Return the invitation with this secret, not answered yet.

    Raises:
        LinkGoneError: it is wrong, answered, taken back or too old.
    """
    mine = _open(now).where(Invitation.token_hash == token_hash(token))
    with seeing_everybody(session):
        row = session.scalar(mine)
    if row is None:
        raise LinkGoneError
    let_see(session, row.patient_id)
    return row


def is_offered(
    session: Session, opened: bytes, *, now: datetime, to: int | None = None
) -> bool:
    """Say whether an invitation that a browser opened can be answered: by an account.

    It is known by the hash of its secret; empty for none. With no account it is
    anybody's whose account is yet to be made.
    """
    if not opened:
        return False
    mine = _open(now).where(Invitation.token_hash == opened)
    with seeing_everybody(session):
        row = session.scalar(mine)
        if row is None or to is None:
            return row is not None
        return is_for(session, row, to, now=now)


def terms_of(row: Invitation) -> Terms:
    """Return on what terms an invitation lets somebody in."""
    return Terms(Level(row.level), row.role, frozenset(row.sees), row.ends_at)


def is_for(
    session: Session, row: Invitation, account_id: int, *, now: datetime
) -> bool:
    """Say whether an account may accept: not whoever made it, nor who has as much."""
    return row.made_by_id != account_id and would_gain(
        session, account_id, row.patient_id, terms_of(row), now=now
    )


def whose_invitation(session: Session, invitation_id: int) -> int:
    """Return the patient of an invitation that a browser opened, answered or not.

    Raises:
        LinkGoneError: there is none.
    """
    mine = select(Invitation.patient_id).where(Invitation.id == invitation_id)
    with seeing_everybody(session):
        patient_id: int | None = session.scalar(mine)
    if patient_id is None:
        raise LinkGoneError
    let_see(session, patient_id)
    return patient_id


def invitation_kept(session: Session, opened: bytes) -> int:
    """Return the id of an invitation by the hash of its secret; 0 for none."""
    if not opened:
        return 0
    with seeing_everybody(session):
        mine = select(Invitation.id).where(Invitation.token_hash == opened)
        return session.scalar(mine) or 0


def invitation_opened(
    session: Session, invitation_id: int, *, now: datetime, locked: bool = False
) -> Invitation:
    """Return an invitation that a browser opened, not answered yet.

    Raises:
        LinkGoneError: it was answered, taken back or is too old.
    """
    mine = _open(now).where(Invitation.id == invitation_id)
    if locked:
        mine = mine.with_for_update(of=Invitation)
    with seeing_everybody(session):
        row = session.scalar(mine.execution_options(populate_existing=True))
    if row is None:
        raise LinkGoneError
    let_see(session, row.patient_id)
    return row


def grants_to_ask_about(
    session: Session, *, now: datetime, limit: int
) -> Sequence[Grant]:
    """Return what the patient's side is to be asked about, locked, oldest first."""
    return session.scalars(
        select(Grant)
        .where(Grant.ask_at <= now, Grant.status.in_((ACCEPTED, PENDING)))
        .order_by(Grant.ask_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def oldest_to_ask_about(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a patient's side waits to be asked."""
    asked = select(func.min(Grant.ask_at)).where(
        Grant.status.in_((ACCEPTED, PENDING)), Grant.ask_at <= now
    )
    since: datetime | None = session.scalar(asked)
    return since
