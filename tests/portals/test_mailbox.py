"""The mailbox of the embedded default: what is kept, and who may not look."""

from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.config import settings
from pillweb.channels.mailbox import keep_mail, kept_mails


@pytest.fixture
def reader(app: Flask, own_mailbox: object) -> FlaskClient:
    return app.test_client()


def keep(subject: str, *, text: str = "Open http://127.0.0.1:8000/t/x now.") -> str:
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["To"] = "rosa@family.example"
    mail["Date"] = "Fri, 20 Nov 2026 08:05:00 +0000"
    mail["Message-ID"] = "<1@pillweb>"
    mail.set_content(text)
    mail.add_alternative("<p>HTML</p>", subtype="html")
    mail.add_attachment(
        b"%PDF-1.7", maintype="application", subtype="pdf", filename="record.pdf"
    )
    keep_mail(mail.as_bytes())
    return kept_mails()[0][0]


def test_an_empty_mailbox_says_so(reader: FlaskClient) -> None:
    assert "There is nothing here yet." in reader.get("/mailbox").text


def test_mails_are_listed_newest_first_with_links(reader: FlaskClient) -> None:
    keep("First")
    keep("Second <b>")
    page = reader.get("/mailbox").text
    assert page.index("Second &lt;b&gt;") < page.index("First")
    assert "rosa@family.example" in page


def test_a_mail_shows_its_words_and_its_links(reader: FlaskClient) -> None:
    key = keep("Time for your medicine", text="<script>no</script> http://a.example/")
    page = reader.get(f"/mailbox/{key}")
    assert page.status_code == 200
    assert "&lt;script&gt;no" in page.text
    assert '<a href="http://a.example/"' in page.text
    assert "record.pdf" in page.text


def test_an_attachment_is_given_out_as_what_it_is(reader: FlaskClient) -> None:
    key = keep("Report")
    answer = reader.get(f"/mailbox/{key}/0")
    assert (answer.data, answer.mimetype) == (b"%PDF-1.7", "application/pdf")
    assert reader.get(f"/mailbox/{key}/1").status_code == 404


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        "..",
        "%2e%2e%2fdemo-password",
        "..%2f..%2fetc%2fpasswd",
        "/etc/passwd",
        "new",
        "a%00b",
        "%ff%fe",
        "x" * 4000,
    ],
)
def test_a_key_that_names_no_mail_is_not_found(reader: FlaskClient, key: str) -> None:
    keep("Kept")
    assert reader.get(f"/mailbox/{key}").status_code in {404, 308}
    assert reader.get(f"/mailbox/{key}/0").status_code in {404, 308}


def test_there_is_no_mailbox_where_mail_is_sent(
    reader: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keep("Kept")
    with monkeypatch.context() as patch:
        patch.setenv("SMTP_URL", "smtp://mail.example")
        settings.cache_clear()
        codes = [
            reader.get(path).status_code
            for path in ("/mailbox", f"/mailbox/{key}", f"/mailbox/{key}/0")
        ]
    settings.cache_clear()
    assert codes == [404, 404, 404]
