"""Encryption at rest: keys that wrap keys, keys that seal values, and blind indexes.

Made of primitives of `cryptography` alone: AES-256-GCM with a random nonce of 96 bits
(NIST SP 800-38D: fewer than 2**32 values a key), SHA-256 for the short names of keys,
HMAC-SHA-256 for blind indexes. `base/sealed.py` has the columns.
"""

import hashlib
import hmac
import os
from functools import cache, lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from pillweb.base.config import settings

OLD = b"\x01"
SEALED = b"\x02"
WRAPPED = b"\x03"
KEY_BYTES = 32
ID_BYTES = 4
NONCE_BYTES = 12
TAG_BYTES = 16
ID_AT = 1
NONCE_AT = ID_AT + ID_BYTES
TEXT_AT = NONCE_AT + NONCE_BYTES
WRAPPED_BYTES = TEXT_AT + KEY_BYTES + TAG_BYTES
KEYS_KEPT = 4096


class UnreadableError(Exception):
    """What is kept cannot be read: its key is gone, or it was changed or moved."""


class Key(NamedTuple):
    """A key, and the short name by which what it sealed says so."""

    name: bytes
    cipher: AESGCM


def key_name(key: bytes) -> bytes:
    """Return four bytes by which a key is known without being told."""
    return hashlib.sha256(key).digest()[:ID_BYTES]


@cache
def _ciphers(keys: tuple[bytes, ...]) -> dict[bytes, AESGCM]:
    return {key_name(key): AESGCM(key) for key in keys}


def _ring() -> dict[bytes, AESGCM]:
    return _ciphers(settings().field_key_ring)


def first_name() -> bytes:
    """Return the name of the key of FIELD_KEYS that wraps new keys."""
    return next(iter(_ring()))


def _locked(version: bytes, key: Key, plain: bytes, place: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return version + key.name + nonce + key.cipher.encrypt(nonce, plain, place.encode())


def _unlocked(cipher: AESGCM, blob: bytes, place: str) -> bytes:
    try:
        return cipher.decrypt(blob[NONCE_AT:TEXT_AT], blob[TEXT_AT:], place.encode())
    except (ValueError, InvalidTag):
        raise UnreadableError from None


def _of_ring(version: bytes, blob: bytes, place: str) -> bytes:
    cipher = _ring().get(blob[ID_AT:NONCE_AT])
    if blob[:ID_AT] != version or cipher is None:
        raise UnreadableError
    return _unlocked(cipher, blob, place)


def seal(plain: bytes, key: Key, *, place: str) -> bytes:
    """Encrypt bytes so that they can be read back with this key, at this place only.

    The result is version | key name | nonce | AES-256-GCM text and tag; `place`
    (table.column:row) is bound to it as associated data.
    """
    return _locked(SEALED, key, plain, place)


def unseal(blob: bytes, key: Key, *, place: str) -> bytes:
    """Return what was sealed at this place.

    Raises:
        UnreadableError: it was changed or moved, or another key sealed it.
    """
    if blob[:NONCE_AT] != SEALED + key.name:
        raise UnreadableError
    return _unlocked(key.cipher, blob, place)


def new_key() -> bytes:
    """Return a random key of 256 bits."""
    return AESGCM.generate_key(256)


def wrap_key(key: bytes, *, owner: int) -> bytes:
    """Encrypt the key of an owner by the first key of FIELD_KEYS."""
    by = Key(*next(iter(_ring().items())))
    return _locked(WRAPPED, by, key, f"data_key:{owner}")


def unwrap_key(wrapped: bytes, *, owner: int) -> bytes:
    """Return the key of an owner.

    Raises:
        UnreadableError: it was changed, is another's, or its key left FIELD_KEYS.
    """
    return _of_ring(WRAPPED, wrapped, f"data_key:{owner}")


@lru_cache(maxsize=KEYS_KEPT)
def key_of(wrapped: bytes, owner: int) -> Key:
    """Return the key of an owner, ready to use.

    Raises:
        UnreadableError: as `unwrap_key`.
    """
    key = unwrap_key(wrapped, owner=owner)
    return Key(key_name(key), AESGCM(key))


def encrypt(plain: bytes, *, place: str) -> bytes:
    """Encrypt as all was before each patient had a key: bound to a table's column."""
    return _locked(OLD, Key(*next(iter(_ring().items()))), plain, place)


def decrypt(blob: bytes, *, place: str) -> bytes:
    """Return what was encrypted before each patient had a key.

    Raises:
        UnreadableError: it was changed or moved, or its key left FIELD_KEYS.
    """
    return _of_ring(OLD, blob, place)


def blind_index(text: str, *, purpose: str) -> bytes:
    """Return a keyed hash by which equal text is found without being stored.

    Its key is INDEX_KEY, or the oldest of FIELD_KEYS: it must stay while those change.
    """
    key = settings().index_key_bytes
    return hmac.digest(key, f"{purpose}:{text}".encode(), "sha256")


class EncryptedText(TypeDecorator[str]):
    """Text as steps of the schema wrote it before `base.sealed`; for those alone."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        del dialect
        return None if value is None else encrypt(value.encode(), place=self.place)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Decrypt on the way out."""
        del dialect
        return None if value is None else decrypt(value, place=self.place).decode()
