"""Pages of who trusts somebody, and of who is trusted."""

from datetime import timedelta

from flask import Blueprint
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from pillweb.accounts.models import Account, RecoveryHelper
from pillweb.accounts.rules import NEW_HELPERS
from pillweb.accounts.views.signing import tell
from pillweb.base.clock import now
from pillweb.base.digits import spaced
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.links import link
from pillweb.base.visits import ACCOUNT, Visit, note_visit
from pillweb.recovery.actions.naming import name_helpers
from pillweb.recovery.actions.starting import start_recovery, stop_recovery
from pillweb.recovery.actions.using import make_recovery_code
from pillweb.recovery.forms import HelpersForm
from pillweb.recovery.queries import (
    helpers_to_name,
    named_helpers,
    open_recovery,
    people_to_let_in,
    shared_patients,
    trust_of,
)
from pillweb.recovery.rules import NOTHING, READY, STEP_WORDS, WAITING
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

letting_in = Blueprint("letting_in", __name__)

TRUST, LET_IN = "/account/let-in", "/let-in"
ONE = f"{LET_IN}/<int:trust_id>"
A_DAY = timedelta(days=1)


def note_recovery(account_id: int, helper_id: int, *, by_id: int) -> None:
    """Let it be written to the patients whom the two share who did something."""
    for patient_id in shared_patients(session(), account_id, helper_id, now=now()):
        note_visit(session(), Visit(patient_id, ACCOUNT, account_id=by_id))


def _helpers_form() -> HelpersForm:
    account_id = signed_in().account_id
    named = sorted(named_helpers(session(), account_id))
    return HelpersForm(
        helpers_to_name(session(), account_id, now=now()),
        data={"helpers": [str(one) for one in named]},
    )


@letting_in.get(TRUST)
def show_helpers() -> ResponseReturnValue:
    """Ask whom somebody trusts to let them in again."""
    return page("recovery/helpers.html", form=_helpers_form(), action=TRUST)


@letting_in.post(TRUST)
def post_helpers() -> ResponseReturnValue:
    """Trust these people, and nobody else."""
    viewer, form = signed_in(), _helpers_form()
    if not form.validate():
        return bad_form("recovery/helpers.html", form=form, action=TRUST)
    chosen = [int(one) for one in form.helpers.data or []]
    before = named_helpers(session(), viewer.account_id)
    name_helpers(session(), viewer.account_id, chosen, now=now())
    if named_helpers(session(), viewer.account_id) != before:
        tell(viewer.account_id, NEW_HELPERS)
    return go(TRUST, notice=_("Saved."))


@letting_in.post(f"{TRUST}/stop")
def post_stop_own() -> ResponseReturnValue:
    """Stop whoever is about to let the viewer in again."""
    viewer = signed_in()
    found = open_recovery(session(), viewer.account_id, now=now())
    if found is not None:
        note_recovery(found.account_id, found.helper_id, by_id=viewer.account_id)
        stop_recovery(found, now=now())
    return go("/", notice=_("It is stopped. Nobody is let in."))


@letting_in.get(LET_IN)
def show_people() -> ResponseReturnValue:
    """Show whom the viewer may let in again, and how far that is."""
    found = people_to_let_in(session(), signed_in().account_id, now=now())
    cards = [
        {
            "name": one.name,
            "url": f"{LET_IN}/{one.trust_id}",
            "words": _(STEP_WORDS[one.step]) if one.step != NOTHING else "",
            "is_waiting": one.step == WAITING,
            "is_ready": one.step == READY,
        }
        for one in found
    ]
    return page("recovery/people.html", cards=cards)


def _trust(trust_id: int) -> RecoveryHelper:
    """Return by what the viewer lets somebody in; it is written that they try."""
    viewer = signed_in()
    trust = trust_of(session(), viewer.account_id, trust_id, now=now())
    note_recovery(trust.account_id, trust.helper_id, by_id=viewer.account_id)
    return trust


@letting_in.post(f"{ONE}/start")
def post_start(trust_id: int) -> ResponseReturnValue:
    """Begin to let somebody in again; they are told everywhere."""
    if not start_recovery(session(), _trust(trust_id), now=now()):
        raise TooManyRequests(retry_after=int(A_DAY.total_seconds()))
    wake_after_commit("deliver")
    return go(LET_IN, notice=_("They are told now, everywhere we can reach them."))


@letting_in.post(f"{ONE}/code")
def post_code(trust_id: int) -> ResponseReturnValue:
    """Make a code for the person, and show it this once."""
    trust = _trust(trust_id)
    token, code = make_recovery_code(session(), trust, now=now())
    account = session().get_one(Account, trust.account_id)
    return page(
        "recovery/code.html",
        name=account.name,
        code=spaced(code),
        where=link("/sign-in/helped"),
        url=link(f"/l/{token}"),
        back_url=LET_IN,
    )


@letting_in.post(f"{ONE}/stop")
def post_stop(trust_id: int) -> ResponseReturnValue:
    """Take back what the viewer began."""
    trust = _trust(trust_id)
    found = open_recovery(session(), trust.account_id, now=now())
    if found is None or found.helper_id != trust.helper_id:
        raise NotFoundError
    stop_recovery(found, now=now())
    return go(LET_IN, notice=_("It is stopped. Nobody is let in."))
