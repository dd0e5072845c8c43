"""Who is asking: the only user of Flask-Login."""

from collections.abc import Callable
from dataclasses import dataclass

import flask_login
from flask import Flask, Response, g, session

from pillweb.base.errors import SignInRequiredError
from pillweb.base.viewer import Viewer

Loader = Callable[[str], Viewer | None]
SHARES_KEPT = 8
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class _User(flask_login.UserMixin):
    """A viewer as Flask-Login knows it; its id is the session's secret."""

    token: str
    viewer: Viewer | None

    def get_id(self) -> str:
        """Return what the cookie keeps."""
        return self.token


def install_viewer(app: Flask, load: Loader) -> None:
    """Let `load` say who holds a cookie's secret, asked anew in every request."""
    manager = flask_login.LoginManager(app)
    manager.session_protection = None  # type: ignore[assignment]

    @manager.user_loader  # type: ignore[untyped-decorator]
    def _load(token: str) -> _User | None:
        viewer = load(token)
        return None if viewer is None else _User(token, viewer)

    app.after_request(_say_whose)


def _say_whose(response: Response) -> Response:
    """Tell the worker whose page this is: it forgets what it kept of anybody else."""
    is_known = "_login_user" in g and "viewer_is_unknown" not in g
    if is_known and response.mimetype == "text/html":
        viewer = current_viewer()
        whose = str(viewer.account_id) if viewer else NOBODY
        response.headers["Pillweb-Account"] = whose
    return response


def current_viewer() -> Viewer | None:
    """Return who is signed in, or None."""
    user: object = flask_login.current_user._get_current_object()  # noqa: SLF001, TID251 - the one place
    return user.viewer if isinstance(user, _User) else None


def ask_nobody() -> None:
    """Show this page without looking up who asks, unless that is known already."""
    if "_login_user" not in g:
        g.viewer_is_unknown = True
        g._login_user = flask_login.AnonymousUserMixin()  # noqa: SLF001 - its place


def signed_in() -> Viewer:
    """Return who is signed in.

    Raises:
        SignInRequiredError: nobody is.
    """
    viewer = current_viewer()
    if viewer is None:
        raise SignInRequiredError
    return viewer


def sign_in(token: str) -> None:
    """Put a session's secret into the cookie; what the cookie held before goes."""
    shares = session.get("shares", [])
    session.clear()
    if shares:
        session["shares"] = shares
    session.permanent = True
    flask_login.login_user(_User(token, None))


def sign_out() -> None:
    """Empty the cookie."""
    session.clear()


def remember_share(link_id: int) -> None:
    """Note in the cookie that this browser opened a shared link."""
    kept = [link for link in session.get("shares", []) if link != link_id]
    session["shares"] = [*kept, link_id][-SHARES_KEPT:]
    session.permanent = True


def opened_shares() -> frozenset[int]:
    """Return the shared links that this browser has opened."""
    return frozenset(session.get("shares", []))
