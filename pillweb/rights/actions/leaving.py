"""Somebody leaves: at once nobody sees them, and for 30 days it can be taken back."""

from datetime import datetime

from sqlalchemy import case, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.sessions import end_sessions
from pillweb.accounts.models import Account
from pillweb.accounts.queries import speech_of_account
from pillweb.base.db import Base
from pillweb.base.errors import InvalidError, NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.visits import ACCOUNT, Visit, note_visit
from pillweb.base.words import date_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import ALERTS, DOSES, LEAVING, Person, chosen_points
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN
from pillweb.invitations.models import AskingCode, Invitation
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Delivery
from pillweb.patients.actions import note_plan_change
from pillweb.patients.models import Patient
from pillweb.patients.queries import shares, stays
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.rights.queries import alone_managed_by
from pillweb.rights.rules import ASLEEP, LEAVES_AFTER
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import managers_of
from pillweb.sharing.rules import ACCEPTED, ASIDE, KEPT_OUT, PENDING, SELF, Level
from pillweb.supply.models import Stock

STAYING, ACCOUNT_LEAVING, HELPER_LEFT = "staying", "account_leaving", "helper_left"
_UNSYNCHRONISED = {"synchronize_session": False}


def _change(
    session: Session, row: type[Base], *which: object, **values: object
) -> None:
    session.execute(
        update(row).where(*which).values(**values),  # type: ignore[arg-type]
        execution_options=_UNSYNCHRONISED,
    )


def _held_patient(session: Session, patient_id: int) -> Patient:
    return session.get_one(
        Patient, patient_id, with_for_update=True, populate_existing=True
    )


def leave_patient(
    session: Session, patient_id: int, *, by_id: int, now: datetime
) -> None:
    """Begin to erase all about a patient; who manages can take it back for 30 days.

    At once nobody sees the patient, nothing is planned, said or sent, and no link
    opens. Everybody who had access is told, and the patient, but not who did it.
    Twice is once.
    """
    patient = _held_patient(session, patient_id)
    if patient.leaves_at is not None:
        return
    _silence(session, patient_id, now=now)
    patient.leaves_at = now + LEAVES_AFTER
    _tell_all(session, patient, kind=LEAVING, besides=by_id, now=now)
    _change(
        session,
        Grant,
        Grant.patient_id == patient_id,
        Grant.status == ACCEPTED,
        status=ASIDE,
    )


def _silence(session: Session, patient_id: int, *, now: datetime) -> None:
    """Let nothing that waits be said, and nothing that was given out open anything."""
    _change(
        session,
        Delivery,
        Delivery.patient_id == patient_id,
        Delivery.state == "pending",
        state="cancelled",
        context=None,
    )
    _change(
        session,
        Reminder,
        Reminder.patient_id == patient_id,
        Reminder.state.in_(("open", "late")),
        state=ASLEEP,
    )
    _change(
        session,
        ReminderLink,
        ReminderLink.patient_id == patient_id,
        ReminderLink.expires_at > now,
        expires_at=now,
    )
    # Longer than the patient is kept.
    _change(
        session,
        Stock,
        Stock.patient_id == patient_id,
        check_at=now + 2 * LEAVES_AFTER,
    )
    end_offers(session, patient_id, now=now)


def end_offers(session: Session, patient_id: int, *, now: datetime) -> None:
    """Let no invitation be accepted any more, and nobody ask for access by a code."""
    _change(
        session,
        Invitation,
        Invitation.patient_id == patient_id,
        Invitation.status == PENDING,
        Invitation.expires_at > now,
        expires_at=now,
    )
    session.execute(
        delete(AskingCode).where(AskingCode.patient_id == patient_id),
        execution_options=_UNSYNCHRONISED,
    )


