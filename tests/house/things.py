"""The things of the cast: one row of everything, with its owner's canary in it."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from fractions import Fraction
from functools import cache
from io import BytesIO
from typing import TypeVar

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.config import settings
from pillweb.base.db import Base
from pillweb.base.tokens import new_token, token_hash
from pillweb.channels.live import LiveNote, device_index
from pillweb.channels.mailbox import keep_mail
from pillweb.contacts.actions.adding import add_contact, add_own_contact
from pillweb.contacts.queries import contacts_of, contacts_of_patient
from pillweb.contacts.rules import Owner
from pillweb.devices.actions.pairing import offer_tablet
from pillweb.devices.actions.photos import keep_photo
from pillweb.devices.models import PatientPhoto
from pillweb.doses.models import Dose, DoseEvent, Intake
from pillweb.feeds.actions import make_feed
from pillweb.invitations.actions.asking import ask_access, make_code
from pillweb.invitations.actions.inviting import invite
from pillweb.invitations.queries import code_of_patient, requests_of
from pillweb.medications.models import Medication, MedicationPicture
from pillweb.outbox.models import Delivery
from pillweb.papers.actions import want_paper
from pillweb.patients.models import Patient, ZoneChange
from pillweb.reminders.models import DeliveryDose, Reminder, ReminderLink
from pillweb.reports.models import Report, ReportOrder
from pillweb.schedules.actions import begin_draft
from pillweb.schedules.models import Line, Plan, PlanDraft
from pillweb.schedules.rules.draft import answers_of
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.models import Grant, ShareLink
from pillweb.sharing.queries.access import helpers_of
from pillweb.sharing.rules import Level, Terms
from pillweb.supply.actions.booking import count_supply
from pillweb.supply.models import SupplyEntry
from tests.tablets import connected
from tests.world import daily, make_cast_account

_Row = TypeVar("_Row", bound=Base)
OWNERS = ("rosa", "bruno")
# What no page may hold unescaped, in every text people can type.
MARKUP = "\"'<q>"
# Rosa's canary in what is hers, Bruno's in what is his.
CANARIES = {owner: f"{owner}scanary" for owner in OWNERS}


def things_of(
    session: Session, owner: str, patient_id: int, *, now: datetime
) -> dict[str, object]:
    """Hide the owner's canary in the rows of a patient; return the rows' ids."""
    canary = CANARIES[owner]
    who = session.get_one(Patient, patient_id)
    who.name = canary + MARKUP
    contact = contacts_of_patient(session, patient_id)[0]
    contact.address = f"{canary}@family.example"
    medication = _first(session, Medication, patient_id)
    for field in ("name", "strength", "reason", "instruction", "looks"):
        setattr(medication, field, f"{canary}{MARKUP} {field}")
    medication.picture_key = f"picture-of-{owner}"
    session.add(
        MedicationPicture(
            patient_id=patient_id,
            medication_id=medication.id,
            key=medication.picture_key,
            crop="middle",
            whole=_photo(),
            small=f"JPEG {canary}".encode(),
            made_at=now,
        )
    )
    plan = _first(session, Plan, patient_id)
    plan.reason = f"{canary} reason"
    as_needed = {"kind": "prn", "dose": "1"}
    session.add(
        Line(
            plan_id=plan.id,
            patient_id=patient_id,
            sequence=9,
            kind="prn",
            rule=as_needed,
        )
    )
    intake = Intake(
        patient_id=patient_id,
        medication_id=medication.id,
        taken_at=now - timedelta(hours=1),
        entered_at=now,
        channel="page",
        key=f"key of {owner}",
        why=f"{canary} why",
    )
    session.add(intake)
    dose = _first(session, Dose, patient_id)
    draft = _draft(session, patient_id, canary, now=now)
    link = _first(session, ShareLink, patient_id)
    link.label = f"{canary}{MARKUP} label"
    feed, feed_token = make_feed(
        session,
        patient_id=patient_id,
        made_by_id=_first(session, Grant, patient_id).account_id,
        label=f"{canary}{MARKUP} phone",
        shows_names=False,
        look="",
        now=now,
    )
    invitation, invitation_token = invite(
        session,
        patient_id=patient_id,
        patient_name=who.name,
        made_by_id=feed.made_by_id or 0,
        label=f"{canary}{MARKUP} invited",
        terms=Terms(Level.VIEW, "caregiver", frozenset()),
        channel=None,
        address="",
        now=now,
    )
    device, note = _live_note(session, owner, feed.made_by_id or 0, now=now)
    secret, place_id = connected(
        session, patient_id, feed.made_by_id or 0, now=now, name=f"{canary}{MARKUP}"
    )
    keep_photo(session, patient_id=patient_id, photo=canary.encode(), now=now)
    offer, offer_token, _code = offer_tablet(
        session, patient_id=patient_id, made_by_id=feed.made_by_id or 0, now=now
    )
    order = _first(session, ReportOrder, patient_id)
    order.doctor_name, order.email = canary + MARKUP, f"{canary}@clinic.example"
    session.add(
        DoseEvent(
            patient_id=patient_id,
            dose_id=dose.id,
            what="undone",
            at=now,
            entered_at=now,
            channel="page",
            note=f"{canary} note",
        )
    )
    count_supply(
        session,
        medication,
        counted=Fraction(28),
        account_id=None,
        press=None,
        now=now,
    )
    _first(session, SupplyEntry, patient_id).note = f"{canary}{MARKUP} count"
    report = Report(
        patient_id=patient_id,
        order_id=order.id,
        occasion="once",
        first_on=now.date(),
        last_on=now.date(),
        state="ready",
        created_at=now,
        pdf=f"%PDF {canary}".encode(),
    )
    session.add(report)
    paper = want_paper(
        session,
        who,
        kind="week",
        first=now.date(),
        clocks=["08:00"],
        show_names=False,
        look="",
        made_by_id=None,
        now=now - timedelta(hours=1),
    )
    paper.state, paper.pdf = "ready", f"%PDF {canary}".encode()
    change = ZoneChange(
        patient_id=patient_id,
        at=now + timedelta(days=30),
        zone="Asia/Tokyo",
        before=who.zone,
        is_travel=True,
        created_at=now,
    )
    session.add(change)
    session.flush()
    key, number, token = _mail_key(owner), 0, "made-up" * 6
    if owner == "rosa":
        token = _reminder_token(
            session, _first(session, Reminder, patient_id).id, patient_id, now=now
        )
    else:
        number = 99
    return {
        "patient_id": patient_id,
        "medication_id": medication.id,
        "draft_id": draft.id,
        "dose_id": dose.id,
        "intake_id": intake.id,
        "order_id": order.id,
        "link_id": link.id,
        "feed_id": feed.id,
        "feed_token": feed_token,
        "device_token": device,
        "note_id": note.id,
        "report_id": report.id,
        "paper_id": paper.id,
        "change_id": change.id,
        "contact_id": contact.id,
        "grant_id": _helper(session, patient_id, now=now),
        "request_id": _request(session, owner, patient_id, now=now),
        "invitation_id": invitation.id,
        "invitation_token": invitation_token,
        "picture_key": medication.picture_key,
        "place_id": place_id,
        "tablet_secret": secret,
        "offer_id": offer.id,
        "offer_token": offer_token,
        "photo_key": _first(session, PatientPhoto, patient_id).key,
        "token": token,
        "key": key,
        "number": number,
    }


def _helper(session: Session, patient_id: int, *, now: datetime) -> int:
    """Return the grant of who helps a patient; Bruno's helper is somebody new."""
    found = helpers_of(session, patient_id)
    if found:
        return found[0].grant_id
    ida = make_cast_account(session, "Ida", now=now)
    grant = grant_access(
        session,
        account_id=ida.id,
        patient_id=patient_id,
        level=Level.VIEW,
        role="caregiver",
        now=now,
    )
    session.flush()
    return grant.id


