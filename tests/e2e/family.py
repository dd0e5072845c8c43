"""Fills an empty database for the browser: `python -m tests.e2e.family`.

The real clock runs, so the families live in the zone where it is past eight in the
morning right now: then there is always something to take.
"""

import json
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from unittest import mock

from alembic import command
from alembic.config import Config
from PIL import Image
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.models import AccountLink, Passkey, SignInMail
from pillweb.accounts.queries import account_by_email
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.base.demo_password import demo_password
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.zones import local, zone
from pillweb.contacts.models import ContactPoint, ContactTest, StopLink
from pillweb.contacts.queries import contacts_of_patient
from pillweb.contacts.rules import OPEN_PAGE
from pillweb.devices.actions.choosing import set_place_pin
from pillweb.devices.actions.pairing import offer_tablet
from pillweb.devices.actions.photos import keep_photo
from pillweb.devices.rules import OPEN_FOR
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN, TAKEN
from pillweb.invitations.actions.asking import ask_access, make_code
from pillweb.invitations.actions.inviting import invite
from pillweb.invitations.queries import code_of_patient, requests_of
from pillweb.outbox.models import Delivery
from pillweb.papers.actions import want_paper
from pillweb.papers.models import PaperCode
from pillweb.patients.models import Patient
from pillweb.portals import actions
from pillweb.portals.rules import CAREGIVER, ELDER
from pillweb.reminders.models import DeliveryDose, Reminder, ReminderLink
from pillweb.reminders.rules.course import DOSE_ALERT
from pillweb.schedules.actions import begin_draft, keep_imported
from pillweb.schedules.rules.draft import answers_of
from pillweb.schedules.rules.fhir.imported import read_file
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.actions.linking import make_link, note_link_use
from pillweb.sharing.rules import Level, Terms
from pillweb.transfers.actions.asking import tell_found, want_look
from tests.house.tokens import being_let_in, notice_token
from tests.services import ROOT
from tests.tablets import connected, shared
from tests.world import make_patient, plan, prescribe

MORNING = 8
ROSA = 1
LONG = "W" * 200
ARABIC = "فاطمة الزهراء"
NEIGHBOURS = 24
START = "2026-11-20"
EIGHT = {"at": "08:00", "dose": "1"}
RULES: list[dict[str, object]] = [
    {"kind": "clock", "start_date": START, "times": [{**EIGHT, "action": "apply"}]},
    {"kind": "clock", "start_date": START, "steps": [{"days": 3, "times": [EIGHT]}]},
    {"kind": "interval", "first": f"{START}T08:00", "interval_hours": 8, "dose": "1"},
    {"kind": "prn", "dose": "1", "reason": "pain", "min_interval_minutes": 240},
    {"kind": "once", "at": f"{START}T08:00", "dose": "1"},
]
FILES = (
    "chemed-2-1-triatec.json",
    "nhs-sequential-sequence.json",
    "chemed-as-needed-with-max-dose.json",
)
THREE = ("Amlodipine", "Ramipril", "Aspirin")


def breakfast_zone(at: datetime) -> str:
    """Return the zone where it is past eight and not yet nine."""
    east = (MORNING - at.hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}"  # POSIX counts them westward


