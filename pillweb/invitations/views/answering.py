"""Pages of who was invited: a button, an account, and then yes or no."""

from datetime import timedelta

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.sessions import renew_session
from pillweb.accounts.views.entering import signed_out
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.words import date_words
from pillweb.base.zones import local, zone
from pillweb.invitations.actions.inviting import accept_invitation, decline_invitation
from pillweb.invitations.queries import (
    invitation_behind,
    invitation_kept,
    invitation_opened,
    is_for,
)
from pillweb.invitations.rules import first_name
from pillweb.patients.models import Patient
from pillweb.sharing.rules import PENDING, SELF, Nav, access_words
from pillweb.web.htmx import go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import (
    current_viewer,
    forget_invitation,
    opened_invitation,
    remember_invitation,
    signed_in,
    stay_signed_in,
)

invited = Blueprint("invited", __name__)

GUESSES = "30 per 10 minutes"
HERE = "/invitation"
A_DAY = timedelta(days=1)


@invited.get("/i/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_offer(token: str) -> ResponseReturnValue:
    """Show one button: mail scanners open links, people press buttons."""
    invitation_behind(session(), token, now=now())
    return page("invitations/open.html", action=f"/i/{token}", shown=shown_here())


@invited.post("/i/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_offer(token: str) -> ResponseReturnValue:
    """Keep the invitation in this browser, and leave its secret behind."""
    row = invitation_behind(session(), token, now=now())
    if not is_pressed():
        return go(once_more(f"/i/{token}"))
    remember_invitation(row.token_hash)
    return go(HERE)


def _opened() -> int:
    return invitation_kept(session(), opened_invitation())


@invited.get(HERE)
def show_invitation() -> ResponseReturnValue:
    """Say what is offered; whoever has not signed in is asked to, first."""
    row = invitation_opened(session(), _opened(), now=now())
    viewer = current_viewer()
    who = viewer.account_id if viewer else None
    patient = session().get_one(Patient, row.patient_id)
    last = local(row.ends_at - A_DAY, zone(patient.zone)) if row.ends_at else None
    return page(
        "invitations/invitation.html",
        nav=Nav() if viewer else None,
        viewer=viewer,
        made_for=row.label if row.made_by_id == who else "",
        may_accept=who is not None and is_for(session(), row, who, now=now()),
        base_url=f"/patients/{row.patient_id}",
        next_url=HERE,
        patient_name=first_name(patient.name),
        is_own=row.role == SELF,
        access=access_words(row.level, row.sees),
        ends=_("Until %(date)s.", date=date_words(last.date())) if last else "",
    )


@invited.post(f"{HERE}/accept")
def post_accept() -> ResponseReturnValue:
    """Let the viewer in, as was offered; pressed twice it is once."""
    viewer = signed_in()
    grant = accept_invitation(
        session(), _opened(), account_id=viewer.account_id, now=now()
    )
    if grant is None:
        return go(HERE)
    if grant.status == PENDING:
        wake_after_commit("look_after_access")
        return go("/people", notice=_("Thank you. Now they say whether it is you."))
    # Whoever may do more than before gets another secret (ASVS 5.0, 7.2.4).
    stay_signed_in(
        renew_session(session(), viewer.session_id, is_proof=False, now=now())
    )
    return go(f"/patients/{grant.patient_id}/today")


@invited.post(f"{HERE}/not-me")
def post_not_me() -> ResponseReturnValue:
    """Sign this browser out, and keep the invitation for whom it is for."""
    row = invitation_opened(session(), _opened(), now=now())
    answer = signed_out(HERE)
    remember_invitation(row.token_hash)
    return answer


@invited.post(f"{HERE}/decline")
def post_decline() -> ResponseReturnValue:
    """Say no."""
    viewer = signed_in()
    decline_invitation(session(), _opened(), account_id=viewer.account_id, now=now())
    forget_invitation()
    return go("/people", notice=_("You said no. Nothing was shared."))
