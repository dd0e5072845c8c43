"""E-mail: through SMTP, or into the mailbox of the embedded default."""

import atexit
import os
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate, parseaddr
from functools import cache, lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote, urlsplit

from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.i18n import gettext_noop
from pillweb.base.mail_address import clean_email
from pillweb.channels import Message, Receipt, Send, SendError
from pillweb.channels.bounces import STATUS, Bounce, bounce_in, is_dead, sender_of
from pillweb.channels.mailbox import keep_mail
from pillweb.channels.mime import mail_bytes, token_line, words_line

NAME, LABEL, LOUDNESS = "email", gettext_noop("E-mail"), 0
TIMEOUT_S, IDLE_S, TRUSTED_S = 10, 30.0, 2.0
NOOP_OK, REFUSED_FOR_GOOD = 250, 500
# What stands in a web address as it is (RFC 3986, 2.2), and what is quoted already.
OF_ADDRESSES = "%:/?#[]@!$&'()*+,;="
DAMAGED_ADDRESS = {501, 510, 511, 550, 551, 553, 556}
# The server refused one message, and waits for the next.
STILL_GOOD = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPSenderRefused,
)


def is_ready() -> bool:
    """Say that mail can always leave: without a server into the mailbox page."""
    return True


def read_address(typed: str) -> str:
    """Return an e-mail address in its normal form; raise InvalidError."""
    return clean_email(typed)


def reference_of(message: Message) -> str:
    """Return the Message-ID: the same for every repeat (RFC 5322, 3.6.4)."""
    return reference_to(message.key)


def reference_to(key: str) -> str:
    """Return the Message-ID of the message with a key."""
    domain = _domain(settings().mail_from)
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain}>"


@lru_cache(maxsize=1)
def _domain(mailbox: str) -> str:
    return parseaddr(mailbox)[1].rpartition("@")[2]


def _in_one_line(text: str) -> str:
    # A name may hold a line break; a header must not (RFC 5322, 2.2).
    return " ".join(text.split())


def to_mail(message: Message) -> bytes:
    """Return the message as an RFC 5322 mail: text first, HTML beside it.

    Raises:
        ValueError: the address is none.
    """
    lines = [
        words_line("From", settings().mail_from),
        token_line("To", message.recipient),
        words_line("Subject", _in_one_line(message.subject)),
        token_line("Date", formatdate(localtime=False)),
        token_line("Message-ID", reference_of(message)),
        token_line("Auto-Submitted", "auto-generated"),
    ]
    if message.stop_url:
        lines += [
            token_line(
                "List-Unsubscribe", f"<{quote(message.stop_url, OF_ADDRESSES)}>"
            ),
            token_line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    bodies = {"plain": message.text, "html": message.html}
    return mail_bytes(lines, bodies, message.attachments)


@cache
def _trust() -> ssl.SSLContext:
    """Return whom we believe; to read all those certificates takes a tenth of a second.

    What the system trusts is looked up once a process.
    """
    return ssl.create_default_context()


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=TIMEOUT_S, context=_trust()
        )
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_S)
    try:
        if parts.scheme != "smtps" and "tls=off" not in parts.query:
            server.starttls(context=_trust())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def _refusal(code: int, words: bytes | str) -> SendError:
    """Return the error of an SMTP answer.

    The enhanced code (RFC 3463) says more than the first three digits. What policy
    refuses (5.7) is tried once more: the second answer is often another.
    """
    said = words.decode("ascii", "replace") if isinstance(words, bytes) else words
    detail = STATUS.match(said)
    return SendError(
        f"smtp_{code}",
        permanent=is_dead(said) if detail else code in DAMAGED_ADDRESS,
        most_tries=2 if said.strip().startswith("5.7.") else None,
    )


