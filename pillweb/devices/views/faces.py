"""What a tablet begins with: the pages of its person, or the pictures of several."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import (
    ChooseFirstError,
    SignInRequiredError,
)
from pillweb.base.i18n import gettext as _
from pillweb.base.viewer import Tablet
from pillweb.devices.actions.choosing import close_tablet, open_for, try_place_pin
from pillweb.devices.actions.pairing import end_place
from pillweb.devices.forms import AskedPinForm
from pillweb.devices.models import DevicePlace
from pillweb.devices.queries import Face, face_of, faces_of, photo_by_key
from pillweb.devices.rules import initial, is_paused, open_page_key
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Level, nav_of
from pillweb.web.htmx import go, page, wrong_try
from pillweb.web.photos import photo_answer
from pillweb.web.tablet import current_tablet, tablet_secret
from pillweb.web.transaction import session
from pillweb.web.viewer import current_viewer, who_asks

faces = Blueprint("faces", __name__)


@faces.app_context_processor
def _know_key() -> dict[str, object]:
    """Let Today name the address by which this tablet's open page is told things."""
    return {"open_page_key": _open_page_key}


def _open_page_key() -> str:
    tablet = None if current_viewer() else current_tablet()
    if tablet is None or tablet.patient_id is None:
        return ""
    return open_page_key(tablet_secret(), tablet.places[tablet.patient_id])


def _tablet() -> Tablet:
    """Return this tablet.

    Raises:
        SignInRequiredError: it is none, or somebody is signed in on it.
        TabletEndedError: it is none any more.
    """
    asker = who_asks()
    if not isinstance(asker, Tablet):
        raise SignInRequiredError
    return asker


def _card(face: Face) -> dict[str, object]:
    here = f"/tablet/{face.place_id}"
    return {
        "name": face.name,
        "url": here,
        "has_pin": face.has_pin,
        "photo_url": f"{here}/photo/{face.photo_key}" if face.photo_key else "",
        "initial": initial(face.name),
    }


@faces.get("/tablet")
def show_tablet() -> ResponseReturnValue:
    """Show whom a tablet is for; one person's own leads to their day."""
    if current_viewer() is not None:
        return go("/")
    tablet = current_tablet()
    if tablet is None:
        return page("devices/ended.html") if tablet_secret() else go("/pair")
    if tablet.patient_id is not None:
        return go(f"/patients/{tablet.patient_id}/today")
    people = [_card(face) for face in faces_of(session(), tablet)]
    return page("devices/faces.html", people=people)


def _pin_page(face: Face, form: AskedPinForm) -> dict[str, object]:
    place = session().get_one(DevicePlace, face.place_id)
    paused = is_paused(place.pin_pause_until, now=now())
    return {"person": _card(face), "form": form, "is_paused": paused}


@faces.get("/tablet/<int:place_id>")
def show_face(place_id: int) -> ResponseReturnValue:
    """Ask for the PIN of one person; who has none has one button."""
    face = face_of(session(), _tablet(), place_id)
    return page("devices/pin.html", **_pin_page(face, AskedPinForm()))


@faces.post("/tablet/<int:place_id>")
def post_face(place_id: int) -> ResponseReturnValue:
    """Open the tablet for one person; a wrong PIN is counted."""
    tablet = _tablet()
    face = face_of(session(), tablet, place_id)
    form = AskedPinForm()
    if face.has_pin and not try_place_pin(
        session(), tablet, face.patient_id, form.digits, now=now()
    ):
        form.pin.errors = [_("This PIN is not right. Please try again.")]
        return wrong_try("devices/pin.html", **_pin_page(face, form))
    open_for(session(), tablet, face.patient_id, now=now())
    return go(f"/patients/{face.patient_id}/today")


@faces.post("/tablet/done")
def post_done() -> ResponseReturnValue:
    """Close the tablet: it shows the pictures again."""
    close_tablet(session(), _tablet())
    return go("/tablet")


@faces.get("/tablet/leave")
def show_leave() -> ResponseReturnValue:
    """Ask whether who is here wants to be on this tablet no more."""
    tablet = _tablet()
    if tablet.patient_id is None:
        raise ChooseFirstError
    patient_id = tablet.patient_id
    door = open_door(session(), tablet, patient_id, need=Level.MARK, shows=())
    return page("devices/leave.html", nav=nav_of(door), base_url=door.base_url)


@faces.post("/tablet/leave")
def post_leave() -> ResponseReturnValue:
    """Take who is here off this tablet."""
    tablet = _tablet()
    if tablet.patient_id is None:
        raise ChooseFirstError
    patient_id = tablet.patient_id
    open_door(session(), tablet, patient_id, need=Level.MARK, shows=())
    place_id = tablet.places[patient_id]
    end_place(session(), patient_id=patient_id, place_id=place_id, now=now())
    close_tablet(session(), tablet)
    return go("/tablet", notice=_("You are off this tablet."))


@faces.get("/tablet/<int:place_id>/photo/<photo_key>")
def show_face_photo(place_id: int, photo_key: str) -> ResponseReturnValue:
    """Give out the photo of one of those who are on this tablet."""
    face = face_of(session(), _tablet(), place_id)
    return photo_answer(photo_by_key(session(), face.patient_id, photo_key).photo)
