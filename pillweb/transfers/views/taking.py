"""Everything of a patient as a file to save."""

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.queue import REPORTS
from pillweb.base.words import full_date_words, long_date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import EVERYTHING, Door, Level, nav_of
from pillweb.transfers.actions.asking import want_file
from pillweb.transfers.models import TakenOut
from pillweb.transfers.queries.files import file_of, files_of, is_crowded, past_of
from pillweb.transfers.rules.names import disposition
from pillweb.web.htmx import go, page
from pillweb.web.look import spoken_look
from pillweb.web.numbers import row_number
from pillweb.web.security import SANDBOXED, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

taking = Blueprint("taking", __name__)
HERE = "/patients/<int:patient_id>/export"
FILES = "20 per hour"
A_PAGE = 50
BUSY = 503
STATE_WORDS = {
    "wanted": gettext_noop("The file is being made."),
    "failed": gettext_noop("The file could not be made. Please make a new one."),
}


def _open(patient_id: int) -> Door:
    """Open the door for whoever manages, and for the patient.

    Raises:
        NotFoundError: it is somebody else.
    """
    door = open_door(
        session(), signed_in(), patient_id, need=Level.VIEW, shows=EVERYTHING
    )
    if not (door.may_manage or door.is_self):
        raise NotFoundError
    return door


def _listed(door: Door, row: TakenOut) -> dict[str, object]:
    place = zone(door.zone)
    made = local(row.built_at or row.created_at, place)
    return {
        "url": f"{door.base_url}/export/{row.id}.zip" if row.state == "ready" else "",
        "words": _(
            "Everything as of %(date)s at %(time)s",
            date=long_date_words(made.date()),
            time=time_words(made.time()),
        ),
        "state_words": _(STATE_WORDS[row.state])
        if row.state in STATE_WORDS
        else _(
            "You can save it until %(date)s.",
            date=long_date_words(local(row.expires_at, place).date()),
        ),
    }


@taking.get(HERE)
def show_export(patient_id: int) -> ResponseReturnValue:
    """Say what such a file holds, and which there are for the viewer."""
    door = _open(patient_id)
    files = files_of(session(), door.patient_id, signed_in().account_id, now=now())
    return page(
        "transfers/export.html",
        nav=nav_of(door),
        base_url=door.base_url,
        here=f"{door.base_url}/export",
        files=[_listed(door, row) for row in files],
        has_past=bool(past_of(session(), door.patient_id, page=0, limit=1)),
        waits=any(row.state == "wanted" for row in files),
    )


@taking.post(HERE)
@limiter.limit(FILES)
def post_export(patient_id: int) -> ResponseReturnValue:
    """Have the file made by a worker."""
    door = _open(patient_id)
    if is_crowded(session()):
        abort(BUSY)
    want_file(
        session(),
        door.patient_id,
        account_id=signed_in().account_id,
        look=spoken_look().written,
        now=now(),
    )
    wake_after_commit("take_out", queue=REPORTS, timeout_s=600)
    return go(f"{door.base_url}/export")


@taking.get(f"{HERE}/<int:taken_id>.zip")
def show_file(patient_id: int, taken_id: int) -> ResponseReturnValue:
    """Give out a finished file to the account that asked for it, and to no other."""
    door = _open(patient_id)
    row = file_of(
        session(), door.patient_id, signed_in().account_id, taken_id, now=now()
    )
    made_on = local(row.built_at or row.created_at, zone(door.zone)).date()
    return Response(
        row.content,
        mimetype="application/zip",
        headers={
            "Content-Disposition": disposition(door.patient_name, made_on),
            "Content-Security-Policy": SANDBOXED,
        },
    )


@taking.get("/patients/<int:patient_id>/access/before")
def show_before(patient_id: int) -> ResponseReturnValue:
    """Show who looked and who changed elsewhere, before the patient was brought in."""
    door = _open(patient_id)
    number = request.args.get("page", default=0, type=row_number)
    found = past_of(session(), door.patient_id, page=number, limit=A_PAGE + 1)
    place = zone(door.zone)
    here = f"{door.base_url}/access/before"
    pages = [(here, _("The newest"))] if number else []
    if len(found) > A_PAGE:
        pages.append((f"{here}?page={number + 1}", _("Earlier")))
    return page(
        "transfers/before.html",
        nav=nav_of(door),
        base_url=door.base_url,
        lines=[
            (full_date_words(local(one.at, place).date()), one.words)
            for one in found[:A_PAGE]
        ],
        pages=pages,
    )
