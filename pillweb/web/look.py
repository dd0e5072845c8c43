"""The look and language of this browser: a cookie, for it outlives signing out."""

import re
from dataclasses import replace
from urllib.parse import quote

from flask import Flask, Response, after_this_request, request

from pillweb.base.config import settings
from pillweb.base.i18n import LANGUAGES, Speech, speak, speech
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


def spoken_look() -> Look:
    """Return how this browser wants its pages, with the language it is spoken to in."""
    return look_here().spoken(speech().language)


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


def _speak_here() -> None:
    """Speak as was chosen here, else the first language of the browser we know."""
    how = look_here().speech
    if not look_here().language:
        how = replace(how, language=_asked_language())
    speak(how)


def _asked_language() -> str:
    """Return the first language that the browser asks for and we know, else English."""
    for tag, wanted in request.accept_languages:
        language = re.split("[-_]", tag)[0].lower()
        if wanted and language in LANGUAGES:
            return language
    return "en"


def _look_url() -> str:
    """Return where to change the look, and to come back from; no secret goes along."""
    secret = "token" in (request.view_args or {})
    if request.method not in SAFE or secret or request.path in {"/", "/look"}:
        return "/look"
    return "/look?from=" + quote(request.full_path.rstrip("?"), safe="/")


def install_look(app: Flask) -> None:
    """Let every page know its `look` and where to change it, and speak its language."""
    app.before_request(_speak_here)
    app.teardown_request(lambda _: speak(Speech()))
    app.jinja_env.globals["spoken_languages"] = LANGUAGES
    app.context_processor(
        lambda: {
            "look": look_here(),
            "look_url": _look_url(),
            "lang": speech().language,
            "dir": speech().direction,
        }
    )
