"""What guards every request: headers, CSRF, origin and limits."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.middleware.proxy_fix import ProxyFix

from pillweb.base.known_settings import Settings
from pillweb.web.transaction import SAFE

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'"
)
# Of a file that somebody sent: it can do nothing, wherever it is opened (ASVS 3.2.1).
SANDBOXED = f"{POLICY}; sandbox"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=()",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
}
# All that a style, script or font of a page heeds; the rest is for what is opened.
FOR_PARTS = {"X-Content-Type-Options", "Cross-Origin-Resource-Policy"}
PARTS = ("text/css", "text/javascript", "font/")
# What pages of any site may post to: no cookie is heeded, the secret in the address is
# all. The web app of ntfy presses the buttons of its notifications so.
FROM_ANYWHERE = frozenset({"direct_answers"})
HSTS = "max-age=31536000; includeSubDomains"
NONE_LARGER: Mapping[str, int] = MappingProxyType({})

csrf = CSRFProtect()


def client_key() -> str:
    """Return whom a limit counts: an IPv4 address or an IPv6 /64 network."""
    text = request.remote_addr or "unknown"
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return text


def fresh_token() -> str:
    """Return a CSRF token of this browser's session, for our own script to send."""
    return str(generate_csrf())


def is_miss(response: Response) -> bool:
    """Say whether a request for a secret address found nothing: only guesses count."""
    return response.status_code == 404  # noqa: PLR2004 - HTTP's own number


class _Limiter(Limiter):
    """Counts at the views that name a limit; there is none for all the others."""

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        # Before every request it would look for defaults, of which there are none.
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


limiter = _Limiter(
    client_key,
    strategy="sliding-window-counter",
    in_memory_fallback_enabled=True,
    key_prefix="pillweb",
)


class _Headers:
    """Puts the security headers on every answer, files and errors included."""

    def __init__(self, app: WsgiApp, extra: dict[str, str]) -> None:
        self.app = app
        self.headers = list({**HEADERS, **extra}.items())
        self.for_parts = [pair for pair in HEADERS.items() if pair[0] in FOR_PARTS]
        self.for_parts += extra.items()

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401
            names = {name.lower(): value for name, value in headers}
            is_part = environ["PATH_INFO"].startswith("/static/") and names.get(
                "content-type", ""
            ).startswith(PARTS)
            wanted = self.for_parts if is_part else self.headers
            added = [pair for pair in wanted if pair[0].lower() not in names]
            if "cache-control" not in names:
                added.append(("Cache-Control", "no-store"))
            return start_response(status, headers + added, *rest)

        return self.app(environ, start)


def _refuse_foreign_posts() -> None:
    """Refuse an unsafe request that another site's page sent (OWASP, Fetch Metadata).

    A browser says so in Sec-Fetch-Site; an older one names its Origin.
    """
    if request.method in SAFE or request.blueprint in FROM_ANYWHERE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site in {"cross-site", "same-site"}:
        abort(403)
    origin = request.headers.get("Origin")
    foreign = bool(origin) and urlsplit(origin or "").netloc != request.host
    if site is None and foreign and origin != "null":
        abort(403)


def _take_larger_files(larger: Mapping[str, int]) -> None:
    """Let these endpoints alone be sent more at once than any other."""
    most = larger.get(request.endpoint or "")
    if most and request.method == "POST":
        request.max_content_length = most


def install_security(
    app: Flask, settings: Settings, *, larger: Mapping[str, int] = NONE_LARGER
) -> None:
    """Set every guard; cookies are `__Host-` ones where the address is https.

    `larger` names endpoints that may be sent more bytes at once than all others.
    """
    secure = settings.public_url.startswith("https://")
    host = urlsplit(settings.public_url).hostname or ""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=[
            key for key in settings.secret_key_fallbacks.split(",") if key
        ],
        TRUSTED_HOSTS=[host, "localhost", "127.0.0.1"]
        if settings.on_this_machine
        else [host],
        SESSION_COOKIE_NAME="__Host-pillweb" if secure else "pillweb",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=timedelta(days=400),
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=12_000_000,
        MAX_FORM_MEMORY_SIZE=500_000,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        RATELIMIT_STORAGE_URI=_limits_uri(settings.redis_url),
        RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 0.2, "socket_connect_timeout": 0.2}
        if settings.redis_url
        else {},
        RATELIMIT_HEADERS_ENABLED=True,
    )
    app.before_request(_refuse_foreign_posts)
    # Before the token is looked for, which reads the form.
    app.before_request(partial(_take_larger_files, larger))
    csrf.init_app(app)
    limiter.init_app(app)
    extra = {"Strict-Transport-Security": HSTS} if secure else {}
    wrapped: WsgiApp = _Headers(app.wsgi_app, extra)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        wrapped = ProxyFix(wrapped, x_for=hops, x_proto=hops, x_host=0, x_prefix=0)
    app.wsgi_app = wrapped  # type: ignore[assignment, method-assign]


def _limits_uri(redis_url: str) -> str:
    if not redis_url:
        return "memory://"
    if redis_url.startswith("unix://"):
        return "redis+" + redis_url
    return redis_url
