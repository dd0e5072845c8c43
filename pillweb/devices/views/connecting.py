"""Pages by which a tablet is connected: with six digits, or with its camera."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.sessions import end_session
from pillweb.base.browsers import browser_name
from pillweb.base.clock import now
from pillweb.base.errors import LinkGoneError
from pillweb.base.i18n import gettext as _
from pillweb.base.look import Look
from pillweb.devices.actions.pairing import connect_tablet, try_code
from pillweb.devices.forms import CodeForm
from pillweb.devices.models import DevicePairing
from pillweb.devices.queries import is_tried_too_often, pairing_by_token
from pillweb.patients.models import Patient
from pillweb.web.htmx import go, page, wrong_try
from pillweb.web.look import has_look, keep_look_here
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import client_key, is_miss, limiter
from pillweb.web.tablet import current_tablet, keep_tablet, tablet_secret
from pillweb.web.transaction import session
from pillweb.web.viewer import current_viewer, sign_out

connecting = Blueprint("connecting", __name__)

GUESSES = "30 per 10 minutes"


def _pair_page(form: CodeForm) -> dict[str, object]:
    return {"form": form, "is_signed_in": current_viewer() is not None}


@connecting.get("/pair")
def show_pair() -> ResponseReturnValue:
    """Ask a tablet for the six digits."""
    return page("devices/pair.html", **_pair_page(CodeForm()))


@connecting.post("/pair")
def post_pair() -> ResponseReturnValue:
    """Connect this tablet by six digits; a wrong try is kept."""
    form = CodeForm()
    if not form.validate():
        return wrong_try("devices/pair.html", **_pair_page(form))
    client, at = client_key(), now()
    offer = try_code(session(), form.digits, client=client, now=at)
    if offer is not None and _connect(offer):
        return _connected()
    is_closed = is_tried_too_often(session(), client=client, now=at)
    form.code.errors = [
        _("That was too often. Wait ten minutes, or use the camera of the tablet.")
        if is_closed
        else _("These digits are not right, or too old. Please look again.")
    ]
    return wrong_try("devices/pair.html", **_pair_page(form))


@connecting.get("/d/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_offer_here(token: str) -> ResponseReturnValue:
    """Show one button: what opens links by itself connects nothing."""
    pairing_by_token(session(), token, now=now())
    return page(
        "devices/open.html",
        action=f"/d/{token}",
        shown=shown_here(),
        is_signed_in=current_viewer() is not None,
    )


@connecting.post("/d/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_offer_here(token: str) -> ResponseReturnValue:
    """Connect this tablet, and leave the secret of the link behind."""
    offer = pairing_by_token(session(), token, now=now())
    if not is_pressed():
        return go(once_more(f"/d/{token}"))
    if not _connect(offer):
        raise LinkGoneError
    return _connected()


def _connect(offer: DevicePairing) -> bool:
    """Make this browser a tablet of the offer's patient; say whether it is one."""
    named = browser_name(
        request.headers.get("User-Agent", ""), request.headers.get("Sec-CH-UA", "")
    )
    secret = connect_tablet(
        session(),
        offer,
        tablet=current_tablet(),
        secret=tablet_secret(),
        name=named,
        now=now(),
    )
    if secret is None:
        return False
    viewer = current_viewer()
    if viewer is not None:
        # It stays with the patient from now on: nobody's account may stay in it.
        end_session(session(), viewer.session_id, now=now())
        sign_out()
    keep_tablet(secret)
    language = session().get_one(Patient, offer.patient_id).language
    if language and not has_look():
        keep_look_here(Look(language=language))
    return True


def _connected() -> ResponseReturnValue:
    return go("/tablet", notice=_("This tablet is connected now."))
