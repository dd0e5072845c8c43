"""An OpenID provider for the tests: a real HTTP server on loopback, with RSA keys.

It gives codes to whom the test says, checks PKCE and the client as a real one does, and
lies on request.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, SECRET = "pillweb-test", "a secret of two: colon"
Claims = dict[str, Any]
NOTHING: Mapping[str, object] = MappingProxyType({})


def _no_change(claims: Claims) -> None:
    del claims


class Issuer:
    """What it knows, and how it lies."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.url = ""
        self.now: Callable[[], datetime]
        self.given = 0
        self.codes: dict[str, tuple[Claims, str]] = {}
        # What a test changes.
        self.alter: Callable[[Claims], None] = _no_change
        self.algorithm = "RS256"
        self.signing: Any = self.key
        self.named = ""
        self.token_url = ""
        self.redirects_to = ""
        self.body = b""

    def sign_in(
        self, url: str, claims: Mapping[str, object] = NOTHING, *, sub: str = "g-1"
    ) -> str:
        """Let somebody sign in whom an address sent here; return where they go back."""
        asked = {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"].split()[0] == "openid"
        self.given += 1
        code = f"code-{self.given}"
        said = {"sub": sub, "nonce": asked["nonce"], **claims}
        self.codes[code] = said, asked["code_challenge"]
        back = urlsplit(asked["redirect_uri"]).path
        return f"{back}?code={code}&state={asked['state']}&iss={quote(self.url)}"

    def known(self) -> Claims:
        """Return what it tells of itself."""
        return {
            "issuer": self.named or self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": self.token_url or f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
        }

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Return the answer to a request for a token."""
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        found = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "").encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest())
        is_right = found and digest.rstrip(b"=").decode() == found[1]
        if pair != f"{CLIENT_ID}:{SECRET}" or not found or not is_right:
            return 400, {"error": "invalid_grant"}
        at = int(self.now().timestamp())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": at, "exp": at + 300}
        claims |= found[0]
        self.alter(claims)
        return 200, {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": self._signed(claims),
        }

    def _signed(self, claims: Claims) -> str:
        header = {"alg": self.algorithm, "kid": "one"}
        if self.algorithm in {"none", "HS256"}:
            parts = [json.dumps(part).encode() for part in (header, claims)]
            body = b".".join(_coded(part) for part in parts)
            mark = b""
            if self.algorithm == "HS256":
                # With what everybody knows, as if it were a secret of two.
                known = self.key.as_pem(private=False)
                mark = _coded(hmac.digest(known, body, "sha256"))
            return (body + b"." + mark).decode()
        return jwt.encode(header, claims, self.signing, algorithms=[self.algorithm])

    def sign_with_another_key(self) -> None:
        """Sign with a key that it does not tell of."""
        self.signing = RSAKey.generate_key(2048, {"kid": "one"})


def _coded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _say(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if issuer.redirects_to:
                self._say(302, b"", Location=issuer.redirects_to)
                return
            said: Claims = {"keys": [issuer.key.as_dict(private=False)]}
            if "openid-configuration" in self.path:
                said = issuer.known()
            self._say(200, issuer.body or json.dumps(said).encode())

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            fields = parse_qs(self.rfile.read(length).decode())
            form = {name: one[0] for name, one in fields.items()}
            status, said = issuer.token(form, self.headers.get("Authorization", ""))
            self._say(status, json.dumps(said).encode())

    return Handler


@contextmanager
def issuer_server(now: Callable[[], datetime]) -> Iterator[Issuer]:
    """Serve on a free port until the block ends."""
    issuer = Issuer()
    issuer.now = now
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(issuer))
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
