from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask

from pillweb.channels import Message
from pillweb.channels.email import open_channel
from pillweb.channels.mailbox import keep_mail, kept_mail, kept_mails
from tests.conftest import use_settings
from tests.services import SmtpSink


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, db: object) -> Iterator[None]:
    use_settings(VAR_DIR=str(tmp_path))
    yield
    use_settings(VAR_DIR=str(tmp_path))


def mail(subject: str) -> EmailMessage:
    made = EmailMessage()
    made["To"] = "rosa@family.example"
    made["Subject"] = subject
    made["Date"] = "Fri, 20 Nov 2026 08:00:00 +0000"
    made["Message-ID"] = f"<{subject}@test>"
    made.set_content("It is time.\n")
    return made


def test_without_a_server_mail_is_kept_and_shown(app: Flask) -> None:
    with open_channel() as send:
        receipt = send(
            Message(
                key="one",
                recipient="rosa@family.example",
                subject="Recordatorio للوردة",
                text="Es hora.\n",
                html="<p>Es hora.</p>",
            )
        )
    ((key, kept),) = kept_mails()
    assert kept["Message-ID"] == receipt.reference
    client = app.test_client()
    assert "Recordatorio للوردة" in client.get("/mailbox").text
    assert "Es hora." in client.get(f"/mailbox/{key}").text


def test_the_newest_mail_stands_first() -> None:
    for number in range(12):
        keep_mail(mail(str(number)).as_bytes())
    shown = [str(one["Subject"]) for _, one in kept_mails()]
    assert shown == [str(number) for number in range(11, -1, -1)]


def test_a_key_that_is_none_shows_nothing(app: Flask) -> None:
    keep_mail(mail("one").as_bytes())
    assert kept_mail("../../etc/passwd") is None
    client = app.test_client()
    assert client.get("/mailbox/nothing").status_code == 404
    assert client.get("/mailbox/..%2F..%2Fpillweb.db").status_code == 404


def test_an_attachment_is_given_out(app: Flask) -> None:
    made = mail("report")
    made.add_attachment(
        b"%PDF-1.7", maintype="application", subtype="pdf", filename="record.pdf"
    )
    keep_mail(made.as_bytes())
    ((key, _),) = kept_mails()
    client = app.test_client()
    answer = client.get(f"/mailbox/{key}/0")
    assert answer.data == b"%PDF-1.7"
    assert answer.mimetype == "application/pdf"
    assert client.get(f"/mailbox/{key}/1").status_code == 404


def test_with_a_mail_server_the_mailbox_is_closed(app: Flask, sink: SmtpSink) -> None:
    keep_mail(mail("one").as_bytes())
    assert app.test_client().get("/mailbox").status_code == 404
