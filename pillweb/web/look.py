"""The look this browser keeps: a cookie of its own, for it outlives signing out."""

from urllib.parse import quote

from flask import Flask, Response, after_this_request, request

from pillweb.base.config import settings
from pillweb.base.look import Look, read_look
from pillweb.web.transaction import SAFE

A_YEAR_S = 31_536_000


def _is_secure() -> bool:
    return settings().public_url.startswith("https://")


def _cookie() -> str:
    return "__Host-look" if _is_secure() else "look"


def look_here() -> Look:
    """Return how this browser wants its pages."""
    return read_look(request.cookies.get(_cookie(), ""))


def has_look() -> bool:
    """Say whether somebody chose a look in this browser."""
    return _cookie() in request.cookies


def keep_look_here(look: Look) -> None:
    """Remember a look in this browser for a year."""

    @after_this_request
    def _remember(response: Response) -> Response:
        response.set_cookie(
            _cookie(),
            look.written,
            max_age=A_YEAR_S,
            secure=_is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response


def _look_url() -> str:
    """Return where to change the look, and to come back from; no secret goes along."""
    secret = "token" in (request.view_args or {})
    if request.method not in SAFE or secret or request.path in {"/", "/look"}:
        return "/look"
    return "/look?from=" + quote(request.full_path.rstrip("?"), safe="/")


def install_look(app: Flask) -> None:
    """Let every page know its `look`, and where to change it."""
    app.context_processor(lambda: {"look": look_here(), "look_url": _look_url()})
