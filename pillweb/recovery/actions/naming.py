"""Who is trusted to let somebody in again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, Recovery, RecoveryHelper
from pillweb.recovery.queries import helpers_to_name, is_open, named_helpers


def name_helpers(
    session: Session, account_id: int, helper_ids: Collection[int], *, now: datetime
) -> None:
    """Trust these people to let an account in again, and nobody else.

    Whoever is not trusted any more cannot go on with what they began.
    """
    session.get_one(Account, account_id, with_for_update=True)
    known = {found for found, _ in helpers_to_name(session, account_id, now=now)}
    before = named_helpers(session, account_id)
    wanted = known & set(helper_ids)
    gone = before - wanted
    session.execute(
        delete(RecoveryHelper).where(
            RecoveryHelper.account_id == account_id, RecoveryHelper.helper_id.in_(gone)
        )
    )
    session.execute(
        update(Recovery)
        .where(
            Recovery.account_id == account_id,
            Recovery.helper_id.in_(gone),
            is_open(now),
        )
        .values(ended_at=now)
    )
    session.add_all(
        RecoveryHelper(account_id=account_id, helper_id=helper_id, named_at=now)
        for helper_id in sorted(wanted - before)
    )
