"""Who is asking: the only user of Flask-Login."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import flask_login
from flask import Flask, Response, g, session

from pillweb.base.errors import LeavingError, SignInRequiredError, TabletEndedError
from pillweb.base.viewer import Asker, Viewer
from pillweb.web.tablet import current_tablet, tablet_secret

Loader = Callable[[str], Viewer | None]
Seen = Callable[[Viewer], None]
Offered = Callable[[bytes], bool]
SHARES_KEPT = 8
NOBODY = "nobody"
SHARES, INVITATION, KNOWN = "opened", "offer", "known"
# What this browser opened before it signed in, and to which addresses it did before.
KEPT = (SHARES, INVITATION, KNOWN)


@dataclass(frozen=True, slots=True)
class _User(flask_login.UserMixin):
    """A viewer as Flask-Login knows it; its id is the session's secret."""

    token: str
    viewer: Viewer | None

    def get_id(self) -> str:
        """Return what the cookie keeps."""
        return self.token


def install_viewer(app: Flask, load: Loader, seen: Seen, offered: Offered) -> None:
    """Let `load` say who holds a cookie's secret, asked anew in every request.

    `seen` is called for who asked, once the answer has left, and may fail. `offered`
    says whether an invitation can be answered.
    """
    manager = flask_login.LoginManager(app)
    manager.session_protection = None  # type: ignore[assignment]

    @manager.user_loader  # type: ignore[untyped-decorator]
    def _load(token: str) -> _User | None:
        viewer = load(token)
        return None if viewer is None else _User(token, viewer)

    @app.before_request
    def _know() -> None:
        g.is_offered = offered

    app.jinja_env.globals |= {
        "is_being_let_in": is_being_let_in,
        "may_sign_out": may_sign_out,
    }
    app.after_request(_say_whose)
    app.after_request(partial(_note_seen, seen))


def _note_seen(seen: Seen, response: Response) -> Response:
    """Call `seen` after the answer: nobody waits for it."""
    viewer = current_viewer() if "_login_user" in g else None
    if viewer is not None:
        response.call_on_close(partial(seen, viewer))
    return response


def _say_whose(response: Response) -> Response:
    """Tell the worker whose page this is: it forgets what it kept of anybody else."""
    is_known = "_login_user" in g and "viewer_is_unknown" not in g
    if is_known and response.mimetype == "text/html":
        response.headers["Pillweb-Account"] = whose_browser() or NOBODY
    return response


def current_viewer() -> Viewer | None:
    """Return who is signed in, or None."""
    user: object = flask_login.current_user._get_current_object()  # noqa: SLF001, TID251 - the one place
    return user.viewer if isinstance(user, _User) else None


def _known_viewer() -> Viewer | None:
    """Return who is signed in, where the page has asked already."""
    return current_viewer() if "_login_user" in g else None


def may_sign_out() -> bool:
    """Say whether there is somebody to sign out; looks nobody up."""
    return _known_viewer() is not None


def is_being_let_in() -> bool:
    """Say whether a helper is about to let the viewer in again; looks nobody up."""
    viewer = _known_viewer()
    return viewer is not None and viewer.is_let_in


def whose_browser() -> str:
    """Return whose what this browser keeps is: an account's, a patient's on a tablet.

    Empty for nobody's.
    """
    asker = current_viewer() or current_tablet()
    return asker.key if asker else ""


def who_asks() -> Asker:
    """Return who asks: an account, or a tablet that stays signed in to a patient.

    Only for what a tablet may open; everything else asks for `signed_in`.

    Raises:
        TabletEndedError: it was a tablet, and is not any more.
        SignInRequiredError: it is nobody.
        LeavingError: it is an account that asked to be forgotten.
    """
    if current_viewer() is not None:
        return signed_in()
    if (tablet := current_tablet()) is not None:
        return tablet
    if tablet_secret():
        raise TabletEndedError
    raise SignInRequiredError


def ask_nobody() -> None:
    """Show this page without looking up who asks, unless that is known already."""
    if "_login_user" not in g:
        g.viewer_is_unknown = True
        g._login_user = flask_login.AnonymousUserMixin()  # noqa: SLF001 - its place


