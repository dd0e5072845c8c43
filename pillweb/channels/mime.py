"""A mail as bytes (RFC 5322, RFC 2045): text first, HTML beside it, files behind.

The standard library's EmailMessage reads and folds each header several times, which
costs more than all the rest of a delivery; here it does so only for what is special.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from email.message import MIMEPart
from email.policy import SMTP
from functools import lru_cache

from pillweb.channels import Attachment

END = b"\r\n"
LINES_KEPT = 256
# "=_" stands in no quoted-printable text and no base64 (RFC 2045, 6.7), so that no
# name or note can be taken for the end of a part.
MIXED, ALTERNATIVE = "=_mixed", "=_alternative"


@lru_cache(maxsize=LINES_KEPT)
def words_line(name: str, words: str) -> bytes:
    """Return a header of words in any script, folded; many mails have the same.

    Raises:
        ValueError: it has a line break.
    """
    if "\r" in words or "\n" in words:
        raise ValueError("a line break")
    return SMTP.fold_binary(name, SMTP.header_store_parse(name, words)[1])


def token_line(name: str, token: str) -> bytes:
    """Return a header that is one token or address, and stands as it is.

    Raises:
        ValueError: it has a line break, or another character without a shape.
    """
    if not token.isprintable():
        raise ValueError("a line break, or worse")
    return f"{name}: {token}\r\n".encode()


def mail_bytes(
    lines: Iterable[bytes],
    bodies: Mapping[str, str],
    files: Sequence[Attachment] = (),
) -> bytes:
    """Return a mail of these headers, and its bodies by subtype, the plainest first."""
    content = _multipart(
        "alternative", ALTERNATIVE, map(_body, bodies, bodies.values())
    )
    if files:
        content = _multipart("mixed", MIXED, [content, *map(_file, files)])
    return b"".join(lines) + b"MIME-Version: 1.0\r\n" + content


def _multipart(subtype: str, boundary: str, parts: Iterable[bytes]) -> bytes:
    mark = f"--{boundary}".encode()
    kind = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n'
    inside = b"".join(END + mark + END + part for part in parts)
    return kind.encode() + inside + END + mark + b"--" + END


def _body(subtype: str, words: str) -> bytes:
    raw = END.join([*words.encode().splitlines(), b""])
    ways = {
        "quoted-printable": binascii.b2a_qp(raw, istext=True),
        "base64": base64.encodebytes(raw).replace(b"\n", END),
    }
    way = min(ways, key=lambda name: len(ways[name]))
    kind = (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {way}\r\n\r\n"
    )
    return kind.encode() + ways[way]


def _file(file: Attachment) -> bytes:
    main, _, sub = file.media_type.partition("/")
    part = MIMEPart(policy=SMTP)
    name = " ".join(file.name.split())
    part.set_content(file.content, main, sub, disposition="attachment", filename=name)
    return part.as_bytes()
