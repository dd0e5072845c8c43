"""Pages of the patient's side: which tablets there are, a new one, and the photo."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.rules import seen_words
from pillweb.base.clock import now
from pillweb.base.code import code_of
from pillweb.base.digits import spaced
from pillweb.base.i18n import gettext as _
from pillweb.base.links import link
from pillweb.devices.actions.choosing import set_place_pin
from pillweb.devices.actions.pairing import end_place, name_tablet, offer_tablet
from pillweb.devices.actions.photos import forget_photo, keep_photo
from pillweb.devices.forms import PhotoForm, PinForm, TabletForm
from pillweb.devices.models import DevicePairing, DevicePlace
from pillweb.devices.queries import (
    pairing_of,
    photo_by_key,
    photo_of,
    place_of,
    tablets_of,
)
from pillweb.devices.rules import initial
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, fragment, go, is_htmx, page
from pillweb.web.photos import photo_answer
from pillweb.web.security import limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

tablets = Blueprint("tablets", __name__)

TABLETS = "/patients/<int:patient_id>/tablets"
PHOTO = "/patients/<int:patient_id>/photo"
PHOTOS = "60 per hour"


def _open(patient_id: int) -> Door:
    return open_door(session(), signed_in(), patient_id, need=Level.MANAGE)


def _base(door: Door) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "here": f"{door.base_url}/tablets",
        "patient_name": door.patient_name,
    }


def _photo_url(door: Door) -> str:
    found = photo_of(session(), door.patient_id)
    return f"{door.base_url}/photo/{found.key}" if found else ""


@tablets.get(TABLETS)
def show_tablets(patient_id: int) -> ResponseReturnValue:
    """Show the tablets that stay signed in to a patient."""
    door, at = _open(patient_id), now()
    found = [
        {"id": place.id, "name": place.name, "seen": seen_words(seen_at, now=at)}
        for place, seen_at in tablets_of(session(), patient_id)
    ]
    return page("devices/tablets.html", **_base(door), tablets=found)


@tablets.post(TABLETS)
def post_offer(patient_id: int) -> ResponseReturnValue:
    """Offer to connect one tablet; the code is shown this once."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    row, token, code = offer_tablet(
        session(), patient_id=patient_id, made_by_id=viewer.account_id, now=now()
    )
    url = link(f"/d/{token}")
    return page(
        "devices/offer.html",
        **_base(door),
        **_offer(row),
        code=spaced(code),
        url=url,
        picture=code_of(url),
        pair_url=link("/pair"),
    )


def _offer(row: DevicePairing) -> dict[str, object]:
    return {
        "offer_id": row.id,
        "is_connected": row.place_id is not None,
        "is_over": row.ended_at is not None or now() >= row.expires_at,
    }


@tablets.get(f"{TABLETS}/offers/<int:offer_id>")
def show_offer(patient_id: int, offer_id: int) -> ResponseReturnValue:
    """Say whether a tablet is connected by now; the page with its code asks."""
    door = _open(patient_id)
    row = pairing_of(session(), patient_id, offer_id)
    if not is_htmx():
        return go(f"{door.base_url}/tablets")
    return fragment("devices/_waiting.html", **_base(door), **_offer(row))


def _tablet_page(door: Door, place: DevicePlace, form: TabletForm) -> dict[str, object]:
    return _base(door) | {
        "tablet": {"id": place.id, "name": place.name, "has_pin": bool(place.pin_hash)},
        "form": form,
    }


@tablets.get(f"{TABLETS}/<int:place_id>")
def show_one(patient_id: int, place_id: int) -> ResponseReturnValue:
    """Show one tablet: what it is called, and how to stop it."""
    door = _open(patient_id)
    place = place_of(session(), patient_id, place_id)
    form = TabletForm({"name": place.name})
    return page("devices/tablet.html", **_tablet_page(door, place, form))


@tablets.post(f"{TABLETS}/<int:place_id>")
def post_name(patient_id: int, place_id: int) -> ResponseReturnValue:
    """Call a tablet something else."""
    door, form = _open(patient_id), TabletForm()
    place = place_of(session(), patient_id, place_id)
    if not form.validate():
        return bad_form("devices/tablet.html", **_tablet_page(door, place, form))
    name_tablet(
        session(), patient_id=patient_id, place_id=place_id, name=said(form.name)
    )
    return go(f"{door.base_url}/tablets", notice=_("Saved."))


@tablets.post(f"{TABLETS}/<int:place_id>/end")
def post_end(patient_id: int, place_id: int) -> ResponseReturnValue:
    """Stop a tablet: it shows nothing of this patient from now on."""
    door = _open(patient_id)
    end_place(session(), patient_id=patient_id, place_id=place_id, now=now())
    return go(f"{door.base_url}/tablets", notice=_("The tablet is stopped."))


@tablets.get(f"{TABLETS}/<int:place_id>/pin")
def show_pin(patient_id: int, place_id: int) -> ResponseReturnValue:
    """Ask which PIN a tablet is to ask for."""
    door = _open(patient_id)
    place = place_of(session(), patient_id, place_id)
    return page("devices/set_pin.html", **_base(door), place=place, form=PinForm())


@tablets.post(f"{TABLETS}/<int:place_id>/pin")
def post_pin(patient_id: int, place_id: int) -> ResponseReturnValue:
    """Let a tablet ask for a PIN, or no more."""
    door, form = _open(patient_id), PinForm()
    place = place_of(session(), patient_id, place_id)
    if not form.validate():
        return bad_form("devices/set_pin.html", **_base(door), place=place, form=form)
    set_place_pin(session(), patient_id=patient_id, place_id=place_id, pin=form.digits)
    return go(f"{door.base_url}/tablets/{place_id}", notice=_("Saved."))


@tablets.get(PHOTO)
def show_photo_page(patient_id: int) -> ResponseReturnValue:
    """Ask for a photo of the patient."""
    return page("devices/photo.html", **_photo_page(_open(patient_id), PhotoForm()))


def _photo_page(door: Door, form: PhotoForm) -> dict[str, object]:
    facts = {"photo_url": _photo_url(door), "initial": initial(door.patient_name)}
    return _base(door) | facts | {"form": form}


@tablets.post(PHOTO)
@limiter.limit(PHOTOS)
def post_photo(patient_id: int) -> ResponseReturnValue:
    """Keep a photo, instead of the one before."""
    door, form = _open(patient_id), PhotoForm()
    photo = form.read()
    if photo is None:
        return bad_form("devices/photo.html", **_photo_page(door, form))
    keep_photo(session(), patient_id=patient_id, photo=photo, now=now())
    return go(f"{door.base_url}/photo", notice=_("Saved."))


@tablets.post(f"{PHOTO}/remove")
def post_remove_photo(patient_id: int) -> ResponseReturnValue:
    """Forget the photo."""
    door = _open(patient_id)
    forget_photo(session(), patient_id=patient_id)
    return go(f"{door.base_url}/photo", notice=_("Saved. The photo is gone."))


@tablets.get(f"{PHOTO}/<photo_key>")
def show_photo(patient_id: int, photo_key: str) -> ResponseReturnValue:
    """Give out the photo of a patient to who manages."""
    door = _open(patient_id)
    return photo_answer(photo_by_key(session(), door.patient_id, photo_key).photo)
