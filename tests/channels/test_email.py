import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from pillweb.base.known_settings import Settings
from pillweb.base.unsafe_settings import faults_of
from pillweb.channels import Attachment, Message, SendError, email
from pillweb.channels.email import open_channel, reference_of
from tests.conftest import use_settings
from tests.services import Answer, SmtpSink

ARABIC = "تذكير لوردة"
SPANISH = "Recordatorio para Íñigo Núñez"


def message(key: str = "dose_due:1:0", **facts: str) -> Message:
    words = {
        "recipient": "rosa@family.example",
        "subject": "Reminder for 8am",
        "text": "It is time for your 8am medicines.\n",
        "html": "<p>It is time for your 8am medicines.</p>",
    }
    return Message(key=key, **{**words, **facts})  # type: ignore[arg-type]


def send(*messages: Message) -> list[str]:
    with open_channel() as hand_over:
        return [hand_over(one).reference for one in messages]


def refusal_of(one: Message) -> SendError:
    with pytest.raises(SendError) as caught:
        send(one)
    return caught.value


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose server accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_mail_arrives_with_its_envelope_and_both_bodies(sink: SmtpSink) -> None:
    (reference,) = send(message())
    (mail,) = sink.mails
    assert mail.recipients == ("rosa@family.example",)
    assert mail.message["Message-ID"] == reference
    assert mail.message["Auto-Submitted"] == "auto-generated"
    text = mail.message.get_body(("plain",))
    html = mail.message.get_body(("html",))
    assert text
    assert html
    assert "8am medicines." in text.get_content()
    assert "<p>" in html.get_content()


def test_a_file_goes_with_it_unchanged(sink: SmtpSink) -> None:
    content = bytes(range(256)) * 40
    file = Attachment("record.pdf", "application/pdf", content)
    one = Message(
        key="report:1",
        recipient="chen@clinic.example",
        subject="A report",
        text="It is attached.",
        html="<p>It is attached.</p>",
        attachments=(file,),
    )
    send(one)
    (part,) = sink.mails[0].message.iter_attachments()
    assert isinstance(part, EmailMessage)
    assert part.get_content() == content
    assert part.get_filename() == "record.pdf"
    assert part.get_content_type() == "application/pdf"


@pytest.mark.parametrize("words", [ARABIC, SPANISH, "👵🏽 🕗"])
def test_names_of_every_script_arrive_right(sink: SmtpSink, words: str) -> None:
    send(message(subject=words, text=f"{words}\n", html=f"<p>{words}</p>"))
    mail = sink.mails[0].message
    assert mail["Subject"] == words
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body
        assert words in body.get_content()


def test_an_address_of_another_script_arrives(sink: SmtpSink) -> None:
    send(message(recipient="íñigo@familia.example"))
    assert sink.mails[0].recipients == ("íñigo@familia.example",)


@pytest.mark.parametrize("evil", ["\r\nBcc: eve@evil.example", "\n\n<script>", "\r.\r"])
def test_a_line_break_cannot_add_a_header(sink: SmtpSink, evil: str) -> None:
    send(message(subject=f"Reminder for Rosa{evil}", text=f"Hello Rosa{evil}\n"))
    (mail,) = sink.mails
    assert mail.recipients == ("rosa@family.example",)
    assert mail.message["Bcc"] is None
    assert mail.message["Subject"].startswith("Reminder for Rosa")
    assert mail.message.is_multipart()


def test_a_line_break_in_the_address_is_refused_for_good(sink: SmtpSink) -> None:
    error = refusal_of(message(recipient="rosa@x.example\r\nBcc: eve@evil.example"))
    assert error.permanent
    assert sink.mails == []


def test_a_repeat_has_the_same_message_id_and_another_message_another() -> None:
    one, again, other = (reference_of(message(key)) for key in ("a", "a", "b"))
    assert one == again != other


def test_a_batch_goes_through_one_connection(
    sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    connect = email._connect  # noqa: SLF001 - counted, not replaced

    def count(url: str) -> smtplib.SMTP:
        made.append(url)
        return connect(url)

    monkeypatch.setattr(email, "_connect", count)
    send(*(message(f"row:{number}") for number in range(5)))
    assert len(sink.mails) == 5
    assert len(made) == 1


def test_after_a_refusal_the_next_message_still_leaves(sink: SmtpSink) -> None:
    sink.fail_next(1)
    with open_channel() as hand_over:
        with pytest.raises(SendError):
            hand_over(message("first"))
        hand_over(message("second"))
    assert len(sink.mails) == 1


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "permanent"),
    [
        ("451 4.3.0 Try again later", False),
        ("421 4.3.2 Shutting down", False),
        ("452 4.2.2 Mailbox full", False),
        ("554 5.7.1 Refused by policy", False),
        ("550 5.1.1 No such user", True),
        ("553 5.1.3 Bad address", True),
    ],
)
def test_only_an_address_that_does_not_exist_ends_it_for_good(
    sink: SmtpSink, at: str, reply: str, *, permanent: bool
) -> None:
    sink.script(Answer(reply, at="RCPT" if at == "RCPT" else "DATA"))
    error = refusal_of(message())
    assert error.code == f"smtp_{reply[:3]}"
    assert error.permanent is permanent


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_server_that_hangs_up_is_tried_again(sink: SmtpSink, at: str) -> None:
    sink.script(Answer(at="RCPT" if at == "RCPT" else "DATA", hang_up=True))
    assert not refusal_of(message()).permanent


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    use_settings(SMTP_URL=f"smtp://127.0.0.1:{port}?tls=off")
    try:
        assert not refusal_of(message()).permanent
    finally:
        use_settings(SMTP_URL="")


def test_a_deaf_server_costs_its_time_and_no_more(
    deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "TIMEOUT_S", 0.5)
    use_settings(SMTP_URL=f"smtp://127.0.0.1:{deaf}?tls=off")
    try:
        began = time.monotonic()
        assert not refusal_of(message()).permanent
        assert time.monotonic() - began < 2
    finally:
        use_settings(SMTP_URL="")


def test_a_server_that_falls_silent_before_its_answer_costs_no_more(
    sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "TIMEOUT_S", 0.5)
    sink.script(Answer("451 4.3.0 Late", after=5))
    began = time.monotonic()
    assert not refusal_of(message()).permanent
    assert time.monotonic() - began < 2


def test_the_timeout_of_a_send_fits_into_its_limit() -> None:
    assert email.TIMEOUT_S <= 10


def test_mail_leaves_encrypted_or_not_at_all(sink: SmtpSink) -> None:
    use_settings(SMTP_URL=f"smtp://{sink.host}:{sink.port}")
    error = refusal_of(message())
    assert not error.permanent
    assert sink.mails == []


def test_tls_cannot_be_off_for_another_machine() -> None:
    away = Settings(
        secret_key="abcdefghijklmnopqrstuvwxyz0123456789",
        smtp_url="smtp://mail.example:25?tls=off",
    )
    assert any("tls=off" in fault for fault in faults_of(away))


def test_threads_do_not_share_a_connection(sink: SmtpSink) -> None:
    threads = [threading.Thread(target=send, args=[message(str(n))]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sink.wait_for(4)) == 4