def _error_of(error: Exception) -> SendError:
    """Return what an exception of smtplib means."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _refusal(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPSenderRefused):
        # 530 and 535: who we are was not believed; 4xx may pass.
        is_ours = error.smtp_code >= REFUSED_FOR_GOOD
        return SendError(f"smtp_{error.smtp_code}", is_ours=is_ours)
    if isinstance(error, smtplib.SMTPResponseException):
        return _refusal(error.smtp_code, error.smtp_error)
    return SendError(type(error).__name__)


class _Kept:
    """The connections of this process that are not in use, with since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[str, float, smtplib.SMTP]] = []
        self._process = os.getpid()

    def take(self, url: str) -> smtplib.SMTP | None:
        """Return a connection to a server that still works, if there is one."""
        self.tidy()
        while True:
            with self._lock:
                fitting = [kept for kept in self._idle if kept[0] == url]
                if not fitting:
                    return None
                self._idle.remove(fitting[-1])
            server = fitting[-1][2]
            if _answers(server):
                return server

    def give(self, url: str, server: smtplib.SMTP) -> None:
        """Keep a connection for whoever is next."""
        with self._lock:
            self._idle.append((url, time.monotonic(), server))

    def tidy(self, longest_s: float | None = None) -> None:
        """Close those that waited long, and all that belong to the process we left.

        Without a word: of a fork, the parent still speaks on its connection.
        """
        limit = IDLE_S if longest_s is None else longest_s
        with self._lock:
            is_own, self._process = self._process == os.getpid(), os.getpid()
            old = [
                kept
                for kept in self._idle
                if not is_own or time.monotonic() - kept[1] >= limit
            ]
            self._idle = [kept for kept in self._idle if kept not in old]
        for _url, _since, server in old:
            server.close()


def _answers(server: smtplib.SMTP) -> bool:
    try:
        if server.noop()[0] == NOOP_OK:
            return True
    except (OSError, smtplib.SMTPException):
        pass
    server.close()
    return False


_kept = _Kept()
atexit.register(_kept.tidy, 0)


class _Sender:
    """One connection, made at the first message and again after a broken one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.server: smtplib.SMTP | None = None
        self.used = 0.0

    def send(self, message: Message) -> Receipt:
        """Hand one message over, on the kept connection."""
        try:
            mail = to_mail(message)
        except ValueError:
            raise SendError("unmailable", permanent=True) from None
        sender = sender_of(message.delivery_id, now=now())
        try:
            server = self._ready()
            # What an address of another script needs (RFC 6531).
            is_plain = message.recipient.isascii() and sender.isascii()
            options = () if is_plain else ("SMTPUTF8", "BODY=8BITMIME")
            server.sendmail(sender, [message.recipient], mail, mail_options=options)
        except (OSError, smtplib.SMTPException) as error:
            failure = _error_of(error)
            if not isinstance(error, STILL_GOOD):
                self.close()
            raise failure from None
        self.used = time.monotonic()
        return Receipt(reference_of(message))

    def _ready(self) -> smtplib.SMTP:
        """Return a connection that works, looking first where it stood idle."""
        server = self.server
        if server is not None and (
            server.sock is None
            or (time.monotonic() - self.used > TRUSTED_S and not _answers(server))
        ):
            server = None
        self.server = server or _kept.take(self.url) or _connect(self.url)
        return self.server

    def rest(self) -> None:
        """Keep the connection for the next block of this process."""
        server, self.server = self.server, None
        if server is not None and server.sock is not None:
            _kept.give(self.url, server)

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

    It is kept for the next block, if that begins within 30 s. A send ends within 10 s
    a network step and raises SendError, permanent when the server says the address
    does not exist (RFC 5321, 4.2.3; RFC 3463).
    """
    if settings().shows_mailbox:
        yield _keep
        return
    _kept.tidy()
    sender = _Sender(settings().smtp_url)
    try:
        yield sender.send
    finally:
        sender.rest()


def _keep(message: Message) -> Receipt:
    keep_mail(to_mail(message))
    return Receipt(reference_of(message))


def read_bounce(raw: bytes) -> Bounce | None:
    """Return what mail that came back says of one of our messages, if it is genuine."""
    return bounce_in(raw, now=now())