def _request(session: Session, owner: str, patient_id: int, *, now: datetime) -> int:
    """Let a doctor ask for access to a patient; return the id of that."""
    doctor = make_cast_account(session, f"Doctor of {owner}", now=now)
    make_code(session, patient_id, now=now)
    session.flush()
    code = code_of_patient(session, patient_id)
    ask_access(session, account_id=doctor.id, code=code, role="doctor", now=now)
    return requests_of(session, patient_id)[0].grant_id


def own_contact(session: Session, account_id: int, *, now: datetime) -> int:
    """Reach an account where it signs in; return the id of that."""
    add_own_contact(session, session.get_one(Account, account_id), now=now)
    mine = contacts_of(session, Owner(account_id=account_id))
    return mine[0].id


def _live_note(
    session: Session, owner: str, account_id: int, *, now: datetime
) -> tuple[str, LiveNote]:
    """Let a page be open on a device, with a note that it has not shown."""
    device = new_token()
    add_contact(session, channel="live", address=device, account_id=account_id, now=now)
    note = LiveNote(
        device_index=device_index(device),
        key=f"note of {owner}",
        delivery_id=0,
        words="It is 8am.",
        link="",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    session.add(note)
    session.flush()
    return device, note


def _photo() -> bytes:
    photo = BytesIO()
    Image.new("RGB", (8, 8)).save(photo, "JPEG")
    return photo.getvalue()


def _draft(
    session: Session, patient_id: int, canary: str, *, now: datetime
) -> PlanDraft:
    """Keep the answers about a new medicine, all of them given."""
    facts = {"name": f"{canary}{MARKUP} draft", "reason": f"{canary} reason"}
    line = line_to_json(daily("08:00", start=now.date()))
    return begin_draft(
        session,
        patient_id=patient_id,
        account_id=None,
        answers=answers_of([line], facts, texts=[f"{canary}{MARKUP} text"]),
        key="draft",
        source="import",
        now=now,
    )


def _first(session: Session, row: type[_Row], patient_id: int) -> _Row:
    columns = sa.inspect(row).columns
    first = columns.get("due_at", columns["id"])
    found = session.scalars(
        sa.select(row).where(columns["patient_id"] == patient_id).order_by(first)
    )
    return found.first() or pytest.fail(f"{row.__name__}: none")


def _mail_key(owner: str) -> str:
    """Return the key of a mail with a file, or for Bruno one that is made up."""
    return _letter(settings().var_dir) if owner == "rosa" else "1.made-up"


@cache
def _letter(_place: str) -> str:
    """Keep a mail with a file, once; other tests keep and forget others there."""
    mail = EmailMessage()
    mail["Subject"], mail["To"] = "A letter", "somebody@family.example"
    mail["Date"], mail["Message-ID"] = "Fri, 20 Nov 2026 08:00:00 +0000", "<1@x>"
    mail.set_content("Hello")
    mail.add_attachment(
        b"%PDF", maintype="application", subtype="pdf", filename="a.pdf"
    )
    return keep_mail(mail.as_bytes())


def _reminder_token(
    session: Session, reminder_id: int, patient_id: int, *, now: datetime
) -> str:
    token = new_token()
    session.add(
        ReminderLink(
            reminder_id=reminder_id,
            patient_id=patient_id,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + timedelta(hours=1),
        )
    )
    return token


def alert_token(
    session: Session, patient_id: int, account_id: int, *, now: datetime
) -> str:
    """Let a helper have been told that a patient's first dose has no record."""
    token = new_token()
    dose = _first(session, Dose, patient_id)
    delivery = Delivery(
        kind="dose_alert",
        channel="email",
        recipient="helper@family.example",
        dedupe_key="alert",
        state="accepted",
        account_id=account_id,
        patient_id=patient_id,
        created_at=now,
        next_at=now,
        expires_at=now,
        accepted_at=now,
    )
    session.add(delivery)
    session.flush()
    told = {"recipient": f"a{account_id}", "channel": "email", "kind": "dose_alert"}
    session.add(DeliveryDose(delivery_id=delivery.id, dose_id=dose.id, step=3, **told))
    session.add(
        ReminderLink(
            reminder_id=_first(session, Reminder, patient_id).id,
            patient_id=patient_id,
            delivery_id=delivery.id,
            account_id=account_id,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + timedelta(hours=1),
        )
    )
    return token
