"""Pages of where an account is signed in."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.sessions import end_session, end_sessions
from pillweb.accounts.forms import DeviceForm
from pillweb.accounts.models import WebSession
from pillweb.accounts.queries import live_session_of, live_sessions
from pillweb.accounts.rules import SIGNED_OUT, seen_words
from pillweb.accounts.views.signing import tell
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

devices = Blueprint("devices", __name__)

HERE = "/account/sessions"
ONE = f"{HERE}/<int:session_id>"


def _card(row: WebSession, *, is_here: bool) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name or _("A browser"),
        "is_here": is_here,
        "seen_words": "" if is_here else seen_words(row.last_seen_at, now=now()),
    }


@devices.get(HERE)
def show_sessions() -> ResponseReturnValue:
    """Show where this account is signed in."""
    viewer = signed_in()
    rows = live_sessions(session(), viewer.account_id, now=now())
    cards = [_card(row, is_here=row.id == viewer.session_id) for row in rows]
    return page(
        "accounts/sessions.html",
        url=HERE,
        cards=sorted(cards, key=lambda card: not card["is_here"]),
    )


def _own(session_id: int) -> WebSession:
    viewer = signed_in()
    return live_session_of(session(), viewer.account_id, session_id, now=now())


def _name_page(row: WebSession, form: DeviceForm) -> dict[str, object]:
    return {"form": form, "action": f"{HERE}/{row.id}", "back_url": HERE}


@devices.get(ONE)
def show_session(session_id: int) -> ResponseReturnValue:
    """Ask what a browser is to be called."""
    row = _own(session_id)
    form = DeviceForm(data={"name": row.name or ""})
    return page("accounts/session.html", **_name_page(row, form))


@devices.post(ONE)
def post_session(session_id: int) -> ResponseReturnValue:
    """Give a browser another name."""
    row, form = _own(session_id), DeviceForm()
    if not form.validate():
        return bad_form("accounts/session.html", **_name_page(row, form))
    row.name = said(form.name)
    return go(HERE, notice=_("Saved."))


@devices.post(f"{ONE}/end")
def post_end_session(session_id: int) -> ResponseReturnValue:
    """Sign one browser out."""
    end_session(session(), _own(session_id).id, now=now())
    return go(HERE, notice=_("That device is signed out."))


@devices.post(f"{HERE}/end-others")
def post_end_others() -> ResponseReturnValue:
    """Sign all browsers out but this one."""
    viewer = signed_in()
    end_sessions(session(), viewer.account_id, but=viewer.session_id, now=now())
    tell(viewer.account_id, SIGNED_OUT)
    return go(HERE, notice=_("All other devices are signed out."))
