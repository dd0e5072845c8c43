"""A channel that does as it is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pillweb.channels import Message, Receipt, Send


@dataclass
class Fake:
    """A channel that does as it is told, and keeps what it was given."""

    NAME: str
    LOUDNESS: int = 0
    LABEL: str = "Fake"
    fails: BaseException | None = None
    before: Callable[[], object] = lambda: None
    ready: bool = True
    calls: int = 0
    sent: list[Message] = field(default_factory=list)

    def is_ready(self) -> bool:
        return self.ready

    def read_address(self, typed: str) -> str:
        return typed

    @contextmanager
    def open_channel(self) -> Iterator[Send]:
        yield self.send

    def send(self, message: Message) -> Receipt:
        self.calls += 1
        self.before()
        if self.fails:
            raise self.fails
        self.sent.append(message)
        return Receipt(f"<{message.key}>")
