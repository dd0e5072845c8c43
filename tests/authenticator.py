"""A device that makes passkeys and signs with them, as phones and keys do.

It does what the browser says, and for tests what no honest one would: every fact it
signs can be another.
"""

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, MAY_SYNC, SYNCED, HOLDS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40
ES256 = -7
COORDINATE_BYTES = 32


@dataclass
class Key:
    """A passkey as the device keeps it."""

    credential_id: bytes
    handle: bytes
    secret: EllipticCurvePrivateKey
    count: int = 0


@dataclass
class Authenticator:
    """A device; `origin` is the page it is shown, `step` how it counts."""

    origin: str = "http://localhost:8000"
    host: str = "localhost"
    verifies: bool = True
    present: bool = True
    step: int = 1
    alg: int = ES256
    framed: bool = False
    keys: list[Key] = field(default_factory=list)

    def create(self, options: str) -> str:
        """Make a key; return what a browser's script sends of it."""
        asked = json.loads(options)
        key = Key(
            os.urandom(16),
            base64url_to_bytes(asked["user"]["id"]),
            generate_private_key(SECP256R1()),
        )
        self.keys.append(key)
        attested = (
            bytes(16)
            + struct.pack(">H", len(key.credential_id))
            + key.credential_id
            + self._public(key)
        )
        data = self._data(key, HOLDS_KEY) + attested
        made = {"fmt": "none", "attStmt": {}, "authData": data}
        response = {
            "clientDataJSON": self._client_data("webauthn.create", asked),
            "attestationObject": encode_cbor(made),
        }
        return self._answer(key, response, transports=["internal", "hybrid"])

    def get(self, options: str, **changed: Any) -> str:  # noqa: ANN401 - any fact
        """Sign with the newest key; return what a browser's script sends of it."""
        key = self.keys[-1]
        key.count += self.step
        client_data = self._client_data("webauthn.get", json.loads(options))
        data = self._data(key)
        signed = key.secret.sign(data + sha256(client_data).digest(), ECDSA(SHA256()))
        facts = {
            "clientDataJSON": client_data,
            "authenticatorData": data,
            "signature": signed,
            "userHandle": key.handle,
        }
        return self._answer(key, facts | changed)

    def _public(self, key: Key) -> bytes:
        numbers = key.secret.public_key().public_numbers()
        x, y = (one.to_bytes(COORDINATE_BYTES, "big") for one in (numbers.x, numbers.y))
        return encode_cbor({1: 2, 3: self.alg, -1: 1, -2: x, -3: y})

    def _data(self, key: Key, more: int = 0) -> bytes:
        flags = more | MAY_SYNC | SYNCED
        flags |= (VERIFIED if self.verifies else 0) | (PRESENT if self.present else 0)
        host = sha256(self.host.encode()).digest()
        return host + struct.pack(">BI", flags, max(key.count, 0))

    def _client_data(self, kind: str, asked: Mapping[str, Any]) -> bytes:
        said = {
            "type": kind,
            "challenge": asked["challenge"],
            "origin": self.origin,
            "crossOrigin": self.framed,
        }
        return json.dumps(said).encode()

    def _answer(
        self, key: Key, facts: Mapping[str, bytes | None], **more: object
    ) -> str:
        response = {
            name: None if value is None else bytes_to_base64url(value)
            for name, value in facts.items()
        }
        name = bytes_to_base64url(key.credential_id)
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response | more,
                "authenticatorAttachment": "platform",
                "clientExtensionResults": {},
            }
        )
