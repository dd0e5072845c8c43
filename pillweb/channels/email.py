"""E-mail: through SMTP, or into the mailbox of the embedded default."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from pillweb.base.config import settings
from pillweb.base.i18n import gettext_noop
from pillweb.base.mail_address import clean_email
from pillweb.channels import Message, Receipt, Send, SendError
from pillweb.channels.mailbox import keep_mail

NAME, LABEL, LOUDNESS = "email", gettext_noop("E-mail"), 0
TIMEOUT_S = 10
DAMAGED_ADDRESS = {501, 510, 511, 550, 551, 553, 556}


def is_ready() -> bool:
    """Say that mail can always leave: without a server into the mailbox page."""
    return True


def read_address(typed: str) -> str:
    """Return an e-mail address in its normal form; raise InvalidError."""
    return clean_email(typed)


def _reference(message: Message) -> str:
    """Return the Message-ID: the same for every repeat (RFC 5322, 3.6.4)."""
    domain = parseaddr(settings().mail_from)[1].rpartition("@")[2]
    return f"<{sha256(message.key.encode()).hexdigest()[:32]}@{domain}>"


def to_mail(message: Message) -> EmailMessage:
    """Return the message as an RFC 5322 mail: text first, HTML beside it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = settings().mail_from
    mail["To"] = message.recipient
    # A name may hold a line break; a header must not (RFC 5322, 2.2).
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = _reference(message)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    for file in message.attachments:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(
            file.content, maintype=main, subtype=sub, filename=file.name
        )
    return mail


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=TIMEOUT_S, context=context
        )
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_S)
    try:
        if parts.scheme != "smtps" and "tls=off" not in parts.query:
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def _refusal(error: smtplib.SMTPResponseException) -> SendError:
    return SendError(
        f"smtp_{error.smtp_code}", permanent=error.smtp_code in DAMAGED_ADDRESS
    )


class _Sender:
    """One connection, made at the first message and again after a broken one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.server: smtplib.SMTP | None = None

    def send(self, message: Message) -> Receipt:
        """Hand one message over, on the kept connection."""
        try:
            mail = to_mail(message)
        except ValueError:
            raise SendError("unmailable", permanent=True) from None
        try:
            if self.server is None:
                self.server = _connect(self.url)
            self.server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            self.close()
            raise SendError(f"smtp_{code}", permanent=code in DAMAGED_ADDRESS) from None
        except smtplib.SMTPResponseException as error:
            self.close()
            raise _refusal(error) from None
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise SendError(type(error).__name__) from None
        return Receipt(mail["Message-ID"])

    def close(self) -> None:
        """Leave the connection, politely where that is still possible."""
        server, self.server = self.server, None
        if server is not None:
            try:
                server.quit()
            except (OSError, smtplib.SMTPException):
                server.close()


@contextmanager
def open_channel() -> Iterator[Send]:
    """Yield the function that sends; one connection serves the whole block.

    A send ends within 10 s a network step and raises SendError, permanent when
    the server says the address does not exist (RFC 5321, 4.2.3).
    """
    if settings().shows_mailbox:
        yield lambda message: Receipt(keep_mail(to_mail(message)))
        return
    sender = _Sender(settings().smtp_url)
    try:
        yield sender.send
    finally:
        sender.close()
