"""The catcher of pages: every error becomes a plain page in the same words."""

import secrets
from collections.abc import Sequence
from math import ceil
from urllib.parse import quote

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError

from pillweb.base.clock import now
from pillweb.base.errors import (
    ChooseFirstError,
    LeavingError,
    LinkGoneError,
    NotFoundError,
    SignInRequiredError,
    TabletEndedError,
)
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext
from pillweb.base.log import log
from pillweb.web.security import limiter
from pillweb.web.transaction import SAFE, session
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
# Where a tablet begins, whatever became of it.
TABLET = "/tablet"
ENDED = (
    gettext_noop("This tablet is not connected any more"),
    gettext_noop("Nothing was recorded. Please ask whoever helps you."),
)
CHOOSE_FIRST = (
    gettext_noop("Nothing was recorded"),
    gettext_noop("Please press your picture first, then once more here."),
)
TOO_OFTEN = 429
MINUTE_S = 60
LONGEST_IN_MINUTES, HOURS_OF_DAY = 90, 24
LONGEST_IN_MINUTES, HOURS_OF_DAY = 90, 24
SECRETS = ("password", "code", "pin")


def _page(
    code: int,
    words: tuple[str, str],
    *,
    incident: str = "",
    typed: Sequence[tuple[str, str]] = (),
) -> tuple[str, int]:
    title, text = words
    whole = not request.headers.get("HX-Request")
    template = "errors/error.html" if whole else "errors/_error.html"
    words_here: dict[str, object] = {
        "title": _(title),
        "text": _(text),
        "incident": incident,
    }
    # An HTMX answer stands above the form, which keeps what was typed.
    words_here["again"] = (request.path, typed) if whole and typed else None
    return render_template(template, **words_here), code


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:  # noqa: PLR2004 - a redirect is no error
        return error
    answer = (
        _too_often(error) if code == TOO_OFTEN else _page(code, WORDS.get(code, OURS))
    )
    kept = ("Retry-After", "Allow", "X-RateLimit-Reset")
    headers = {k: v for k, v in error.get_headers() if k in kept}
    return *answer, headers


def _too_often(error: HTTPException) -> tuple[str, int]:
    """Say how long to wait; what was typed stays on the page, or is sent again."""
    counted, asked_s = limiter.current_limit, getattr(error, "retry_after", None)
    left_s = counted.reset_at - now().timestamp() if counted else MINUTE_S
    words = _wait_words(asked_s if isinstance(asked_s, int) else left_s)
    typed = [] if request.method in SAFE or _is_secret() else _typed()
    return _page(TOO_OFTEN, (gettext_noop("Too many tries"), words), typed=typed)


def _wait_words(left_s: float) -> str:
    """Say to wait for so many seconds, in minutes, hours or days, never too few."""
    minutes = max(1, ceil(left_s / MINUTE_S))
    hours = ceil(minutes / 60)
    if minutes <= LONGEST_IN_MINUTES:
        return ngettext(
            "Please wait one minute, then press again. Nothing is lost.",
            "Please wait %(num)s minutes, then press again. Nothing is lost.",
            minutes,
        )
    if hours < HOURS_OF_DAY:
        return ngettext(
            "Please wait one hour, then press again. Nothing is lost.",
            "Please wait %(num)s hours, then press again. Nothing is lost.",
            hours,
        )
    return ngettext(
        "Please wait one day, then press again. Nothing is lost.",
        "Please wait %(num)s days, then press again. Nothing is lost.",
        ceil(hours / HOURS_OF_DAY),
    )


def _is_secret() -> bool:
    """Say whether what was typed is better not written into a page."""
    return bool(request.files) or any(
        word in name for name in request.form for word in SECRETS
    )


def _typed() -> list[tuple[str, str]]:
    fields = request.form.items(multi=True)
    return [(name, text) for name, text in fields if name != "csrf_token"]


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


def not_found(_error: NotFoundError) -> ResponseReturnValue:
    """Say that there is no such page, or none for whoever asks."""
    return _page(404, WORDS[404])


def _leaving(_error: LeavingError) -> ResponseReturnValue:
    return elsewhere("/account/leaving")


def elsewhere(path: str) -> ResponseReturnValue:
    """Send whoever asked to another page, whatever they asked and by whatever means."""
    if request.headers.get("HX-Request"):
        return "", 404, {"HX-Redirect": path}
    return redirect(path, 303)


def _link_gone(_error: LinkGoneError) -> ResponseReturnValue:
    ours = request.blueprint in {"accounts", "entering", "oidc"}
    return render_template("accounts/gone.html" if ours else "sharing/gone.html"), 404


def _sign_in_first(_error: SignInRequiredError) -> ResponseReturnValue:
    back = request.full_path.rstrip("?") if request.method in SAFE else ""
    where = "/sign-in" + (f"?next={quote(back)}" if back else "")
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": "/sign-in"}
    return redirect(where, 303)


def _ended_or_closed(error: Exception) -> ResponseReturnValue:
    """Say so aloud where something was pressed; who only looks is sent where to go."""
    if request.method in SAFE and not request.headers.get("HX-Request"):
        return redirect(TABLET, 303)
    if isinstance(error, TabletEndedError):
        return _page(401, ENDED)
    return _page(403, CHOOSE_FIRST)


def _leave_database() -> None:
    """Keep nothing half done, and ask no more for the page that says so."""
    session().rollback()
    ask_nobody()


def _busy(error: Exception) -> ResponseReturnValue:
    log.warning("database_busy", error=type(error).__name__)
    _leave_database()
    return *_page(503, WORDS[503]), {"Retry-After": RETRY_S}


def _ours(error: BaseException) -> ResponseReturnValue:
    incident = secrets.token_hex(4)
    log.error(
        "page_failed", incident=incident, endpoint=request.endpoint, exc_info=error
    )
    _leave_database()
    return _page(500, OURS, incident=incident)


def _while_keeping(error: InternalServerError) -> ResponseReturnValue:
    """Tell what failed after the page was made: its work was not kept."""
    cause = error.original_exception
    if isinstance(cause, (OperationalError, PoolTimeoutError)):
        return _busy(cause)
    return _ours(cause or error)


def install_errors(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(NotFoundError, not_found)
    app.register_error_handler(LeavingError, _leaving)
    app.register_error_handler(LinkGoneError, _link_gone)
    app.register_error_handler(SignInRequiredError, _sign_in_first)
    app.register_error_handler(TabletEndedError, _ended_or_closed)
    app.register_error_handler(ChooseFirstError, _ended_or_closed)
    app.register_error_handler(CSRFError, _too_old)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _while_keeping)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(PoolTimeoutError, _busy)
    app.register_error_handler(Exception, _ours)