def signed_in() -> Viewer:
    """Return who is signed in.

    Raises:
        SignInRequiredError: nobody is.
        LeavingError: whoever is asked to be forgotten.
    """
    viewer = who_signed_in()
    if viewer.leaves_at is not None:
        raise LeavingError
    return viewer


def who_signed_in() -> Viewer:
    """Return who is signed in, also who asked to be forgotten.

    Raises:
        SignInRequiredError: nobody is.
    """
    viewer = current_viewer()
    if viewer is None:
        raise SignInRequiredError
    return viewer


def sign_in(token: str) -> None:
    """Put a session's secret into the cookie; what the cookie held before goes."""
    kept = {name: session[name] for name in KEPT if name in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    flask_login.login_user(_User(token, None))


def stay_signed_in(token: str) -> None:
    """Put another secret of the same session into the cookie.

    Forms that are open in this browser stay good, and this page the viewer's.
    """
    viewer, csrf = signed_in(), session.get("csrf_token")
    sign_in(token)
    if csrf is not None:
        session["csrf_token"] = csrf
    g._login_user = _User(token, viewer)  # noqa: SLF001 - its place


def sign_out() -> None:
    """Empty the cookie."""
    session.clear()


def remember_address(index: bytes) -> None:
    """Note in the cookie that this browser signed in to the address of an index."""
    kept = [one for one in session.get(KNOWN, []) if one != index.hex()]
    session[KNOWN] = [*kept, index.hex()][-SHARES_KEPT:]


def known_addresses() -> frozenset[bytes]:
    """Return to which addresses this browser signed in before, by their indexes."""
    return frozenset(map(bytes.fromhex, session.get(KNOWN, [])))


def remember_mail(secret: str, path: str) -> None:
    """Note in the cookie that this browser asked for a mail, and where to go then."""
    session["mail"] = [secret, path]
    session.permanent = True


def asked_mail() -> tuple[str, str]:
    """Return the secret of the mail this browser asked for last, and where to go."""
    secret, path = session.get("mail", ["", "/"])
    return secret, path


def forget_mail() -> None:
    """Forget that this browser asked for a mail."""
    session.pop("mail", None)


def remember_challenge(secret: str) -> None:
    """Note in the cookie what this browser was given for a passkey to sign."""
    session["challenge"] = secret
    session.permanent = True


def asked_challenge() -> str:
    """Return the secret of what this browser was given last for a passkey to sign."""
    return str(session.get("challenge", ""))


def remember_way(secret: str, path: str) -> None:
    """Note in the cookie that this browser was sent to a provider, and where to go."""
    session["way"] = [secret, path]
    session.permanent = True


def came_from() -> tuple[str, str]:
    """Return the secret of the browser's way to a provider, and where to go then."""
    secret, path = session.get("way", ["", "/"])
    return secret, path


def remember_recovery(secret: str) -> None:
    """Note in the cookie that somebody is being let in again in this browser."""
    session["recovery"] = secret
    session.permanent = True


def opened_recovery() -> str:
    """Return the secret of the recovery that is under way in this browser."""
    return str(session.get("recovery", ""))


def remember_share(token_hash: bytes) -> None:
    """Note in the cookie that this browser opened the shared link of this secret."""
    kept = [link for link in session.get(SHARES, []) if link != token_hash.hex()]
    session[SHARES] = [*kept, token_hash.hex()][-SHARES_KEPT:]
    session.permanent = True


def opened_shares() -> frozenset[bytes]:
    """Return the shared links that this browser has opened, by hashes of secrets."""
    return frozenset(map(bytes.fromhex, session.get(SHARES, [])))


def remember_invitation(token_hash: bytes) -> None:
    """Note in the cookie that this browser opened the invitation of this secret."""
    session[INVITATION] = token_hash.hex()
    session.permanent = True


def forget_invitation() -> None:
    """Note in the cookie that there is no invitation to answer."""
    session.pop(INVITATION, None)


def opened_invitation() -> bytes:
    """Return the hash of the secret of the invitation opened here; empty for none."""
    return bytes.fromhex(session.get(INVITATION, ""))


def invitation_offered() -> bytes | None:
    """Return the invitation that this browser opened, where it can be answered."""
    opened = opened_invitation()
    offered: Offered = g.is_offered
    return opened if offered(opened) else None
