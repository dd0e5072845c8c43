"""The record is written where requests end, and read by the family on a page."""

from collections.abc import Callable, Collection
from datetime import datetime
from itertools import groupby

from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue

from pillweb.audit.actions import append_entry, append_look
from pillweb.audit.models import AuditEntry
from pillweb.audit.queries import entries_of, looked_lately, names_among
from pillweb.audit.rules.words import FILES, NOT_DONE, act_words, who_words
from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.log import log
from pillweb.base.visits import (
    ACCOUNT,
    HOUSE,
    MESSAGE,
    NOBODY,
    Visit,
    note_visit,
    visits_of,
)
from pillweb.base.web_db import web_database
from pillweb.base.words import full_date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import page
from pillweb.web.numbers import row_number
from pillweb.web.press import is_doubted
from pillweb.web.transaction import FIRST_FAILURE, SAFE, session
from pillweb.web.viewer import current_viewer, signed_in

audit = Blueprint("audit", __name__)
A_PAGE = 50
# Not 401: whoever is asked again who they are is refused nothing.
REFUSED = frozenset({403, 404, 422, 429})
# A form that was not accepted comes back with all that its page shows.
SHOWN_AGAIN = frozenset({409, 422})
SIGN_IN = frozenset(
    {
        "again.post_again",
        "again.post_again_code",
        "again.post_again_mail",
        "again.post_again_passkey",
        "again.post_again_passkey_asks",
        "connecting.post_pair",
        "entering.post_code",
        "entering.post_entry",
        "entering.post_passkey_asks",
        "entering.post_passkey_sign_in",
        "entering.post_password_sign_in",
        "entering.post_sign_in",
        "helped.post_end",
        "helped.post_helped",
        "helped.post_link",
        "oidc.post_back",
        "oidc.post_code",
        "oidc.post_start",
        "printed.post_printed_sign_in",
        "texting.post_phone",
    }
)


def _ids() -> dict[str, int]:
    """Return the ids in the address: never a secret, and nothing that was typed."""
    found = request.view_args or {}
    return {name: value for name, value in found.items() if isinstance(value, int)}


def _record(response: Response) -> Response:
    """Write what a request did with its work, and what it showed after the answer."""
    opened = visits_of(g.session) if "session" in g else []
    act = request.endpoint or ""
    if response.status_code >= FIRST_FAILURE:
        if refused := _refused(act, response.status_code, opened):
            _after(response, refused, act)
        if response.status_code in SHOWN_AGAIN:
            _looks(response, opened, f"{act}{NOT_DONE}")
    elif request.method not in SAFE:
        if not is_doubted():
            for visit in opened:
                append_entry(session(), visit, act=act, ids=_ids(), now=now())
    elif request.method == "GET":
        _looks(response, opened, act)
    return response


def _looks(response: Response, opened: Collection[Visit], act: str) -> None:
    for visit in opened:
        if _is_told(visit, act):
            _after(response, visit, act)


def _is_told(visit: Visit, act: str) -> bool:
    """Say whether a look is written: of others always, of one's own what leaves.

    A page behind a message may be opened by a scanner, and shows nobody's name.
    """
    return visit.by != MESSAGE and (not visit.is_own or act in FILES)


def _refused(act: str, status: int, opened: Collection[Visit]) -> Visit | None:
    """Return whom the house remembers: refused at a door, or at signing in."""
    if status not in REFUSED:
        return None
    if act not in SIGN_IN and (opened or "patient_id" not in _ids()):
        return None
    viewer = current_viewer()
    if viewer is not None:
        return Visit(HOUSE, ACCOUNT, viewer.account_id)
    return Visit(HOUSE, NOBODY) if act in SIGN_IN else None


def _after(response: Response, visit: Visit, act: str) -> None:
    """Write a look when the answer has left, so that no page waits or fails by it."""
    response.call_on_close(_look(visit, act=act, ids=_ids(), at=now()))


def _look(
    visit: Visit, *, act: str, ids: dict[str, int], at: datetime
) -> Callable[[], None]:
    def write() -> None:
        try:
            with web_database().reading() as reader:
                note_visit(reader, visit)
                if looked_lately(reader, visit, act=act, ids=ids, now=at):
                    return
            with web_database().transaction() as writer:
                note_visit(writer, visit)
                append_look(writer, visit, act=act, ids=ids, now=at)
        except Exception:  # noqa: BLE001 - the page stands, whatever became of this
            log.exception("look_not_recorded", patient=visit.patient_id, act=act)

    return write


@audit.get("/patients/<int:patient_id>/access")
def show_access(patient_id: int) -> ResponseReturnValue:
    """Show who looked at a patient's data and who changed it, newest first."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    if not (door.may_manage or door.is_self):
        raise NotFoundError
    before = request.args.get("before", type=row_number)
    found = entries_of(
        session(),
        door.patient_id,
        before=before,
        limit=A_PAGE + 1,
        is_own=door.is_self,
    )
    shown, is_more = found[:A_PAGE], len(found) > A_PAGE
    here = f"{door.base_url}/access"
    pages = [(here, _("The newest"))] if before else []
    if is_more:
        pages.append((f"{here}?before={shown[-1].seq}", _("Earlier")))
    return page(
        "audit/access.html",
        nav=nav_of(door),
        base_url=door.base_url,
        days=_days(door, shown),
        pages=pages,
    )


def _days(door: Door, entries: Collection[AuditEntry]) -> list[dict[str, object]]:
    place = zone(door.zone)
    names, labels = names_among(session(), entries)

    def words(one: AuditEntry) -> tuple[str, str]:
        who = who_words(
            one.by,
            account_id=one.account_id,
            name=names.get(one.account_id or 0),
            label=labels.get((one.by, one.link_id or 0)),
            patient_name=door.patient_name,
        )
        return time_words(local(one.at, place).time()), act_words(one.act, who)

    by_day = groupby(entries, key=lambda one: local(one.at, place).date())
    return [
        {"words": full_date_words(on), "lines": [words(one) for one in some]}
        for on, some in by_day
    ]


def install_audit(app: Flask) -> None:
    """Write the record of every request, with its work: before that is kept."""
    app.after_request(_record)
