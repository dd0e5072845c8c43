"""Page or fragment, from one template: the only user of htmx-flask."""

from collections.abc import Hashable
from functools import lru_cache, partial
from typing import Any

import htmx_flask
from flask import Flask, flash, redirect, render_template
from flask import make_response as plain_response
from flask.typing import ResponseReturnValue
from htmx_flask import make_response
from jinja2 import Environment
from jinja2.environment import TemplateModule
from werkzeug.urls import iri_to_uri

from pillweb.base.i18n import Speech, speech
from pillweb.web.transaction import keep_anyway, session

UNPROCESSABLE = 422
PIECES_KEPT = 1024


def install_htmx(app: Flask) -> None:
    """Let every request say whether HTMX sent it, and templates call `piece`."""
    htmx_flask.Htmx(app)
    app.jinja_env.globals["piece"] = partial(_piece, app.jinja_env)


def _piece(
    environment: Environment, template: str, **values: Hashable
) -> TemplateModule:
    """Return a part of a page that follows from these values alone, escaped."""
    return _kept_piece(environment, template, speech(), tuple(values.items()))


@lru_cache(maxsize=PIECES_KEPT)
def _kept_piece(
    environment: Environment,
    template: str,
    _speech: Speech,
    values: tuple[tuple[str, Hashable], ...],
) -> TemplateModule:
    # All that the piece shows is in the key, so one person's is never another's.
    return environment.get_template(template).make_module(dict(values))


def is_htmx() -> bool:
    """Say whether HTMX sent this request."""
    return bool(getattr(htmx_flask.request, "htmx", False))


def page(template: str, **context: Any) -> ResponseReturnValue:  # noqa: ANN401
    """Answer with a whole page."""
    return render_template(template, **context)


def bad_form(template: str, **context: Any) -> ResponseReturnValue:  # noqa: ANN401
    """Answer with the page of a form that could not be accepted, nothing kept."""
    session().rollback()
    return render_template(template, **context), UNPROCESSABLE


def wrong_try(template: str, **context: Any) -> ResponseReturnValue:  # noqa: ANN401
    """Answer with the page of a form that was not right, and keep that it was tried."""
    keep_anyway()
    return render_template(template, **context), UNPROCESSABLE


def go(path: str, *, notice: str = "") -> ResponseReturnValue:
    """Send the browser on after a change; HTMX follows by a header.

    The notice is said once, on top of the next page. A cookie carries it there, which
    anybody at this browser can read: it names nobody and no medicine.
    """
    if notice:
        flash(notice, "good")
    if is_htmx():
        return make_response("", redirect=iri_to_uri(path))
    return redirect(path, 303)


def fragment(template: str, **context: Any) -> ResponseReturnValue:  # noqa: ANN401
    """Answer HTMX with the one template both the page and it are made of."""
    return plain_response(render_template(template, **context))
