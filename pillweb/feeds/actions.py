"""What happens to private calendars."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.base.errors import NotFoundError
from pillweb.base.tokens import new_token, token_hash
from pillweb.feeds.models import FeedLink


def make_feed(
    session: Session,
    *,
    patient_id: int,
    made_by_id: int,
    label: str,
    shows_names: bool,
    look: str,
    now: datetime,
) -> tuple[FeedLink, str]:
    """Make a calendar; return its row and its secret, which is shown this once."""
    token = new_token()
    row = FeedLink(
        patient_id=patient_id,
        made_by_id=made_by_id,
        label=label,
        shows_names=shows_names,
        look=look,
        token_hash=token_hash(token),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row, token


def stop_feed(
    session: Session, *, patient_id: int, feed_id: int, now: datetime
) -> None:
    """End a calendar at once; ending it twice changes nothing.

    Raises:
        NotFoundError: the patient has no such calendar.
    """
    row = session.get(FeedLink, feed_id)
    if row is None or row.patient_id != patient_id:
        raise NotFoundError
    row.revoked_at = row.revoked_at or now
