"""Columns that are encrypted at rest, and hashes that find without revealing."""

import hashlib
import hmac
import os
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from pillweb.base.config import settings

VERSION = b"\x01"
ID_BYTES = 4
NONCE_BYTES = 12
KEY_AT = len(VERSION)
NONCE_AT = KEY_AT + ID_BYTES
TEXT_AT = NONCE_AT + NONCE_BYTES
TEXTS_KEPT = 8192


@cache
def _ciphers() -> dict[bytes, AESGCM]:
    return {
        hashlib.sha256(key).digest()[:ID_BYTES]: AESGCM(key)
        for key in settings().field_key_ring
    }


def encrypt(plain: bytes, *, place: str) -> bytes:
    """Encrypt bytes so that they can be read back at this place only.

    The result is version | key id | nonce | AES-256-GCM text and tag; `place`
    (table.column) is bound to it as associated data.
    """
    key_id, cipher = next(iter(_ciphers().items()))
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + key_id + nonce + cipher.encrypt(nonce, plain, place.encode())


def decrypt(blob: bytes, *, place: str) -> bytes:
    """Return what was encrypted at this place.

    Raises:
        KeyError: the key it was made with is no longer in FIELD_KEYS.
        cryptography.exceptions.InvalidTag: it was changed or moved.
    """
    cipher = _ciphers()[blob[KEY_AT:NONCE_AT]]
    return cipher.decrypt(blob[NONCE_AT:TEXT_AT], blob[TEXT_AT:], place.encode())


@lru_cache(maxsize=TEXTS_KEPT)
def _text_of(blob: bytes, place: str) -> str:
    # What a blob says never changes: a new text, even the same one, is a new blob.
    return decrypt(blob, place=place).decode()


class UnreadableError(Exception):
    """What is kept cannot be read: its key is gone, or it was changed."""


def read_text(kept: Any, *, place: str) -> str | None:  # noqa: ANN401 - of whatever is there
    """Return the text that a column at this place kept.

    Raises:
        UnreadableError: it cannot be read.
    """
    try:
        return None if kept is None else _text_of(kept, place)
    except (KeyError, ValueError, InvalidTag):
        raise UnreadableError from None


def blind_index(text: str, *, purpose: str) -> bytes:
    """Return a keyed hash by which equal text is found without being stored."""
    key = settings().field_key_ring[-1]
    return hmac.digest(key, f"{purpose}:{text}".encode(), "sha256")


class EncryptedBytes(TypeDecorator[bytes]):
    """A column of bytes, encrypted at rest and bound to its place."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        del dialect
        return None if value is None else encrypt(value, place=self.place)

    def process_result_value(
        self, value: bytes | None, dialect: Dialect
    ) -> bytes | None:
        """Decrypt on the way out."""
        del dialect
        return None if value is None else decrypt(value, place=self.place)


class EncryptedText(TypeDecorator[str]):
    """A column of text, encrypted at rest and bound to its place."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        del dialect
        return None if value is None else encrypt(value.encode(), place=self.place)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[bytes | None], str | None]:
        """Decrypt on the way out; a page reads a hundred, most of them again."""
        del dialect, coltype
        place = self.place

        def read(value: bytes | None) -> str | None:
            return None if value is None else _text_of(value, place)

        return read