def stay_patient(
    session: Session, patient_id: int, *, by_id: int, now: datetime
) -> None:
    """Take back that a patient leaves: all is as it was, and everybody is told.

    What was due meanwhile is not said any more; nobody was reminded of it, and it is
    not counted.

    Raises:
        NotFoundError: they are not leaving, or the time for it is over.
    """
    patient = _held_patient(session, patient_id)
    if patient.leaves_at is None or patient.leaves_at <= now:
        raise NotFoundError
    since, patient.leaves_at = patient.leaves_at - LEAVES_AFTER, None
    account_stays = exists().where(
        Account.id == Grant.account_id, Account.leaves_at.is_(None)
    )
    _change(
        session,
        Grant,
        Grant.patient_id == patient_id,
        Grant.status == ASIDE,
        account_stays,
        status=ACCEPTED,
    )
    _wake_up(session, patient_id, since=since, now=now)
    note_plan_change(session, patient_id)
    _tell_all(session, patient, kind=STAYING, besides=by_id, now=now)


def _wake_up(
    session: Session, patient_id: int, *, since: datetime, now: datetime
) -> None:
    _change(
        session,
        Dose,
        Dose.patient_id == patient_id,
        Dose.state == OPEN,
        Dose.due_at > since,
        Dose.due_at <= now,
        system_fault=True,
    )
    _change(
        session,
        Reminder,
        Reminder.patient_id == patient_id,
        Reminder.state == ASLEEP,
        state=case((Reminder.next_at > now, "open"), else_="done"),
    )
    _change(session, Stock, Stock.patient_id == patient_id, check_at=now)


def _tell_all(
    session: Session, patient: Patient, *, kind: str, besides: int, now: datetime
) -> None:
    """Tell the patient and all who have access, but for one who knows.

    The patient is told where reminders go, whoever signs in there.
    """
    rows = session.execute(
        select(Grant.account_id, Grant.role).where(
            Grant.patient_id == patient.id, Grant.status == ACCEPTED
        )
    )
    roles = {row.account_id: row.role for row in rows}
    managers = managers_of(session, patient.id, now=now)
    others = [one for one in roles if one != besides and roles[one] != SELF]
    people = helpers_to_tell(session, patient.id, others, now=now)
    for account_id, person in people.items():
        may_undo = account_id in managers
        _tell(session, patient, person, kind=kind, may_undo=may_undo, now=now)
    if roles.get(besides) != SELF:
        own = patients_to_tell(session, [patient.id], now=now)[patient.id]
        may_undo = any(managers.values())
        _tell(session, patient, own, kind=kind, may_undo=may_undo, now=now)


def _tell(
    session: Session,
    patient: Patient,
    person: Person,
    *,
    kind: str,
    may_undo: bool,
    now: datetime,
) -> None:
    is_own = person.patient_id is not None
    with speaking(person.speech):
        last_on = local(patient.leaves_at or now, zone(person.zone)).date()
        last_words = date_words(last_on)
    for point in chosen_points(person, DOSES if is_own else ALERTS):
        post_message(
            session,
            person,
            point,
            kind=kind,
            about=f"{patient.id}:{now:%Y%m%dT%H%M%S}",
            context={
                "first_name": person.name,
                "patient_name": "" if is_own else patient.name,
                "last_words": last_words,
                "link": link(f"/patients/{patient.id}/leaving") if may_undo else "",
            },
            now=now,
            patient_id=patient.id,
        )


def hold_managed(session: Session, account_id: int) -> None:
    """Let nobody else who manages for the same patients leave at the same moment.

    Patients are locked in the order of their ids, as planning does.
    """
    mine = select(Grant.patient_id).where(
        Grant.account_id == account_id,
        Grant.status == ACCEPTED,
        Grant.level >= int(Level.MANAGE),
    )
    session.execute(
        select(Patient.id)
        .where(Patient.id.in_(mine))
        .order_by(Patient.id)
        .with_for_update()
    )


