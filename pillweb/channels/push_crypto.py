"""Web push as the browser reads it (RFC 8291), signed as its service wants (RFC 8292).

docs/decisions/0019 says why it is written here.
"""

import base64
import binascii
import json
import os
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_BYTES = 4096
SALT_BYTES, SECRET_BYTES, KEY_BYTES, NONCE_BYTES, NUMBER_BYTES = 16, 32, 16, 12, 32
LAST_RECORD = b"\x02"
_CURVE = ec.SECP256R1()


def to_base64(data: bytes) -> str:
    """Return URL-safe base64 without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """Return what URL-safe base64 holds, padded or not; raise ValueError."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError from None


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public point of a key, uncompressed: 65 bytes."""
    point = key.public_key()
    return point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def point_of(public: bytes) -> ec.EllipticCurvePublicKey:
    """Return the point on P-256 that 65 bytes name; raise ValueError."""
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public)


@cache
def signing_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Return the key that VAPID_KEY holds."""
    return ec.derive_private_key(int.from_bytes(from_base64(text)), _CURVE)


def _derived(key: bytes, *, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt=salt, info=info).derive(key)


def encrypt(
    plain: bytes,
    *,
    public: bytes,
    secret: bytes,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body of a push that one browser alone can read: one record.

    Args:
        plain: at most 3993 bytes (RFC 8291, 4).
        public: the browser's `p256dh`, 65 bytes.
        secret: its `auth`, 16 bytes.
        own: the key of this message alone, made anew unless given.
        salt: the same.
    """
    own = own or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(SALT_BYTES)
    sender = public_bytes(own)
    shared = own.exchange(ec.ECDH(), point_of(public))
    info = b"WebPush: info\0" + public + sender
    material = _derived(shared, salt=secret, info=info, size=SECRET_BYTES)
    key = _derived(
        material, salt=salt, info=b"Content-Encoding: aes128gcm\0", size=KEY_BYTES
    )
    nonce = _derived(
        material, salt=salt, info=b"Content-Encoding: nonce\0", size=NONCE_BYTES
    )
    head = salt + RECORD_BYTES.to_bytes(4) + bytes([len(sender)]) + sender
    return head + AESGCM(key).encrypt(nonce, plain + LAST_RECORD, None)


def signed_header(
    audience: str, *, key: ec.EllipticCurvePrivateKey, subject: str, expires: int
) -> str:
    """Return the Authorization header that says who sends a push.

    Args:
        audience: scheme and host of the push service.
        key: of this installation; browsers know its public half.
        subject: how the service reaches who runs it: https: or mailto:.
        expires: seconds since the epoch, within a day.
    """
    claims = {"aud": audience, "exp": expires, "sub": subject}
    parts = [
        to_base64(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"typ": "JWT", "alg": "ES256"}, claims)
    ]
    signed = ".".join(parts)
    made = key.sign(signed.encode(), ec.ECDSA(SHA256()))
    numbers = (number.to_bytes(NUMBER_BYTES) for number in decode_dss_signature(made))
    token = f"{signed}.{to_base64(b''.join(numbers))}"
    return f"vapid t={token}, k={to_base64(public_bytes(key))}"
