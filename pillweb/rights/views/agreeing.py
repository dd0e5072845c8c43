"""Pages of what was agreed to, and how to take it back."""

from datetime import datetime

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.agreeing import note_agreed
from pillweb.accounts.models import Consent
from pillweb.accounts.rules import FOR_OTHER, MYSELF, SENTENCES, WAYS
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.words import full_date_words
from pillweb.base.zones import local, zone
from pillweb.reports.queries import orders_of
from pillweb.rights.forms import AgreedForm
from pillweb.rights.queries import consents_of, given_of
from pillweb.rights.rules import ACCOUNT, PATIENT, Whose
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, Nav, access_words, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

agreeing = Blueprint("agreeing", __name__)
OWN, ONE = "/account/agreed", "/patients/<int:patient_id>/agreed"


def _card(row: Consent, place: str) -> dict[str, object]:
    return {
        "words": _(SENTENCES[row.about][1]),
        "how": _(WAYS[row.how]),
        "note": row.note,
        "date": _day(row.given_at, place),
    }


def _day(at: datetime, place: str) -> str:
    return full_date_words(local(at, zone(place)).date())


@agreeing.get(OWN)
def show_own_agreed() -> ResponseReturnValue:
    """Show what the viewer agreed to, and where it ends."""
    viewer = signed_in()
    mine = consents_of(session(), Whose(ACCOUNT, viewer.account_id))
    return page(
        "rights/own_agreed.html",
        nav=Nav(),
        cards=[_card(row, "Etc/UTC") for row in mine],
    )


def _page(door: Door, form: AgreedForm) -> dict[str, object]:
    theirs = consents_of(session(), Whose(PATIENT, door.patient_id))
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "cards": [_card(row, door.zone) for row in theirs],
        "words": _(SENTENCES[FOR_OTHER][1]),
        "is_self": door.is_self,
        "helpers": [
            {
                "name": one.name,
                "access": access_words(one.level, one.sees),
                "given_by": one.given_by or "",
                "date": _day(one.created_at, door.zone),
                "url": f"{door.base_url}/sharing/people/{one.id}",
            }
            for one in given_of(session(), door.patient_id)
        ],
        "doctors": [
            {
                "name": order.doctor_name,
                "date": _day(order.created_at, door.zone),
            }
            for order in orders_of(session(), door.patient_id)
        ],
        "form": form,
        "action": f"{door.base_url}/agreed",
    }


@agreeing.get(ONE)
def show_agreed(patient_id: int) -> ResponseReturnValue:
    """Show what was agreed to about a patient, and how to end each of it."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("rights/agreed.html", **_page(door, AgreedForm()))


@agreeing.post(ONE)
def post_agreed(patient_id: int) -> ResponseReturnValue:
    """Write down how a patient agreed."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = AgreedForm()
    if not door.is_self and not form.validate():
        return bad_form("rights/agreed.html", **_page(door, form))
    note_agreed(
        session(),
        door.patient_id,
        account_id=viewer.account_id,
        how=MYSELF if door.is_self else form.agreed.data,
        note="" if door.is_self else said(form.agreed_note),
        now=now(),
    )
    return go(f"{door.base_url}/agreed", notice=_("Saved."))
