"""Sharing is stopped for a while, and begun again (GDPR, article 18)."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.devices.actions.pairing import end_place
from pillweb.feeds.actions import stop_feed
from pillweb.outbox.actions.sending import suppress_told
from pillweb.patients.models import Patient
from pillweb.rights.actions.leaving import end_offers
from pillweb.rights.rules import LINK, TABLET, Way
from pillweb.sharing.actions.linking import revoke_link
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import ACCEPTED, KEPT_OUT, SELF

_UNSYNCHRONISED = {"synchronize_session": False}


def keep_in(
    session: Session,
    patient_id: int,
    *,
    by_id: int,
    still: Collection[int],
    now: datetime,
) -> None:
    """Share nothing of a patient until that is taken back; reminders go on.

    Nobody but the patient, who does it and the grants of `still` sees or is told
    anything; links and calendars of others do not open, and no regular report leaves.
    """
    patient = session.get_one(Patient, patient_id, with_for_update=True)
    patient.kept_in_at = patient.kept_in_at or now
    others = session.scalars(
        select(Grant).where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            Grant.role != SELF,
            Grant.account_id != by_id,
            Grant.id.not_in(still),
        )
    ).all()
    for grant in others:
        grant.status = KEPT_OUT
        suppress_told(session, grant.account_id, patient_id=patient_id, reason=KEPT_OUT)
    end_offers(session, patient_id, now=now)


def end_ways(
    session: Session, patient_id: int, ways: Iterable[Way], *, now: datetime
) -> None:
    """End these tablets, links and calendars of a patient at once."""
    for kind, row_id, *_what in ways:
        if kind == TABLET:
            end_place(session, patient_id=patient_id, place_id=row_id, now=now)
        elif kind == LINK:
            revoke_link(session, patient_id=patient_id, link_id=row_id, now=now)
        else:
            stop_feed(session, patient_id=patient_id, feed_id=row_id, now=now)


def share_again(session: Session, patient_id: int) -> None:
    """Share with everybody again with whom it was stopped; links open again."""
    patient = session.get_one(Patient, patient_id, with_for_update=True)
    patient.kept_in_at = None
    account_stays = exists().where(
        Account.id == Grant.account_id, Account.leaves_at.is_(None)
    )
    session.execute(
        update(Grant)
        .where(Grant.patient_id == patient_id, Grant.status == KEPT_OUT, account_stays)
        .values(status=ACCEPTED),
        execution_options=_UNSYNCHRONISED,
    )
