"""Passkeys: what browsers are asked to sign, and whether they did.

WebAuthn (W3C, Level 3, section 7) by the library `webauthn`. Our name and address come
from PUBLIC_URL alone, never from what a request says: a passkey is bound to them.
"""

import secrets
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from pillweb.base.config import settings

OUR_NAME = "PillWeb"
CHALLENGE_BYTES = HANDLE_BYTES = 32
LONGEST_ANSWER = 20_000
LONGEST_ID = 1023
WAIT_MS = 5 * 60 * 1000
_PORTS = {"http": 80, "https": 443}
_TRANSPORTS = {one.value: one for one in AuthenticatorTransport}
# What the library and the parsers below it raise at an answer that is made up.
_MADE_UP = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    RecursionError,
)


class Known(NamedTuple):
    """A passkey as a browser is told of it: which one, and how it may be reached."""

    credential_id: bytes
    transports: Sequence[str]


class NewKey(NamedTuple):
    """What a device made."""

    known: Known
    public_key: bytes
    sign_count: int
    may_sync: bool
    is_synced: bool


class Signed(NamedTuple):
    """What a device said when it signed; `is_verified`: that it knew its person."""

    sign_count: int
    is_synced: bool
    is_verified: bool


def _place() -> tuple[str, str]:
    """Return our origin, and the host that passkeys are bound to."""
    parts = urlsplit(settings().public_url)
    host = parts.hostname or ""
    port = "" if parts.port in {None, _PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}", host


def passkeys_work() -> bool:
    """Say whether browsers make passkeys for our address: not for a bare IP address."""
    _, host = _place()
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def new_challenge() -> bytes:
    """Return what a device is to sign."""
    return secrets.token_bytes(CHALLENGE_BYTES)


def new_handle() -> bytes:
    """Return by what devices are to know an account; it says nothing about it."""
    return secrets.token_bytes(HANDLE_BYTES)


def _need(*, verified: bool) -> UserVerificationRequirement:
    wanted = UserVerificationRequirement
    return wanted.REQUIRED if verified else wanted.PREFERRED


def _described(known: Sequence[Known]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.credential_id,
            transports=[_TRANSPORTS[t] for t in one.transports if t in _TRANSPORTS],
        )
        for one in known
    ]


def ask_for_new_key(
    challenge: bytes,
    *,
    handle: bytes,
    email: str,
    name: str,
    known: Sequence[Known],
    verified: bool,
) -> str:
    """Return as JSON what a browser needs to have a device make a key.

    The key is to be found by the device alone, so that nobody need type who they are; a
    device that has one of the `known` makes no second one. With `verified` the device
    must know its person by a finger, a face or a PIN.
    """
    _, host = _place()
    return options_to_json(
        generate_registration_options(
            rp_id=host,
            rp_name=OUR_NAME,
            user_id=handle,
            user_name=email,
            user_display_name=name,
            challenge=challenge,
            timeout=WAIT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=_need(verified=verified),
            ),
            exclude_credentials=_described(known),
        )
    )


def ask_for_key(
    challenge: bytes, *, known: Sequence[Known] = (), verified: bool
) -> str:
    """Return as JSON what a browser needs to have a device sign: with any key of ours.

    With `known` it is one of these.
    """
    _, host = _place()
    return options_to_json(
        generate_authentication_options(
            rp_id=host,
            challenge=challenge,
            timeout=WAIT_MS,
            allow_credentials=_described(known),
            user_verification=_need(verified=verified),
        )
    )


def _is_framed(client_data: bytes) -> bool:
    """Say whether a page of another site showed ours in a frame (7.1, step 10)."""
    return bool(parse_client_data_json(client_data).cross_origin)


def read_new_key(answer: str, challenge: bytes, *, verified: bool) -> NewKey | None:
    """Return the key a device made at our challenge, for our address; else None."""
    origin, host = _place()
    try:
        credential = parse_registration_credential_json(answer[:LONGEST_ANSWER])
        if _is_framed(credential.response.client_data_json):
            return None
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=origin,
            require_user_verification=verified,
        )
    except _MADE_UP:
        return None
    if len(made.credential_id) > LONGEST_ID:
        return None
    transports = sorted({one.value for one in credential.response.transports or ()})
    return NewKey(
        Known(made.credential_id, transports),
        made.credential_public_key,
        made.sign_count,
        made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
        made.credential_backed_up,
    )


def read_claim(answer: str) -> AuthenticationCredential | None:
    """Return which key somebody says has signed; nothing of it is checked yet."""
    try:
        return parse_authentication_credential_json(answer[:LONGEST_ANSWER])
    except _MADE_UP:
        return None


def check_claim(
    claim: AuthenticationCredential, challenge: bytes, *, public_key: bytes
) -> Signed | None:
    """Return what the device said if its key signed our challenge here; else None.

    Whether it has to know its person, and whether its count went up, is for the caller:
    the library looks at the count before the signature, so a stranger could raise an
    alarm.
    """
    origin, host = _place()
    try:
        if _is_framed(claim.response.client_data_json):
            return None
        found = verify_authentication_response(
            credential=claim,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=False,
        )
    except _MADE_UP:
        return None
    return Signed(found.new_sign_count, found.credential_backed_up, found.user_verified)
