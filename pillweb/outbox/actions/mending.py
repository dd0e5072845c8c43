"""What whoever runs PillWeb does with messages that were given up."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pillweb.outbox.models import UNREAD, Attempt, Delivery

UNKNOWN = "unknown"


def try_delivery_again(session: Session, delivery_id: int, *, now: datetime) -> bool:
    """Send a dead letter as if it were new; say whether it is still worth sending.

    Whether it is still wanted is asked when it leaves, as of any other.
    """
    row = session.scalar(
        select(Delivery)
        .where(
            Delivery.id == delivery_id,
            Delivery.state == "dead",
            Delivery.expires_at > now,
            Delivery.context.is_not(None),
        )
        .options(*UNREAD)
        .with_for_update()
    )
    if row is None:
        return False
    # Crashes of before do not count against it: what caused them may be mended.
    session.execute(
        update(Attempt)
        .where(Attempt.delivery_id == row.id, Attempt.ended_at.is_(None))
        .values(ended_at=now, outcome=UNKNOWN)
    )
    row.state, row.attempts, row.next_at = "pending", 0, now
    return True


def give_up_delivery(session: Session, delivery_id: int) -> bool:
    """Close a dead letter for good and drop its words; say whether there was one."""
    row = session.get(Delivery, delivery_id, options=UNREAD, with_for_update=True)
    if row is None or row.state != "dead":
        return False
    row.state, row.context = "cancelled", None
    return True
