"""The whole life of a dose, told to the running processes by an ordinary browser."""

import html
import io
import re
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.base.words import time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose, DoseEvent, Horizon
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import stop_medication
from tests.conftest import use_settings
from tests.journeys.browser import Browser, Page
from tests.running import Processes, processes, wait_until
from tests.services import SmtpSink, Valkey
from tests.world import plan, prescribe

MEDICINE = "Amlodipine"
EARLIER = "Metformin"
PASSWORD = "seven quiet herons at dusk"
ZONES = ("Europe/London", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Auckland")
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\S+")
SOON_S = 12.0


def daytime() -> str:
    """Return a zone in which it is day now."""
    return next(name for name in ZONES if 8 <= local(now(), zone(name)).hour < 20)


@pytest.fixture
def home(tmp_path: Path, valkey: Valkey, sink: SmtpSink) -> Iterator[Processes]:
    """Everything that `make run` starts, on a database and a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    before = f"sqlite:///{tmp_path}/unused.db"
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/pillweb.db",
        "VAR_DIR": str(tmp_path),
        "HOST": "127.0.0.1",
        "PORT": port,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        use_settings(DATABASE_URL=settings["DATABASE_URL"])
        with processes(tmp_path) as made:
            made.run("release")
            for name in ("web", "worker", "reports", "clock"):
                made.start(name)
            yield made
        database().engine.dispose()
    use_settings(DATABASE_URL=before)


def events() -> list[tuple[str, str]]:
    with database().reading() as session:
        wanted = sa.select(DoseEvent.what, DoseEvent.channel).order_by(DoseEvent.id)
        return [(what, channel) for what, channel in session.execute(wanted)]


def until(browser: Browser, path: str, words: str) -> Page:
    """Open a page again and again until it says something."""
    end = time.monotonic() + SOON_S
    while words not in (page := browser.get(path)).words:
        assert time.monotonic() < end, f"{path} never said {words!r}: {page.words}"
        time.sleep(0.2)
    return page


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())


def live_through_three_weeks(here: str) -> None:
    """Give the patient a medicine that was taken, mostly, and stopped yesterday."""
    today = local(now(), zone(here)).date()
    began = datetime.combine(today, datetime.min.time(), zone(here)) - timedelta(21)
    with database().transaction() as session:
        patient = session.scalars(sa.select(Patient)).one()
        medication = prescribe(
            session, patient, "08:00", "20:00", now=began, name=EARLIER
        )
        stop_medication(session, medication, now=began + timedelta(days=20, hours=22))
        session.execute(sa.delete(Horizon))
        plan(session, patient, now=now())
        past = sa.select(Dose).join(Medication, Medication.id == Dose.medication_id)
        mine = past.where(Medication.id == medication.id).order_by(Dose.due_at)
        for number, dose in enumerate(session.scalars(mine).all()):
            if number % 7 == 3:
                continue
            mark_taken(
                session,
                [dose.id],
                patient_id=patient.id,
                account_id=None,
                channel="page",
                now=dose.due_at + timedelta(minutes=95 if number % 5 == 0 else 5),
            )


def cells(page: Page) -> list[list[str]]:
    """Return the table of a report page, row by row."""
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = []
    for row in body.split("</tr>"):
        parts = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        plain = [html.unescape(re.sub(r"<[^>]+>", "", part)) for part in parts]
        found.append([" ".join(part.split()) for part in plain])
    return [row for row in found if row]


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_the_life_of_a_dose_from_the_first_page_to_the_doctor(
    home: Processes, sink: SmtpSink
) -> None:
    here = daytime()
    rosa = Browser(home.env["PUBLIC_URL"])
    wait_until(
        lambda: is_up(rosa), seconds=30, what=f"the web never came up\n{home.said()}"
    )

    base = make_account_and_patient(rosa, here)
    live_through_three_weeks(here)

    # A medicine that is due this minute.
    clock = local(now(), zone(here))
    page = rosa.get(f"{base}/medicines/new")
    page = rosa.press(page, "Go on", name=MEDICINE, strength="5 mg")
    page = rosa.press(page, "Go on", how="clock")
    page = rosa.press(page, "Go on", at_0=f"{clock:%H:%M}", amount_0="1")
    assert "Check your answers" in page.words
    page = rosa.press(page, "Start this plan")
    saved_at = time.monotonic()
    assert page.path == f"{base}/medicines"
    assert MEDICINE in page.words
    page = until(rosa, f"{base}/today", "You have 1 medicine to take now.")
    assert MEDICINE in page.words

    # The reminder comes by mail, and does not say which medicine.
    (mail,) = sink.wait_for(1, timeout=SOON_S)
    assert time.monotonic() - saved_at < SOON_S
    assert mail.recipients == ("rosa@family.example",)
    assert MEDICINE.casefold() not in str(mail.message).casefold()
    parts = "".join(str(part.get_content()) for part in mail.message.iter_parts())
    assert MEDICINE.casefold() not in parts.casefold()
    assert mail.message["Subject"] == f"Reminder for {time_words(clock.time())}"
    found = LINK.search(text_of(mail.message))
    assert found

    # Looking at the link records nothing; its button does, once.
    recorded_before = events()
    phone = Browser(rosa.home)
    page = phone.get(found[0])
    assert "medicines." in page.words
    assert MEDICINE not in page.words
    assert events() == recorded_before
    page = phone.press(page, "I have taken it")
    assert "Recorded at" in page.words
    phone.post(found[0])
    assert events() == [*recorded_before, ("taken", "link")]
    assert list(phone.cookies) == []

    # Today and the calendar know it.
    page = rosa.get(f"{base}/today")
    assert "Taken at" in page.words
    assert "All done" in page.words
    page = rosa.get(f"{base}/calendar")
    today = page.text.partition('aria-current="date"')[2].partition("</td>")[0]
    assert ">Taken<" in today

    share_and_revoke(rosa, base, recorded=len(recorded_before) + 1)
    report_to_the_doctor(rosa, base, sink)

    # After signing out nothing opens.
    page = rosa.press(rosa.get(f"{base}/today"), "Sign out")
    assert page.path == "/sign-in"
    assert rosa.get(f"{base}/today").path == "/sign-in"
    assert rosa.get(f"{base}/reports/1.pdf").path == "/sign-in"


def make_account_and_patient(rosa: Browser, here: str) -> str:
    """Go through the first run; return the path of the patient's pages."""
    page = rosa.get("/")
    assert page.path == "/welcome"
    page = rosa.press(
        page,
        "Make my account",
        name="Rosa",
        email="rosa@family.example",
        password=PASSWORD,
    )
    assert page.path == "/people/new"
    page = rosa.press(page, "Go on", who="me", name="Rosa")
    page = rosa.press(page, "Go on", zone=here)
    base = page.path.removesuffix("/set-up/language")
    assert re.fullmatch(r"/patients/\d+", base)
    return base


def is_up(browser: Browser) -> bool:
    try:
        return browser.get("/readyz").status == 200
    except OSError:
        return False


def share_and_revoke(rosa: Browser, base: str, *, recorded: int) -> None:
    """Let an aunt look by a link, see that it is all she can do, and stop it."""
    page = rosa.press(
        rosa.get(f"{base}/sharing/links"), "Make the link", label="Aunt Ida"
    )
    found = LINK.search(html.unescape(page.text.partition("<textarea")[2]))
    assert found
    link = found[0].partition("<")[0]
    ida = Browser(rosa.home)
    page = ida.get(link)
    assert "Somebody shared a page with you" in page.words
    assert list(ida.cookies) == [] or "/shared/" not in page.text
    page = ida.press(page, "Open it")
    shared = page.path.removesuffix("/today")
    assert shared.startswith("/shared/")
    assert "Taken at" in page.words
    assert MEDICINE not in page.words
    assert "I have taken" not in page.words
    assert ida.get(f"{shared}/calendar").status == 200
    for closed in ("medicines", "medicines/new", "reports", "reports/now", "sharing"):
        assert ida.get(f"{base}/{closed}").path == "/sign-in"
        assert ida.get(f"{shared}/{closed}").status == 404
    token = next(
        (value for form in page.forms for name, value in form.fields if "csrf" in name),
        "",
    )
    for action in ("doses/1/take", "doses/1/undo", "today", "sharing", "reports"):
        for start in (base, shared):
            page = ida.post(f"{start}/{action}", csrf_token=token, dose="1")
            assert page.path == "/sign-in" or page.status in {400, 404, 405}
    assert len(events()) == recorded
    rosa.press(rosa.get(f"{base}/sharing"), "Stop this link")
    for path in (f"{shared}/today", f"{shared}/calendar", link):
        page = ida.get(path)
        assert page.status == 404
        assert "This link does not work" in page.words


def report_to_the_doctor(rosa: Browser, base: str, sink: SmtpSink) -> None:
    """Have the one page made and mailed, and compare it with the screen."""
    screen = rosa.get(f"{base}/reports/now")
    assert EARLIER in screen.words
    page = rosa.press(
        rosa.get(f"{base}/reports"),
        "Save",
        doctor_name="Dr Chen",
        email="chen@clinic.example",
        how_often="never",
        risk_read="y",
    )
    assert "Dr Chen" in page.words
    sink.clear()
    rosa.press(page, "Send the report now")
    (mail,) = sink.wait_for(1, timeout=30)
    assert mail.recipients == ("chen@clinic.example",)
    (file,) = mail.message.iter_attachments()
    assert isinstance(file, EmailMessage)
    content = file.get_content()
    until(rosa, f"{base}/reports", "Made and sent on its way")
    assert rosa.get(f"{base}/reports/1.pdf").content == content

    pdf = PdfReader(io.BytesIO(content))
    assert len(pdf.pages) == 1
    root = pdf.root_object
    assert str(root["/Lang"]) == "en"
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert "/StructTreeRoot" in root
    assert pdf.metadata
    assert (pdf.metadata.title or "").startswith("Medicine record")
    printed = squeezed(pdf.pages[0].extract_text())
    rows = cells(screen)
    # What was taken today is in it, and the medicine of the weeks before.
    assert len(rows) > 1
    assert [int(row[1]) > 30 for row in rows if row[0].startswith(EARLIER)] == [True]
    for row in rows:
        assert squeezed("".join(row[1:])) in printed
    assert squeezed(EARLIER) in printed