def leave_account(session: Session, account_id: int, *, now: datetime) -> None:
    """Begin to erase an account; whoever signs in again can take it back for 30 days.

    It is signed out everywhere and helps nobody from now on. Twice is once.

    Raises:
        InvalidError: nobody else manages for somebody who stays.
    """
    hold_managed(session, account_id)
    account = session.get_one(
        Account, account_id, with_for_update=True, populate_existing=True
    )
    if account.leaves_at is not None:
        return
    if alone_managed_by(session, account_id, now=now):
        raise InvalidError(_("Somebody else left just now. Open this page again."))
    account.leaves_at = now + LEAVES_AFTER
    _tell_who_relied(session, account, now=now)
    _stop_helping(session, account_id)
    end_sessions(session, account_id, now=now)
    with speaking(speech_of_account(account)):
        post_delivery(
            session,
            kind=ACCOUNT_LEAVING,
            recipient=account.email,
            dedupe_key=f"{ACCOUNT_LEAVING}:{account_id}:{now:%Y%m%dT%H%M%S}",
            context={
                "first_name": account.name,
                "last_words": date_words(account.leaves_at.date()),
                "link": link("/sign-in"),
            },
            account_id=account_id,
            now=now,
        )


def _tell_who_relied(session: Session, account: Account, *, now: datetime) -> None:
    """Tell who manages that somebody is gone who was told of missing records."""
    relied = session.execute(
        select(Grant.id, Patient)
        .join(Patient, Patient.id == Grant.patient_id)
        .where(
            Grant.account_id == account.id,
            Grant.status == ACCEPTED,
            Grant.role != SELF,
            or_(Grant.alerts.is_(True), Grant.ladder_place.is_not(None)),
        )
    ).all()
    for grant_id, patient in relied:
        managers = managers_of(session, patient.id, now=now)
        others = [one for one in managers if one != account.id]
        people = helpers_to_tell(session, patient.id, others, now=now)
        for other, person in people.items():
            for point in chosen_points(person, ALERTS):
                post_message(
                    session,
                    person,
                    point,
                    kind=HELPER_LEFT,
                    about=f"{grant_id}:{now:%Y%m%dT%H%M%S}",
                    context={
                        "first_name": person.name,
                        "helper_name": account.name,
                        "patient_name": "" if managers[other] else patient.name,
                        "link": link(f"/patients/{patient.id}/sharing"),
                    },
                    now=now,
                    patient_id=patient.id,
                )


def _stop_helping(session: Session, account_id: int) -> None:
    """Put aside all access that an account has, and what waits to tell it anything.

    The record of each patient says so.
    """
    for patient_id in session.scalars(
        select(Grant.patient_id).where(
            Grant.account_id == account_id, Grant.status == ACCEPTED
        )
    ):
        note_visit(session, Visit(patient_id, ACCOUNT, account_id))
    _change(
        session,
        Grant,
        Grant.account_id == account_id,
        Grant.status == ACCEPTED,
        status=ASIDE,
    )
    _change(
        session,
        Delivery,
        Delivery.account_id == account_id,
        Delivery.state == "pending",
        state="cancelled",
        context=None,
    )


def stay_account(session: Session, account_id: int, *, now: datetime) -> None:
    """Take back that an account leaves; it helps again whom it helped.

    Where sharing was stopped meanwhile it waits, as the others do.

    Raises:
        NotFoundError: it is not leaving, or the time for it is over.
    """
    account = session.get_one(
        Account, account_id, with_for_update=True, populate_existing=True
    )
    if account.leaves_at is None or account.leaves_at <= now:
        raise NotFoundError
    account.leaves_at = None
    for patient_id in session.scalars(
        select(Grant.patient_id).where(
            Grant.account_id == account_id, Grant.status == ASIDE
        )
    ):
        note_visit(session, Visit(patient_id, ACCOUNT, account_id))
    patient_stays = exists().where(Patient.id == Grant.patient_id, stays())
    opens = exists().where(
        Patient.id == Grant.patient_id, shares(is_own=Grant.role == SELF)
    )
    _change(
        session,
        Grant,
        Grant.account_id == account_id,
        Grant.status == ASIDE,
        patient_stays,
        status=case((opens, ACCEPTED), else_=KEPT_OUT),
    )
