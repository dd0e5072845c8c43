"""A real mail server."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.services.place import START_SECONDS


@dataclass(frozen=True)
class Mail:
    """A message the sink has taken over, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


@dataclass(frozen=True)
class Answer:
    """What the sink does with one message instead of taking it.

    Attributes:
        reply: the SMTP reply, for example "451 4.3.0 later"; "" takes the message.
        after: seconds to wait before it.
        at: the command that is answered so.
        hang_up: close the connection without the reply (the message is kept where
            the reply would have said so: the gap of RFC 1047).
    """

    reply: str = ""
    after: float = 0.0
    at: Literal["RCPT", "DATA"] = "DATA"
    hang_up: bool = False


class SmtpSink:
    """A real SMTP server on a loopback port that keeps what it receives."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self._mails: list[Mail] = []
        self._answers: deque[Answer] = deque()
        self._changed = threading.Condition()

    @property
    def mails(self) -> list[Mail]:
        """The messages received so far, oldest first."""
        with self._changed:
            return list(self._mails)

    def script(self, *answers: Answer) -> None:
        """Answer the next messages so, one each; later ones are taken at once."""
        with self._changed:
            self._answers.extend(answers)

    def fail_next(self, times: int, reply: str = "451 4.3.0 Try again later") -> None:
        """Answer the next messages with an error."""
        self.script(*[Answer(reply)] * times)

    def relent(self) -> None:
        """Forget what was scripted: every message is taken from now on."""
        with self._changed:
            self._answers.clear()

    def clear(self) -> None:
        """Forget all messages and all that was scripted."""
        with self._changed:
            self._mails.clear()
            self._answers.clear()

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Mail]:
        """Wait until so many messages have come, and give them.

        Args:
            count: the messages in all, since the start or `clear`.
            timeout: in seconds.

        Raises:
            TimeoutError: fewer came.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._mails) >= count, timeout):
                raise TimeoutError(f"{len(self._mails)} of {count} messages came.")
            return list(self._mails)

    def _next(self, at: str) -> Answer:
        with self._changed:
            if self._answers and self._answers[0].at == at:
                return self._answers.popleft()
        return Answer()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,  # noqa: ARG002 - the same
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient."""
        answer = self._next("RCPT")
        await asyncio.sleep(answer.after)
        if answer.hang_up:
            _cut(server)
        if answer.reply:
            return answer.reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,  # noqa: ARG002 - the same
        envelope: Envelope,
    ) -> str:
        """Take a message."""
        answer = self._next("DATA")
        await asyncio.sleep(answer.after)
        content = envelope.content
        if not answer.reply and isinstance(content, bytes):
            lines = content.replace(b"\r\n", b"\n")
            message = message_from_bytes(lines, policy=policy.default)
            recipients = tuple(envelope.rcpt_tos)
            with self._changed:
                self._mails.append(Mail(envelope.mail_from or "", recipients, message))
                self._changed.notify_all()
        if answer.hang_up:
            _cut(server)
        return answer.reply or "250 2.0.0 OK"

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        connections: set[SMTP] = set()

        def connection() -> SMTP:
            smtp = SMTP(self, hostname="sink.test", loop=loop, enable_SMTPUTF8=True)
            connections.add(smtp)
            return smtp

        server = await loop.create_server(connection, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        for smtp in connections:
            _cut(smtp)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _cut(connection: SMTP) -> None:
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """Start an SMTP server on a free loopback port (`host`, `port`)."""
    sink = SmtpSink()
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(sink._serve(started, stop)),  # noqa: SLF001
        name="smtp-sink",
        daemon=True,
    )
    thread.start()
    try:
        if not started.wait(START_SECONDS):
            raise RuntimeError("The SMTP sink did not start.")
        yield sink
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
