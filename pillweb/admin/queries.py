"""Questions of whoever runs this installation; never whose messages they are."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.errors import NotFoundError
from pillweb.base.sight import see_everybody
from pillweb.base.viewer import Viewer
from pillweb.base.visits import ACCOUNT, HOUSE, Visit, note_visit
from pillweb.outbox.models import UNREAD, Breaker, Delivery, Incident

MOST_SHOWN = 100


def open_machine_room(session: Session, viewer: Viewer) -> None:
    """Let in whoever runs this installation.

    Raises:
        NotFoundError: this account does not.
    """
    is_admin = select(Account.is_admin).where(Account.id == viewer.account_id)
    if not session.scalar(is_admin):
        raise NotFoundError
    note_visit(session, Visit(HOUSE, ACCOUNT, account_id=viewer.account_id))
    see_everybody(session)


def dead_letters(session: Session) -> list[tuple[Delivery, bool]]:
    """Return the newest messages that were given up, and whether they have words."""
    rows = session.execute(
        select(Delivery, Delivery.context.is_not(None))
        .where(Delivery.state == "dead")
        .options(*UNREAD)
        .order_by(Delivery.id.desc())
        .limit(MOST_SHOWN)
    )
    return [(row, has_words) for row, has_words in rows]


def failing_providers(session: Session) -> Sequence[Breaker]:
    """Return the channels whose provider fails now."""
    return session.scalars(
        select(Breaker).where(Breaker.failures > 0).order_by(Breaker.channel)
    ).all()


def newest_incidents(session: Session) -> Sequence[Incident]:
    """Return when messages may not have arrived lately, the open ones first."""
    return session.scalars(
        select(Incident)
        .order_by(Incident.closed_at.is_not(None), Incident.id.desc())
        .limit(MOST_SHOWN)
    ).all()
