"""What medicines look like: the page that asks, and the pictures themselves."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.medications.actions import hide_looks, say_looks, show_looks
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of, picture_of
from pillweb.schedules.forms.looks import LooksForm, read_crop
from pillweb.sharing.queries.doors import open_door, open_shared_door
from pillweb.sharing.rules import TODAY, Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.photos import photo_answer
from pillweb.web.security import limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import opened_shares, signed_in, who_asks

medicine_looks = Blueprint("medicine_looks", __name__)
LOOKS = "/patients/<int:patient_id>/medicines/<int:medication_id>/looks"
CROP_WORDS = (
    ("whole", gettext_noop("The whole photo")),
    ("middle", gettext_noop("The middle")),
    ("closer", gettext_noop("Closer")),
)
PHOTOS = "60 per hour"


def _here(door: Door, medication: Medication) -> str:
    return f"{door.base_url}/medicines/{medication.id}/looks"


def _looks_page(
    door: Door, medication: Medication, form: LooksForm
) -> dict[str, object]:
    key = medication.picture_key
    crop = picture_of(session(), door.patient_id, key).crop if key else ""
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "here": _here(door, medication),
        "medicine": medication,
        "picture_url": f"{door.base_url}/pictures/{key}" if key else "",
        "picks": [(value, _(words), f"crop-{value}") for value, words in CROP_WORDS],
        "crop": crop,
        "form": form,
    }


@medicine_looks.get(LOOKS)
def show_looks_page(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show what a medicine looks like, and ask for it."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    row = medication_of(session(), door.patient_id, medication_id)
    return page("schedules/looks.html", **_looks_page(door, row, LooksForm.of(row)))


@medicine_looks.post(LOOKS)
@limiter.limit(PHOTOS)
def post_looks(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Keep the words, and the photo instead of the one before."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    row = medication_of(session(), door.patient_id, medication_id)
    form = LooksForm()
    found = form.read()
    if found is None:
        return bad_form("schedules/looks.html", **_looks_page(door, row, form))
    words, photo = found
    say_looks(row, words=words)
    if photo is None:
        return go(f"{door.base_url}/medicines/{row.id}", notice=_("Saved."))
    show_looks(session(), row, whole=photo, crop="middle", now=now())
    return go(_here(door, row), notice=_("Saved."))


@medicine_looks.post(f"{LOOKS}/crop")
def post_crop(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show another part of the photo."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    row = medication_of(session(), door.patient_id, medication_id)
    if row.picture_key:
        whole = picture_of(session(), door.patient_id, row.picture_key).whole
        crop = read_crop(request.form.get("crop", ""))
        show_looks(session(), row, whole=whole, crop=crop, now=now())
    return go(_here(door, row), notice=_("Saved."))


@medicine_looks.post(f"{LOOKS}/remove")
def post_remove_picture(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Forget the photo; the words stay."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    row = medication_of(session(), door.patient_id, medication_id)
    hide_looks(session(), row)
    return go(_here(door, row), notice=_("Saved. The photo is gone."))


@medicine_looks.get("/patients/<int:patient_id>/pictures/<picture_key>/<size>")
def show_picture(patient_id: int, picture_key: str, size: str) -> ResponseReturnValue:
    """Give out a picture to who may look."""
    door = open_door(session(), who_asks(), patient_id, need=Level.VIEW)
    return _picture(door, picture_key, size)


@medicine_looks.get("/shared/<int:link_id>/pictures/<picture_key>/<size>")
def show_shared_picture(
    link_id: int, picture_key: str, size: str
) -> ResponseReturnValue:
    """Give out a picture behind a link that shows names: a tablet tells its name."""
    door = open_shared_door(
        session(), link_id, page=TODAY, opened=opened_shares(), now=now()
    )
    if not door.shows_names:
        raise NotFoundError
    return _picture(door, picture_key, size)


def _picture(door: Door, key: str, size: str) -> ResponseReturnValue:
    found = picture_of(session(), door.patient_id, key)
    sizes = {"small": found.small, "whole": found.whole}
    if size not in sizes:
        raise NotFoundError
    return photo_answer(sizes[size])
