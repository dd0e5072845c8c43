"""Secrets that stand in mails, read from the outbox as its recipient reads them."""

import json

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.outbox.models import Delivery


def newest_token(session: Session) -> str:
    """Return the secret at the end of the newest message's link."""
    session.flush()
    context = session.scalars(
        sa.select(Delivery.context).order_by(Delivery.id.desc())
    ).first()
    assert context is not None
    return str(json.loads(context)["link"]).rpartition("/")[2]
