"""The catcher of pages: every error becomes a plain page in the same words."""

import secrets
from urllib.parse import quote

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from pillweb.base.errors import LinkGoneError, NotFoundError, SignInRequiredError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.log import log
from pillweb.web.transaction import SAFE
from pillweb.web.viewer import ask_nobody

WORDS = {
    400: (
        gettext_noop("That did not work"),
        gettext_noop("Please go back and try again."),
    ),
    403: (
        gettext_noop("This is not allowed from here"),
        gettext_noop("Please open the page again and retry."),
    ),
    404: (
        gettext_noop("We cannot find this page"),
        gettext_noop("It may have been moved, or never was here."),
    ),
    405: (
        gettext_noop("That did not work"),
        gettext_noop("Please go back and try again."),
    ),
    413: (
        gettext_noop("That was too much at once"),
        gettext_noop(
            "A file can have 10 MB, a pasted text 500,000 letters. Please send less."
        ),
    ),
    429: (
        gettext_noop("Too many tries"),
        gettext_noop("Please wait a few minutes and try again."),
    ),
    503: (
        gettext_noop("PillWeb is busy"),
        gettext_noop("Nothing was lost. Please try again in a moment."),
    ),
}
OURS = (
    gettext_noop("Something went wrong on our side"),
    gettext_noop("What you did may not have been saved. Please try again."),
)
RETRY_S = "5"


def _page(code: int, words: tuple[str, str], *, incident: str = "") -> tuple[str, int]:
    title, text = words
    whole = not request.headers.get("HX-Request")
    template = "errors/error.html" if whole else "errors/_error.html"
    words_here = {"title": _(title), "text": _(text), "incident": incident}
    return render_template(template, **words_here), code


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:  # noqa: PLR2004 - a redirect is no error
        return error
    answer = _page(code, WORDS.get(code, OURS))
    kept = ("Retry-After", "Allow", "X-RateLimit-Reset")
    headers = {k: v for k, v in error.get_headers() if k in kept}
    return *answer, headers


def _too_old(_error: CSRFError) -> ResponseReturnValue:
    return _page(
        400,
        (
            gettext_noop("Please press the button once more"),
            gettext_noop(
                "This page was opened a long time ago. Open it again and retry."
            ),
        ),
    )


def _not_found(_error: NotFoundError) -> ResponseReturnValue:
    return _page(404, WORDS[404])


def _link_gone(_error: LinkGoneError) -> ResponseReturnValue:
    ours = request.blueprint == "accounts"
    return render_template("accounts/gone.html" if ours else "sharing/gone.html"), 404


def _sign_in_first(_error: SignInRequiredError) -> ResponseReturnValue:
    back = request.full_path.rstrip("?") if request.method in SAFE else ""
    where = "/sign-in" + (f"?next={quote(back)}" if back else "")
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": "/sign-in"}
    return redirect(where, 303)


def _busy(error: Exception) -> ResponseReturnValue:
    log.warning("database_busy", error=type(error).__name__)
    # What cannot answer must not be asked again for the page that says so.
    ask_nobody()
    return *_page(503, WORDS[503]), {"Retry-After": RETRY_S}


def _ours(error: Exception) -> ResponseReturnValue:
    incident = secrets.token_hex(4)
    log.error(
        "page_failed", incident=incident, endpoint=request.endpoint, exc_info=error
    )
    return _page(500, OURS, incident=incident)


def install_errors(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(NotFoundError, _not_found)
    app.register_error_handler(LinkGoneError, _link_gone)
    app.register_error_handler(SignInRequiredError, _sign_in_first)
    app.register_error_handler(CSRFError, _too_old)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(PoolTimeoutError, _busy)
    app.register_error_handler(Exception, _ours)
