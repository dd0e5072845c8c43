"""Somebody is brought in from a file of another PillWeb."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.sessions import renew_session
from pillweb.accounts.rules import FOR_OTHER, SENTENCES
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.queue import REPORTS
from pillweb.base.viewer import Viewer
from pillweb.base.words import long_date_words
from pillweb.sharing.rules import SELF, Nav
from pillweb.transfers.actions.asking import agree, want_look
from pillweb.transfers.forms import NOT_OURS, BringForm, FileForm
from pillweb.transfers.models import BroughtIn
from pillweb.transfers.queries.files import brought_of, found_in, is_patient, twins_of
from pillweb.transfers.rules.archive import MEGABYTE, MOST_BYTES
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.security import limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in, stay_signed_in

bringing = Blueprint("bringing", __name__)
HERE = "/people/import"
FILES = "20 per hour"
AGAIN = "again"
PROBLEMS = {
    "not_ours": NOT_OURS,
    "newer": gettext_noop(
        "This file is from a newer PillWeb. Bring PillWeb here up to date first."
    ),
    "ours": gettext_noop("We could not bring this in, and that is our fault."),
}


def _file_page(form: FileForm) -> dict[str, object]:
    most = MOST_BYTES // MEGABYTE
    return {"nav": Nav(), "form": form, "action": HERE, "most": most}


@bringing.get(HERE)
def show_import_person() -> ResponseReturnValue:
    """Ask for the file."""
    signed_in()
    return page("transfers/import.html", **_file_page(FileForm()))


@bringing.post(HERE)
@limiter.limit(FILES)
def post_import_person() -> ResponseReturnValue:
    """Have a file looked through by a worker; nothing of it is in use yet."""
    viewer = signed_in()
    form = FileForm()
    content = form.read()
    if content is None:
        return bad_form("transfers/import.html", **_file_page(form))
    row = want_look(session(), account_id=viewer.account_id, content=content, now=now())
    wake_after_commit("bring_in", queue=REPORTS, timeout_s=600)
    return go(f"{HERE}/{row.id}")


def _form(viewer: Viewer) -> BringForm:
    is_here = is_patient(session(), viewer.account_id, now=now())
    return BringForm(may_be_self=not is_here)


def _is_twin(viewer: Viewer, found: Mapping[str, Any]) -> bool:
    created_at = datetime.fromisoformat(found["created_at"])
    return twins_of(session(), viewer.account_id, created_at=created_at, now=now())


def _brought(viewer: Viewer, row: BroughtIn, form: BringForm) -> dict[str, object]:
    found = found_in(row)
    told: dict[str, object] = {
        "nav": Nav(),
        "form": form,
        "here": f"{HERE}/{row.id}",
        "waits": row.state == "wanted",
        "is_agreed": row.agreed_at is not None,
        "problem": _(PROBLEMS[row.problem]) if row.problem in PROBLEMS else "",
        "set_up_url": f"/patients/{row.made_id}/set-up" if row.made_id else "",
        "found": found,
        "file_url": HERE,
    }
    if found:
        made = datetime.fromisoformat(found["made_at"])
        told["made_words"] = long_date_words(made.date())
        told["is_twin"] = _is_twin(viewer, found)
        told["words"] = _(SENTENCES[FOR_OTHER][1])
    return told


@bringing.get(f"{HERE}/<int:brought_id>")
def show_brought(brought_id: int) -> ResponseReturnValue:
    """Say what is in a file, and ask whether to bring it in."""
    viewer = signed_in()
    row = brought_of(session(), viewer.account_id, brought_id, now=now())
    return page("transfers/brought.html", **_brought(viewer, row, _form(viewer)))


@bringing.post(f"{HERE}/<int:brought_id>")
def post_brought(brought_id: int) -> ResponseReturnValue:
    """Have it brought in; somebody who is here already only when that was said."""
    viewer = signed_in()
    form = _form(viewer)
    row = brought_of(session(), viewer.account_id, brought_id, now=now())
    here = f"{HERE}/{row.id}"
    if not row.found:
        return go(here)
    is_unasked = _is_twin(viewer, found_in(row)) and AGAIN not in request.form
    if is_unasked or not form.validate():
        return bad_form("transfers/brought.html", **_brought(viewer, row, form))
    role = SELF if form.who.data == "me" else "caregiver"
    if agree(session(), row, role=role, how=form.how, note=form.note, now=now()):
        # Whoever may do more than before gets another secret (ASVS 5.0, 7.2.4).
        stay_signed_in(
            renew_session(session(), viewer.session_id, is_proof=False, now=now())
        )
        wake_after_commit("bring_in", queue=REPORTS, timeout_s=600)
    return go(here)
