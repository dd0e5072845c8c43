"""Mails as bytes: what a mail program reads is what was written."""

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from pillweb.channels import Attachment
from pillweb.channels.mime import ALTERNATIVE, MIXED, mail_bytes, token_line, words_line

WORDS = [
    "It is time.",
    "",
    "Hola, Íñigo: toma 1,5 ml = ½ cucharada.",
    "حان وقت دواء الساعة ٨ صباحًا. " * 20,
    "दवा लेने का समय हो गया है। " * 20,
    "👵🏽 🕗 " + "long " * 300,
    "x" * 2000,
    "From here on.\n.\n..\nlast  \n\ttab\t",
    f"--{ALTERNATIVE}\n--{MIXED}--\n--{ALTERNATIVE}--",
    "a\rb\r\nc\n\n\nd",
]


def read(content: bytes) -> EmailMessage:
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def body(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    assert not part.defects
    return str(part.get_content())


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("files", [0, 2])
def test_words_of_every_kind_are_read_as_they_were_written(
    words: str, files: int
) -> None:
    bodies = {"plain": words, "html": f"<p>{words}</p>"}
    content = bytes(range(256)) * 9
    made = [
        Attachment(f"Año {n}.pdf", "application/pdf", content) for n in range(files)
    ]
    mail = read(mail_bytes([words_line("Subject", "Ñandú")], bodies, made))
    assert mail["Subject"] == "Ñandú"
    assert body(mail, "plain").splitlines() == words.splitlines()
    assert body(mail, "html").splitlines() == f"<p>{words}</p>".splitlines()
    found = list(mail.iter_attachments())
    assert [one.get_filename() for one in found] == [one.name for one in made]
    assert all(one.get_content() == content for one in found)


@pytest.mark.parametrize("words", WORDS)
def test_every_line_is_one_that_any_server_takes(words: str) -> None:
    mail = mail_bytes([words_line("Subject", "Ñandú " * 40)], {"plain": words})
    assert mail.isascii()
    assert all(len(line) <= 78 for line in mail.split(b"\r\n"))
    assert b"\n" not in mail.replace(b"\r\n", b"")
    assert b"\r" not in mail.replace(b"\r\n", b"")


@pytest.mark.parametrize("line", [words_line, token_line])
@pytest.mark.parametrize("evil", ["\r\nBcc: eve@evil.example", "\n", "\r"])
def test_a_header_cannot_hold_another(
    line: Callable[[str, str], bytes], evil: str
) -> None:
    with pytest.raises(ValueError, match="line break"):
        line("To", f"rosa@family.example{evil}")
