"""Offers to help: made, sent, answered, taken back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.visits import ACCOUNT, Visit, note_visit
from pillweb.invitations.models import Invitation
from pillweb.invitations.queries import (
    invitation_opened,
    terms_of,
    whose_invitation,
)
from pillweb.invitations.rules import INVITATION_LIFE, first_name
from pillweb.outbox.actions.posting import post_delivery
from pillweb.sharing.actions.granting import grant_row, let_in, lock_patient
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import has_own_account
from pillweb.sharing.rules import (
    ACCEPTED,
    DECLINED,
    PENDING,
    REVOKED,
    SELF,
    Terms,
)

INVITATION = "invitation"


def invite(
    session: Session,
    *,
    patient_id: int,
    patient_name: str,
    made_by_id: int,
    label: str,
    terms: Terms,
    channel: str | None,
    address: str,
    now: datetime,
) -> tuple[Invitation, str]:
    """Offer somebody to help; return the row and its secret.

    It leaves by the channel, or by none where it is handed over. The message names the
    patient by the first name alone.
    """
    token = new_token()
    row = Invitation(
        patient_id=patient_id,
        made_by_id=made_by_id,
        label=label,
        channel=channel,
        address=address or None,
        level=int(terms.level),
        role=terms.role,
        sees=sorted(terms.sees),
        ends_at=terms.ends_at,
        token_hash=token_hash(token),
        status=PENDING,
        created_at=now,
        expires_at=now + INVITATION_LIFE,
    )
    session.add(row)
    session.flush()
    if channel:
        post_delivery(
            session,
            kind=INVITATION,
            channel=channel,
            recipient=address,
            dedupe_key=f"{INVITATION}:{row.id}",
            context={
                "patient_name": first_name(patient_name),
                "is_own": terms.role == SELF,
                "link": link(f"/i/{token}"),
            },
            now=now,
            expires_at=row.expires_at,
        )
    return row, token


def accept_invitation(
    session: Session, invitation_id: int, *, account_id: int, now: datetime
) -> Grant | None:
    """Let an account in as was offered, or wait: nobody is the patient by a link.

    Of many at once one is let in; the same account twice is once. None, and nothing
    changes, for whoever made the offer, and for whom it gives nothing or takes.

    Raises:
        LinkGoneError: it was answered, taken back or is too old.
    """
    patient_id = whose_invitation(session, invitation_id)
    lock_patient(session, patient_id)
    before = session.get_one(Invitation, invitation_id, populate_existing=True)
    if (before.status, before.answered_by_id) == (ACCEPTED, account_id):
        return grant_row(session, account_id, patient_id, now=now)
    row = invitation_opened(session, invitation_id, now=now, locked=True)
    own = row.role == SELF
    if own and has_own_account(session, patient_id, now=now):
        raise LinkGoneError
    if row.made_by_id == account_id:
        return None
    grant = let_in(
        session,
        account_id=account_id,
        patient_id=patient_id,
        terms=terms_of(row),
        given_by_id=row.made_by_id,
        waits=own,
        now=now,
    )
    if grant is not None:
        row.status, row.answered_by_id, row.answered_at = ACCEPTED, account_id, now
        note_visit(session, Visit(patient_id, ACCOUNT, account_id))
    return grant


def decline_invitation(
    session: Session, invitation_id: int, *, account_id: int, now: datetime
) -> None:
    """Say no to an offer.

    Raises:
        LinkGoneError: it was answered, taken back or is too old.
    """
    row = invitation_opened(session, invitation_id, now=now, locked=True)
    row.status, row.answered_by_id, row.answered_at = DECLINED, account_id, now
    note_visit(session, Visit(row.patient_id, ACCOUNT, account_id))


def take_back_invitation(
    session: Session, *, patient_id: int, invitation_id: int, now: datetime
) -> None:
    """Take an offer back that nobody answered; twice changes nothing.

    Raises:
        NotFoundError: the patient's side made no such offer.
    """
    row = session.scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id, Invitation.patient_id == patient_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError
    if row.status == PENDING:
        row.status, row.answered_at = REVOKED, now
