"""What happens to grants and links."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.base.errors import NotFoundError
from pillweb.base.tokens import new_token, token_hash
from pillweb.sharing.models import Grant, ShareLink
from pillweb.sharing.queries import ACCEPTED, helper_of
from pillweb.sharing.rules import Level, link_expiry


def grant_access(
    session: Session,
    *,
    account_id: int,
    patient_id: int,
    level: Level,
    role: str,
    now: datetime,
) -> Grant:
    """Let an account see or do this much for a patient."""
    grant = Grant(
        account_id=account_id,
        patient_id=patient_id,
        level=int(level),
        role=role,
        status=ACCEPTED,
        created_at=now,
    )
    session.add(grant)
    return grant


def choose_told(
    session: Session,
    *,
    patient_id: int,
    grant_id: int,
    alerts: bool,
    ladder_place: int | None,
    wants: Collection[str],
) -> None:
    """Tell a helper just this from now on; see `sharing.models.Grant`.

    Raises:
        NotFoundError: nobody helps this patient by that grant.
    """
    helper = helper_of(session, patient_id, grant_id)
    session.execute(
        update(Grant)
        .where(Grant.id == helper.grant_id)
        .values(alerts=alerts, ladder_place=ladder_place, wants=list(wants)),
        execution_options={"synchronize_session": False},
    )


def make_link(
    session: Session,
    *,
    patient_id: int,
    made_by_id: int,
    label: str,
    days: int,
    show_names: bool,
    now: datetime,
) -> tuple[ShareLink, str]:
    """Make a link; return its row and its secret, which is shown this once."""
    token = new_token()
    row = ShareLink(
        patient_id=patient_id,
        made_by_id=made_by_id,
        label=label,
        show_names=show_names,
        token_hash=token_hash(token),
        created_at=now,
        expires_at=link_expiry(days, now=now),
        times_used=0,
    )
    session.add(row)
    session.flush()
    return row, token


def note_link_use(session: Session, link: ShareLink, *, now: datetime) -> None:
    """Write that somebody opened the link."""
    session.execute(
        update(ShareLink)
        .where(ShareLink.id == link.id)
        .values(last_used_at=now, times_used=ShareLink.times_used + 1)
    )


def revoke_link(
    session: Session, *, patient_id: int, link_id: int, now: datetime
) -> None:
    """End a link at once; ending it twice changes nothing.

    Raises:
        NotFoundError: the patient has no such link.
    """
    row = session.get(ShareLink, link_id)
    if row is None or row.patient_id != patient_id:
        raise NotFoundError
    row.revoked_at = row.revoked_at or now