def add_family(session: Session, *, at: datetime) -> dict[str, object]:
    """Add the demo family, one with difficult names, and neighbours to tap for."""
    place = breakfast_zone(at)
    with mock.patch.object(actions, "DEMO_ZONE", place):
        rosa = actions.load_demo(session, password=demo_password(), now=at)
    marta = account_by_email(session, CAREGIVER[1])
    assert marta is not None
    clock = f"{local(at, zone(place)):%H:%M}"
    added = []
    for name, medicines in (
        (ARABIC, (LONG, "باراسيتامول")),
        *((f"Neighbour {number}", THREE) for number in range(NEIGHBOURS)),
    ):
        patient = make_patient(session, name=name, now=at, zone=place)
        for medicine in medicines:
            prescribe(session, patient, clock, now=at, name=medicine)
        plan(session, patient, now=at)
        grant_access(
            session,
            account_id=marta.id,
            patient_id=patient.id,
            level=Level.MANAGE,
            role="caregiver",
            now=at,
        )
        added.append(patient.id)
    _, token = make_link(
        session,
        patient_id=added[0],
        made_by_id=rosa.id,
        label="Ann",
        days=30,
        show_names=True,
        now=at,
    )
    draft = begin_draft(
        session,
        patient_id=added[0],
        account_id=marta.id,
        answers=answers_of(RULES, {"name": ARABIC}, texts=[LONG]),
        key="draft",
        source="import",
        now=at,
    )
    for file in FILES:
        given = (ROOT / "tests/data/fhir" / file).read_text("utf-8")
        read = read_file(given, at.date(), place)
        keep_imported(session, added[0], read.medicines, account_id=marta.id, now=at)
    session.add(_passkey(rosa.id, at=at))
    doses = select(Dose.id).where(Dose.patient_id == ROSA).order_by(Dose.due_at.desc())
    return {
        "due": session.scalar(doses.where(Dose.due_at < at, Dose.state == OPEN)),
        "taken": session.scalar(doses.where(Dose.state == TAKEN)),
        "draft": f"/patients/{added[0]}/medicines/drafts/{draft.id}",
        "password": demo_password(),
        "rosa": ELDER[1],
        "marta": CAREGIVER[1],
        "difficult": added[0],
        "neighbours": added[1:],
        "share": f"/s/{token}",
        "brought": _file_from_elsewhere(session, marta.id, at=at),
        **_sharing(session, rosa.id, at=at),
        **_tablets(session, rosa.id, added[0], marta.id, at=at),
        "links": _links(session, added[-1], account_id=marta.id, clock=clock, at=at),
    }


def _tablets(
    session: Session, rosa_id: int, difficult: int, marta_id: int, *, at: datetime
) -> dict[str, object]:
    """Let Rosa have a tablet, and one together with who has a difficult name."""
    hers, _ = connected(session, ROSA, rosa_id, now=at)
    makers = {ROSA: rosa_id, difficult: marta_id}
    # It was left alone, so it shows the pictures.
    faces, places = shared(session, makers, now=at - OPEN_FOR)
    # No page of hers is to be under what it says aloud.
    session.execute(delete(ContactPoint).where(ContactPoint.channel == OPEN_PAGE))
    set_place_pin(session, patient_id=ROSA, place_id=places[ROSA], pin="2468")
    keep_photo(session, patient_id=difficult, photo=_face(), now=at)
    return {"tablets": {"hers": hers, "faces": faces}, "pinned": places[ROSA]}


def _face() -> bytes:
    made = BytesIO()
    Image.new("RGB", (300, 200), (200, 120, 90)).save(made, "JPEG")
    return made.getvalue()


def _sharing(session: Session, rosa_id: int, *, at: datetime) -> dict[str, int]:
    """Let a doctor ask for Rosa, invite somebody, and open a link of hers."""
    doctor = make_account(session, name="Dr Chen", email="chen@clinic.example", now=at)
    make_code(session, ROSA, now=at)
    session.flush()
    code = code_of_patient(session, ROSA)
    ask_access(session, account_id=doctor.id, code=code, role="doctor", now=at)
    row, _ = make_link(
        session,
        patient_id=ROSA,
        made_by_id=rosa_id,
        label="Ann",
        days=7,
        show_names=False,
        now=at,
    )
    note_link_use(session, row, device="Chrome, Android", now=at)
    _invite(session, ROSA, rosa_id, at=at)
    return {"asked": requests_of(session, ROSA)[0].grant_id, "opened": row.id}


def _file_from_elsewhere(session: Session, account_id: int, *, at: datetime) -> str:
    """Let somebody have sent in a file of a grandmother; return where that is."""
    row = want_look(session, account_id=account_id, content=b"-", now=at)
    found = {
        "name": "Ana María",
        "created_at": (at - timedelta(days=400)).isoformat(),
        "made_at": at.isoformat(),
        "medicines": 6,
        "days": 412,
    }
    tell_found(row, found, now=at)
    return f"/people/import/{row.id}"


def _invite(session: Session, patient_id: int, account_id: int, *, at: datetime) -> str:
    _, token = invite(
        session,
        patient_id=patient_id,
        patient_name="Rosa",
        made_by_id=account_id,
        label="Luis",
        terms=Terms(Level.VIEW, "caregiver", frozenset({"names"})),
        channel=None,
        address="",
        now=at,
    )
    return token


