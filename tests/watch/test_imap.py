"""The watched mailbox is read by IMAP, and emptied of what came back."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from pillweb.channels.loop import came_back
from tests.conftest import use_settings

MARKS = ("first-mark", "second-mark")


class Mailbox(socketserver.ThreadingTCPServer):
    """As much of an IMAP server as it takes to find and delete one mail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.subjects = {
            str(number): f"PillWeb {m}" for number, m in enumerate(MARKS, 1)
        }
        self.deleted: list[str] = []
        self.said: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        for line in self.rfile:
            tag, _, asked = line.decode().strip().partition(" ")
            self.server.said.append(asked)
            for answer in (*self.answers(asked), f"{tag} OK done"):
                self.wfile.write(f"{answer}\r\n".encode())
            if asked == "LOGOUT":
                return

    def answers(self, asked: str) -> list[str]:
        words = asked.split()
        if words[0] == "CAPABILITY":
            return ["* CAPABILITY IMAP4rev1"]
        if words[0] == "SELECT":
            return ["* 2 EXISTS"]
        if words[0] == "SEARCH":
            mark = words[-1].strip('"')
            found = [n for n, said in self.server.subjects.items() if mark in said]
            return [f"* SEARCH {' '.join(found)}"]
        if words[0] == "STORE":
            self.server.deleted.append(words[1])
        return []


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        use_settings(CANARY_IMAP_URL=f"imap://us:a%20word@127.0.0.1:{port}/Watch")
        use_settings(SMTP_URL="smtp://127.0.0.1:1?tls=off")
        yield server
        use_settings(CANARY_IMAP_URL="", SMTP_URL="")
        server.shutdown()


def test_a_mail_with_the_mark_came_back_and_is_deleted(mailbox: Mailbox) -> None:
    assert came_back("email", MARKS[1], sent_s_ago=300)
    assert mailbox.deleted == ["2"]
    assert 'LOGIN us "a word"' in mailbox.said
    assert "SELECT Watch" in mailbox.said
    assert "EXPUNGE" in mailbox.said
    assert not came_back("email", "another-mark", sent_s_ago=300)
    assert mailbox.deleted == ["2"]


def test_a_mailbox_that_nobody_serves_is_no_return() -> None:
    use_settings(
        CANARY_IMAP_URL="imap://us@127.0.0.1:1/INBOX",
        SMTP_URL="smtp://127.0.0.1:1?tls=off",
    )
    assert not came_back("email", MARKS[0], sent_s_ago=300)
    use_settings(CANARY_IMAP_URL="", SMTP_URL="")
