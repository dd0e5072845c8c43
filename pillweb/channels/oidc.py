"""An OpenID provider: where people are sent to sign in, and whom it says they are.

Authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1;
RFC 9700). authlib makes the requests and judges the claims, joserfc the signature. The
provider's addresses and keys are asked for anew each time: a sign-in is rare, and a key
that was withdrawn is not believed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from pillweb.base.config import settings
from pillweb.base.links import link
from pillweb.base.log import log
from pillweb.base.unsafe_settings import is_safe_url

BACK = "/sign-in/oidc/back"
WELL_KNOWN = "/.well-known/openid-configuration"
SCOPES = ["openid", "email", "profile"]
# Public keys only: with a shared secret, or none, anybody could write a token.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "Ed25519", "EdDSA"]
CONNECT_S, READ_S = 3.0, 8.0
MOST_BYTES = 256 * 1024
# How far the provider's clock may be from ours, in seconds.
LEEWAY_S = 120
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Who(NamedTuple):
    """Whom a provider says somebody is; the e-mail address only where it checked it."""

    subject: str
    email: str
    name: str
    # When they last showed it who they are; None where it does not say (auth_time).
    asked_at: datetime | None


class Sent(NamedTuple):
    """What goes along to the provider, and has to come back or be shown again."""

    state: str
    nonce: str
    verifier: str


class UnfitError(Exception):
    """What the provider says is not what the standard, or our settings, ask for."""


def is_ready() -> bool:
    """Say whether a provider is set up."""
    return bool(settings().oidc_issuer)


def provider_name() -> str:
    """Return what people call the provider."""
    found = settings()
    return found.oidc_name or urlsplit(found.oidc_issuer).hostname or ""


class _Session(OAuth2Session):  # type: ignore[misc] # authlib has no types
    """Asks the provider: ends in time, stays where it was sent, reads so much at most.

    No proxy or password file of the machine is read.
    """

    def request(self, method: str, url: str, **more: Any) -> requests.Response:  # noqa: ANN401
        """Send one request.

        Raises:
            UnfitError: the address is not https, or the answer is too long or a way on.
        """
        if not is_safe_url(url):
            raise UnfitError("address")
        self.trust_env = False
        more |= {
            "allow_redirects": False,
            "timeout": (CONNECT_S, READ_S),
            "stream": True,
        }
        answer: requests.Response = super().request(method, url, **more)
        with answer:
            body = answer.raw.read(MOST_BYTES + 1, decode_content=True)
        if answer.is_redirect or len(body) > MOST_BYTES:
            raise UnfitError("answer")
        answer._content = body  # noqa: SLF001 - as if it had read it all itself
        return answer


def _session(known: Mapping[str, Any]) -> _Session:
    found = settings()
    ways = known.get("token_endpoint_auth_methods_supported") or []
    by_form = ways and "client_secret_basic" not in ways
    return _Session(
        client_id=found.oidc_client_id,
        client_secret=found.oidc_secret or None,
        token_endpoint_auth_method="client_secret_post"
        if by_form and found.oidc_secret
        else None,
        scope=SCOPES,
        redirect_uri=link(BACK),
        code_challenge_method="S256",
    )


def _said(url: str) -> dict[str, Any]:
    answer = _session({}).request("GET", url, withhold_token=True)
    answer.raise_for_status()
    said = answer.json()
    if not isinstance(said, dict):
        raise UnfitError("no_object")
    return said


def _discover() -> dict[str, Any]:
    """Return what the provider tells of itself (OpenID Connect Discovery 1.0, 4)."""
    issuer = settings().oidc_issuer
    known = _said(issuer.rstrip("/") + WELL_KNOWN)
    if known.get("issuer") != issuer:
        raise UnfitError("issuer")
    if not all(is_safe_url(str(known.get(name, ""))) for name in ENDPOINTS):
        raise UnfitError("endpoints")
    return known


def address_to_sign_in(sent: Sent) -> str | None:
    """Return where the provider asks who somebody is; None where it cannot be asked."""
    try:
        known = _discover()
        url, _state = _session(known).create_authorization_url(
            known["authorization_endpoint"],
            state=sent.state,
            code_verifier=sent.verifier,
            nonce=sent.nonce,
        )
    except (UnfitError, AuthlibBaseError, requests.RequestException, ValueError) as bad:
        log.warning("oidc_not_asked", error=type(bad).__name__)
        return None
    return str(url)


def who_came_back(code: str, *, sent: Sent, now: datetime) -> Who | None:
    """Return who somebody is, by the code that they came back with.

    None where the provider does not say so in a token that is all it has to be.
    """
    try:
        known = _discover()
        session = _session(known)
        token = session.fetch_token(
            known["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=sent.verifier,
        )
        claims = _claims(known, token, nonce=sent.nonce, now=now)
    except (
        UnfitError,
        AuthlibBaseError,
        JoseError,
        requests.RequestException,
        # Keys, tokens and JSON of the wrong shape.
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as bad:
        log.warning("oidc_not_believed", error=type(bad).__name__)
        return None
    is_checked = claims.get("email_verified") is True
    return Who(
        subject=claims["sub"],
        email=str(claims.get("email") or "") if is_checked else "",
        name=str(claims.get("name") or ""),
        asked_at=_instant(claims.get("auth_time")),
    )


def _instant(said: object) -> datetime | None:
    return datetime.fromtimestamp(said, UTC) if isinstance(said, int) else None


def _claims(
    known: Mapping[str, Any], token: Mapping[str, Any], *, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """Return what a good ID token says (OpenID Connect Core 1.0, 3.1.3.7)."""
    keys = KeySet.import_key_set(_said(known["jwks_uri"]))  # type: ignore[arg-type]
    decoded = jwt.decode(
        token["id_token"],
        keys,
        registry=JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False),
    )
    client_id = settings().oidc_client_id
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {
            "iss": {"essential": True, "value": known["issuer"]},
            "aud": {"essential": True, "value": client_id},
            "sub": {"essential": True},
        },
        {
            "nonce": nonce,
            "client_id": client_id,
            "access_token": token.get("access_token"),
        },
    )
    claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise UnfitError("subject")
    return dict(claims)
