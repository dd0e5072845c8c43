"""Who may do what must be theirs to do: only somebody who has just shown who they are.

The routes that ask are named in `pillweb.factory`, all in one place.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from flask import Flask, make_response, redirect, request
from flask.typing import ResponseReturnValue

from pillweb.web.transaction import SAFE
from pillweb.web.viewer import current_viewer

HERE = "/sign-in/again"
# What a form that waits may hold, so that nothing typed is lost.
KEPT, NEXT, FORM = "kept_", "next", "form"
UNAUTHORIZED = 401
# How long a proof lasts, for each method and rule that asks for one.
Asks = Mapping[str, timedelta]


class Waiting(NamedTuple):
    """What was wanted when somebody was asked who they are: a page, or a form."""

    path: str
    is_form: bool = False
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def carried(self) -> tuple[tuple[str, str], ...]:
        """The hidden fields by which a form carries it along."""
        named = ((f"{KEPT}{name}", value) for name, value in self.fields)
        form = ((FORM, "yes"),) if self.is_form else ()
        return ((NEXT, self.path), *form, *named)


def waiting_here() -> Waiting:
    """Return what this request carries along."""
    fields = tuple(
        (name.removeprefix(KEPT), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(KEPT)
    )
    return Waiting(request.values.get(NEXT, ""), FORM in request.form, fields)


def signed_in_recently(lasts: timedelta) -> bool:
    """Say whether somebody showed in this session who they are, so long ago at most.

    Where nobody is signed in there is nothing to ask again.
    """
    viewer = current_viewer()
    if viewer is None or viewer.proved_at is None:
        return viewer is None
    return viewer.at - viewer.proved_at <= lasts


Show = Callable[[Waiting], ResponseReturnValue]
Spared = Mapping[str, Callable[[], bool]]


def _ask(asks: Asks, show: Show, spared: Spared) -> ResponseReturnValue | None:
    rule = request.url_rule
    method = "GET" if request.method in SAFE else request.method
    act = f"{method} {rule.rule}" if rule else ""
    lasts = asks.get(act)
    if lasts is None or signed_in_recently(lasts) or (act in spared and spared[act]()):
        return None
    if request.headers.get("HX-Request"):
        page = urlsplit(request.headers.get("HX-Current-URL", "")).path
        return "", UNAUTHORIZED, {"HX-Redirect": f"{HERE}?{NEXT}={quote(page)}"}
    path = request.full_path.rstrip("?")
    if request.method in SAFE:
        return redirect(f"{HERE}?{NEXT}={quote(path)}", 303)
    typed = request.form.items(multi=True)
    fields = tuple((name, value) for name, value in typed if name != "csrf_token")
    return make_response(show(Waiting(path, is_form=True, fields=fields)), UNAUTHORIZED)


def install_again(app: Flask, asks: Asks, show: Show, *, spared: Spared) -> None:
    """Ask again who it is before any of these methods and rules ("POST /account/…").

    `show` is the page that asks; a form that was sent waits there, as it was typed.
    `spared` says of some of them whether this request is not weighty after all.
    """
    app.before_request(lambda: _ask(asks, show, spared))
