"""The connection that mail keeps, its envelope, and how to stop it."""

import os
import smtplib
import time
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from pillweb.base import clock
from pillweb.base.render import render_mail
from pillweb.channels import Attachment, Message, SendError, email
from pillweb.channels.bounces import Bounce, bounce_in
from pillweb.channels.email import open_channel, to_mail
from tests.conftest import use_settings
from tests.services import Answer, SmtpSink, smtp_sink

STOP = "https://pills.example/u/" + "x" * 43


def message(**facts: object) -> Message:
    words = {
        "key": "dose_due:1:0",
        "recipient": "rosa@family.example",
        "subject": "Reminder for 8am",
        "text": "It is time for your 8am medicines.\n",
        "html": "<p>It is time for your 8am medicines.</p>",
    }
    return Message(**{**words, **facts})  # type: ignore[arg-type]


def send(one: Message) -> str:
    with open_channel() as hand_over:
        return hand_over(one).reference


def refusal_of(one: Message) -> SendError:
    with pytest.raises(SendError) as caught:
        send(one)
    return caught.value


@pytest.fixture
def made(sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The servers that were connected to."""
    found: list[str] = []
    connect = email._connect  # noqa: SLF001 - counted, not replaced

    def count(url: str) -> smtplib.SMTP:
        found.append(url)
        return connect(url)

    monkeypatch.setattr(email, "_connect", count)
    yield found
    email._kept.tidy(0)  # noqa: SLF001 - a test leaves nothing open


def test_the_next_block_uses_the_connection_of_the_last(made: list[str]) -> None:
    for _ in range(3):
        send(message())
    assert len(made) == 1


def test_a_connection_that_stood_idle_long_is_left(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(message())
    monkeypatch.setattr(email, "IDLE_S", 0.0)
    with open_channel():
        assert email._kept._idle == []  # noqa: SLF001 - the state that is tested
    send(message())
    assert len(made) == 2


def test_a_connection_to_another_server_is_not_used(made: list[str]) -> None:
    send(message())
    with smtp_sink() as other:
        use_settings(SMTP_URL=f"smtp://{other.host}:{other.port}?tls=off")
        send(message())
        assert len(other.mails) == 1


def test_a_refusal_costs_no_connection(sink: SmtpSink, made: list[str]) -> None:
    sink.script(Answer("550 5.1.1 No such user", at="RCPT"), Answer("451 4.3.0 Later"))
    assert refusal_of(message()).permanent
    assert not refusal_of(message()).permanent
    send(message())
    assert len(made) == 1


def test_a_broken_connection_is_made_anew(made: list[str]) -> None:
    with smtp_sink() as first:
        use_settings(SMTP_URL=f"smtp://{first.host}:{first.port}?tls=off")
        send(message())
    with smtp_sink() as second:
        use_settings(SMTP_URL=f"smtp://{second.host}:{second.port}?tls=off")
        # As if the same server had come back: the kept line is dead.
        kept = email._kept._idle  # noqa: SLF001 - the state that is tested
        url = f"smtp://{second.host}:{second.port}?tls=off"
        kept[:] = [(url, time.monotonic(), server) for *_, server in kept]
        send(message())
        assert len(second.mails) == 1


def test_a_line_that_broke_within_a_block_is_made_anew(
    sink: SmtpSink, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "TRUSTED_S", 0.0)
    with open_channel() as hand_over:
        hand_over(message(key="one"))
        sink.script(Answer(hang_up=True))
        with pytest.raises(SendError):
            hand_over(message(key="two"))
        hand_over(message(key="three"))
    assert len(made) == 2


def test_a_fork_leaves_the_connection_to_its_parent(
    sink: SmtpSink, made: list[str]
) -> None:
    send(message())
    child = os.fork()
    if child == 0:
        try:
            send(message(key="child"))
            os._exit(len(made))
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    send(message(key="parent"))
    assert len(made) == 1
    assert len(sink.mails) == 3


def test_a_mail_comes_back_to_its_own_address(sink: SmtpSink) -> None:
    use_settings(BOUNCE_ADDRESS="bounce@pills.example")
    try:
        send(message(delivery_id=41))
        send(message(delivery_id=42))
    finally:
        use_settings(BOUNCE_ADDRESS="")
    one, two = (mail.sender for mail in sink.mails)
    assert one != two
    assert "pillweb@localhost" in sink.mails[0].message["From"]
    raw = (
        f"To: {two}\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; a\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    )
    now = clock.now() + timedelta(minutes=1)
    assert bounce_in(raw.encode(), now=now) == Bounce(42, permanent=True, at=now)
    assert email.read_bounce(raw.encode()) is not None


def test_without_a_delivery_it_comes_back_to_the_sender(sink: SmtpSink) -> None:
    send(message())
    assert sink.mails[0].sender == "pillweb@localhost"


def test_one_press_in_the_mail_program_stops_it(sink: SmtpSink) -> None:
    send(message(stop_url=STOP))
    mail = sink.mails[0].message
    assert mail["List-Unsubscribe"].strip() == f"<{STOP}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    send(message())
    assert sink.mails[1].message["List-Unsubscribe"] is None


CONTEXT = {
    "first_name": "Rosa",
    "time_words": "8am",
    "link": "https://pills.example/t/abc",
    "lang": "en",
    "dir": "ltr",
}


def test_both_bodies_end_in_how_to_stop() -> None:
    words = render_mail("dose_due", {**CONTEXT, "stop_url": STOP})
    assert words.text.endswith(
        f"\n\nTo stop messages to this address, open this page:\n{STOP}\n"
    )
    assert f'<a href="{STOP}">Stop messages to this address</a>' in words.html
    without = render_mail("dose_due", CONTEXT)
    assert "stop" not in (without.text + without.html).lower()


@pytest.mark.parametrize(
    ("reply", "permanent", "most_tries"),
    [
        ("550 5.1.1 No such user", True, None),
        ("550 No such user", True, None),
        ("550 5.2.1 Switched off", True, None),
        ("552 5.2.2 Full", False, None),
        ("550 5.4.4 No route", False, None),
        ("550 5.1.8 Bad sender", False, None),
        ("550 5.7.1 Spam", False, 2),
        ("450 4.7.1 Greylisted", False, None),
    ],
)
def test_the_enhanced_code_decides(
    sink: SmtpSink, reply: str, *, permanent: bool, most_tries: int | None
) -> None:
    sink.script(Answer(reply, at="RCPT"))
    error = refusal_of(message())
    assert (error.permanent, error.most_tries) == (permanent, most_tries)
    assert not error.is_ours


def test_a_sign_in_that_fails_is_our_fault(sink: SmtpSink) -> None:
    use_settings(SMTP_URL=f"smtp://us:word@{sink.host}:{sink.port}?tls=off")
    error = refusal_of(message())
    # The sink knows no sign-in; a server that refuses it says 535.
    assert not error.permanent
    refused = smtplib.SMTPAuthenticationError(535, b"5.7.8 no")
    told = email._error_of(refused)  # noqa: SLF001 - no fake server signs in
    assert (told.code, told.is_ours, told.permanent) == ("smtp_535", True, False)
    later = smtplib.SMTPSenderRefused(451, b"later", "a@b.example")
    assert not email._error_of(later).is_ours  # noqa: SLF001 - the same


EVIL = [
    "\r\nBcc: eve@evil.example",
    "\nBcc: eve@evil.example",
    "\r\n\r\n<script>",
    "\rBcc: eve@evil.example",
    "\u2028Bcc: eve@evil.example",
    "\x00",
    "\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n",
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize(
    "field", ["key", "subject", "text", "html", "stop_url", "short"]
)
def test_no_field_can_add_a_header(sink: SmtpSink, field: str, evil: str) -> None:
    send(message(**{field: f"Rosa{evil}"}))
    (mail,) = sink.mails
    assert mail.recipients == ("rosa@family.example",)
    assert mail.message["Bcc"] is None
    assert mail.message["To"] == "rosa@family.example"
    assert mail.message.is_multipart()


@pytest.mark.parametrize("evil", EVIL)
def test_the_name_of_a_file_cannot_either(sink: SmtpSink, evil: str) -> None:
    file = Attachment(f"record{evil}.pdf", "application/pdf", b"%PDF")
    send(message(attachments=(file,)))
    assert sink.mails[0].message["Bcc"] is None
    (part,) = sink.mails[0].message.iter_attachments()
    assert "Bcc" not in part


@pytest.mark.parametrize("evil", EVIL)
def test_an_address_that_is_none_is_refused_for_good(sink: SmtpSink, evil: str) -> None:
    error = refusal_of(message(recipient=f"rosa@family.example{evil}"))
    assert error.permanent
    assert sink.mails == []


def test_a_mail_in_the_mailbox_has_the_same_headers() -> None:
    mail = message_from_bytes(to_mail(message(stop_url=STOP)), policy=policy.default)
    assert mail["List-Unsubscribe"] == f"<{STOP}>"