def _links(
    session: Session, patient_id: int, *, account_id: int, clock: str, at: datetime
) -> dict[str, str]:
    """Give somebody one link of each kind that a mail scanner may find."""
    names = ("t", "h", "m", "u", "a", "e")
    tokens = {name: new_token() for name in names}
    hashes = {name: token_hash(token) for name, token in tokens.items()}
    until = at + timedelta(hours=20)
    mine = select(Reminder).where(Reminder.patient_id == patient_id)
    reminder = session.scalars(mine.order_by(Reminder.due_at).limit(1)).one()
    times: dict[str, Any] = {"created_at": at, "expires_at": until}
    session.add(
        ReminderLink(
            reminder_id=reminder.id,
            patient_id=patient_id,
            token_hash=hashes["t"],
            **times,
        )
    )
    session.add(
        ReminderLink(
            reminder_id=reminder.id,
            patient_id=patient_id,
            account_id=account_id,
            delivery_id=_alert(session, patient_id, account_id, at=at),
            token_hash=hashes["h"],
            **times,
        )
    )
    contact = contacts_of_patient(session, patient_id)[0]
    session.add(ContactTest(contact_id=contact.id, token_hash=hashes["m"], **times))
    session.add(
        StopLink(contact_id=contact.id, token=tokens["u"], token_hash=hashes["u"])
    )
    _, tokens["s"] = make_link(
        session,
        patient_id=patient_id,
        made_by_id=account_id,
        label="Bo",
        days=30,
        show_names=False,
        now=at,
    )
    patient = session.get_one(Patient, patient_id)
    paper = want_paper(
        session,
        patient,
        kind="week",
        first=local(at, zone(patient.zone)).date(),
        clocks=[clock],
        show_names=False,
        look="",
        made_by_id=None,
        now=at - timedelta(minutes=1),
    )
    printed = select(PaperCode.token).where(PaperCode.paper_id == paper.id)
    tokens["p"] = session.scalars(printed).one()
    offer, tokens["d"], _ = offer_tablet(
        session, patient_id=patient_id, made_by_id=account_id, now=at
    )
    offer.expires_at = until
    tokens["i"] = _invite(session, patient_id, account_id, at=at)
    session.add(AccountLink(account_id=account_id, token_hash=hashes["a"], **times))
    session.add(_entry(account_id, token_hash=hashes["e"], **times))
    tokens |= _let_in(session, account_id, at=at)
    tokens["w"] = notice_token(session, account_id, now=at)
    return {name: f"/{name}/{token}" for name, token in tokens.items()}


def _entry(account_id: int, **given: Any) -> SignInMail:  # noqa: ANN401 - columns
    """Return a mail to sign in that some other browser asked for."""
    other = token_hash("another browser")
    same = dict.fromkeys(
        ("email_index", "client_index", "browser_hash", "code_index"), other
    )
    return SignInMail(account_id=account_id, is_own_device=False, **same, **given)


def _passkey(account_id: int, *, at: datetime) -> Passkey:
    """Return a passkey of a device that is nowhere; it was refused once."""
    return Passkey(
        account_id=account_id,
        credential_id=b"made up",
        public_key=b"made up",
        sign_count=0,
        transports=[],
        may_sync=True,
        is_synced=True,
        name="Samsung Internet on Android",
        created_at=at,
        doubted_at=at,
    )


def _let_in(session: Session, helper_id: int, *, at: datetime) -> dict[str, str]:
    """Let somebody else be let in again; return the secrets of notice and link."""
    ida = make_account(session, name="Ida", email="ida@family.example", now=at)
    _, noticed, given = being_let_in(session, ida.id, helper_id, now=at)
    return {"r": noticed, "l": given}


def _alert(session: Session, patient_id: int, account_id: int, *, at: datetime) -> int:
    """Let a helper have been told that a first dose has no record."""
    mine = select(Dose).where(Dose.patient_id == patient_id).order_by(Dose.due_at)
    dose = session.scalars(mine.limit(1)).one()
    to = {"kind": DOSE_ALERT, "channel": "email"}
    told = Delivery(
        dedupe_key="an alert",
        recipient=CAREGIVER[1],
        state="accepted",
        account_id=account_id,
        patient_id=patient_id,
        created_at=at,
        next_at=at,
        expires_at=at,
        accepted_at=at,
        **to,
    )
    session.add(told)
    session.flush()
    session.add(
        DeliveryDose(
            delivery_id=told.id,
            dose_id=dose.id,
            recipient=f"a{account_id}",
            step=0,
            **to,
        )
    )
    return told.id


if __name__ == "__main__":
    command.upgrade(Config(str(ROOT / "alembic.ini")), "head")
    with database().transaction() as kept:
        found = add_family(kept, at=now())
    print(json.dumps(found))  # noqa: T201 - its answer to the tests
