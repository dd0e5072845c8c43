"""How it looks, and the page that shows every part of a page."""

from dataclasses import asdict
from urllib.parse import quote

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.joining import choose_look
from pillweb.accounts.rules import safe_path
from pillweb.base.i18n import LANGUAGES, speak, speech
from pillweb.base.i18n import gettext as _
from pillweb.base.look import SIZES, THEMES, Look
from pillweb.looks.forms import LookForm, sample_forms
from pillweb.sharing.rules import Nav
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.look import keep_look_here, look_here
from pillweb.web.transaction import session
from pillweb.web.viewer import current_viewer

looks = Blueprint("looks", __name__)


def _asked_from() -> str:
    return safe_path(request.args.get("from", ""))


def _own_path() -> str:
    back = _asked_from()
    return "/look" if back == "/" else f"/look?from={quote(back)}"


def _look_page(form: LookForm) -> dict[str, object]:
    return {
        "nav": Nav() if current_viewer() else None,
        "form": form,
        "action": _own_path(),
        "back_url": _asked_from(),
        "languages": [(code, words, "") for code, words in LANGUAGES.items()],
        "sizes": [(size, _(words), f"at-{size}") for size, words in SIZES.items()],
        "themes": [(theme, _(words), "") for theme, words in THEMES.items()],
        "clocks": [("12", "8.30pm", ""), ("24", "20:30", "")],
        "numbers": [("latn", "12", ""), ("arab", "١٢", "")],
    }


@looks.get("/look")
def show_look() -> ResponseReturnValue:
    """Ask in which language, how large the words should be, and in which colours."""
    return page("looks/look.html", **_look_page(LookForm()))


@looks.post("/look")
def post_look() -> ResponseReturnValue:
    """Keep one answer in this browser and for the account, and show the page in it."""
    form = LookForm(data=asdict(look_here()))
    if not form.validate():
        return bad_form("looks/look.html", **_look_page(form))
    look = Look(**form.data)
    keep_look_here(look)
    spoken = look.spoken(speech().language)
    speak(spoken.speech)
    if viewer := current_viewer():
        pressed = {name: one for name, one in form.data.items() if name in request.form}
        choose_look(session(), viewer.account_id, spoken=spoken.language, **pressed)
    if "straight" in request.form:
        return go(_asked_from())
    return go(_own_path(), notice=_("Saved. This is how it looks now."))


@looks.get("/design")
def show_design() -> ResponseReturnValue:
    """Show every part of a page in every state; nothing on it is anybody's."""
    good, wrong = sample_forms()
    return page("looks/design.html", good=good, wrong=wrong)
