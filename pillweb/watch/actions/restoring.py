"""A database that was put back from a backup: it must not say anything twice."""

from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, Update, delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import (
    AccountLink,
    AccountNotice,
    AccountRequest,
    OidcTry,
    PrintedCode,
    Recovery,
    SignInMail,
    WebSession,
)
from pillweb.base.high_water import high_water, note_high_water
from pillweb.contacts.models import ContactTest
from pillweb.devices.models import DevicePairing, DevicePlace
from pillweb.feeds.models import FeedLink
from pillweb.invitations.models import Invitation
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.reminders.rules.course import DOSE_DUE
from pillweb.reminders.rules.lateness import UNTOLD
from pillweb.sharing.models import ShareLink
from pillweb.watch.queries import last_clock_beat
from pillweb.watch.rules.alarm import RESTORED, is_behind


class Restored(NamedTuple):
    """How much was stopped after a restore."""

    messages: int
    reminders: int
    links: int
    sessions: int


def note_restore(session: Session, *, now: datetime) -> bool:
    """Hold everything back where the database is older than it was; say if it is.

    A database without any message is a new one: it has nothing to say twice.
    """
    beaten = last_clock_beat(session)
    if not is_behind(beaten, high_water()):
        return False
    if beaten is None and session.scalar(select(Delivery.id).limit(1)) is None:
        return False
    open_incident(session, kind=RESTORED, opened_at=beaten or now)
    return True


def settle_restore(session: Session, *, now: datetime) -> Restored:
    """Make a database that was put back safe to run; return what was stopped.

    No message that waited in it is sent, and no reminder of the past: one late message
    tells of those. No link and no session in it opens anything any more, since it may
    have been revoked meanwhile; people sign in anew.
    """
    since = last_clock_beat(session) or now
    open_incident(session, kind=RESTORED, opened_at=since)
    waiting = (
        update(Delivery)
        .where(Delivery.state.in_(("pending", "leased")), Delivery.created_at <= now)
        .values(state="expired", context=None, lease_id=None, lease_until=None)
    )
    # Whoever asked for an account or a password was answered then, or asks again.
    session.execute(delete(AccountRequest))
    found = Restored(
        messages=_count(session, waiting),
        reminders=_end_reminders(session, now=now),
        links=_end_links(session, now=now),
        sessions=_end_sessions(session, now=now),
    )
    close_incidents(session, kind=RESTORED, now=now)
    note_high_water(since)
    return found


def _count(session: Session, statement: Update) -> int:
    done = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", done).rowcount


def _end_sessions(session: Session, *, now: datetime) -> int:
    """End what is signed in; a tablet, too, may have been stopped meanwhile."""
    signed_in = update(WebSession).where(WebSession.revoked_at.is_(None))
    tablets = update(DevicePlace).where(DevicePlace.ended_at.is_(None))
    return _count(session, signed_in.values(revoked_at=now)) + _count(
        session, tablets.values(ended_at=now)
    )


def _end_reminders(session: Session, *, now: datetime) -> int:
    past = update(Reminder).where(Reminder.state == "open", Reminder.due_at <= now)
    accepted = (
        select(Delivery.id)
        .where(
            Delivery.patient_id == Reminder.patient_id,
            Delivery.kind == DOSE_DUE,
            Delivery.subject_id == Reminder.id,
            Delivery.accepted_at.is_not(None),
        )
        .exists()
    )
    untold = past.where(~accepted).values(state=UNTOLD, next_at=now)
    return _count(session, untold) + _count(session, past.values(state="done"))


def _end_links(session: Session, *, now: datetime) -> int:
    ends = (
        update(ShareLink).where(ShareLink.revoked_at.is_(None)).values(revoked_at=now),
        update(FeedLink).where(FeedLink.revoked_at.is_(None)).values(revoked_at=now),
        update(ReminderLink)
        .where(ReminderLink.expires_at > now)
        .values(expires_at=now),
        update(ContactTest).where(ContactTest.expires_at > now).values(expires_at=now),
        update(AccountLink).where(AccountLink.expires_at > now).values(expires_at=now),
        update(AccountNotice)
        .where(AccountNotice.expires_at > now)
        .values(expires_at=now),
        update(Invitation).where(Invitation.expires_at > now).values(expires_at=now),
        update(DevicePairing)
        .where(DevicePairing.ended_at.is_(None))
        .values(ended_at=now),
        update(SignInMail).where(SignInMail.ended_at.is_(None)).values(ended_at=now),
        # A code on paper may have been used, or ended by newer ones.
        update(PrintedCode).where(PrintedCode.used_at.is_(None)).values(used_at=now),
        update(Recovery)
        .where(Recovery.finished_at.is_(None))
        .values(ended_at=now, finished_at=now, browser_hash=None),
        update(OidcTry)
        .where(OidcTry.ended_at.is_(None))
        .values(used_at=now, ended_at=now),
    )
    return sum(_count(session, end) for end in ends)
