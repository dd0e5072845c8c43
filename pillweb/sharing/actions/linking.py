"""Links for who has no account: made, opened, stopped."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.passwords import hash_password, password_fits
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.visits import LINK, Visit, note_visit
from pillweb.sharing.models import LinkOpening, ShareLink
from pillweb.sharing.rules import OPENINGS_KEPT, PAGES, PINS_ALLOWED, link_expiry


def make_link(
    session: Session,
    *,
    patient_id: int,
    made_by_id: int,
    label: str,
    days: int,
    show_names: bool,
    now: datetime,
    pages: Collection[str] = tuple(PAGES),
    pin: str | None = None,
) -> tuple[ShareLink, str]:
    """Make a link; return its row and its secret, which is shown this once."""
    token = new_token()
    row = ShareLink(
        patient_id=patient_id,
        made_by_id=made_by_id,
        label=label,
        show_names=show_names,
        pages=[page for page in PAGES if page in pages],
        pin_hash=None if pin is None else hash_password(pin),
        wrong_pins=0,
        token_hash=token_hash(token),
        created_at=now,
        expires_at=link_expiry(days, now=now),
        times_used=0,
    )
    session.add(row)
    session.flush()
    return row, token


def try_pin(session: Session, link: ShareLink, pin: str) -> bool:
    """Say whether this is a link's PIN; the fifth wrong one closes it for good.

    A try counts before it is looked at, so that many at once are as few.

    Raises:
        LinkGoneError: it was closed by others meanwhile.
    """
    mine = update(ShareLink).where(ShareLink.id == link.id)
    counted = session.scalar(
        mine.where(ShareLink.wrong_pins < PINS_ALLOWED)
        .values(wrong_pins=ShareLink.wrong_pins + 1)
        .returning(ShareLink.wrong_pins)
        .execution_options(synchronize_session=False)
    )
    if counted is None:
        raise LinkGoneError
    fits = password_fits(pin, link.pin_hash)
    if fits:
        again = mine.values(wrong_pins=0)
        session.execute(again.execution_options(synchronize_session=False))
    session.refresh(link)
    return fits


def note_link_use(
    session: Session, link: ShareLink, *, device: str, now: datetime
) -> None:
    """Write that somebody opened the link, and with what; the newest 20 are kept."""
    note_visit(session, Visit(link.patient_id, LINK, link_id=link.id))
    session.execute(
        update(ShareLink)
        .where(ShareLink.id == link.id)
        .values(last_used_at=now, times_used=ShareLink.times_used + 1)
    )
    session.add(LinkOpening(link_id=link.id, at=now, device=device))
    session.flush()
    mine = LinkOpening.link_id == link.id
    newest = (
        select(LinkOpening.id)
        .where(mine)
        .order_by(LinkOpening.id.desc())
        .limit(OPENINGS_KEPT)
    )
    session.execute(
        delete(LinkOpening).where(mine, LinkOpening.id.not_in(newest)),
        execution_options={"synchronize_session": False},
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


def revoke_links(session: Session, *, patient_id: int, now: datetime) -> None:
    """End every link of a patient at once."""
    session.execute(
        update(ShareLink)
        .where(ShareLink.patient_id == patient_id, ShareLink.revoked_at.is_(None))
        .values(revoked_at=now),
        execution_options={"synchronize_session": False},
    )
