"""Pages to sign in with an OpenID provider, such as Google."""

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.entering import enter_by_code
from pillweb.accounts.actions.identities import (
    Met,
    Outcome,
    begin_oidc,
    identities_of,
    join_proven,
    meet,
    new_sent,
    oidc_try_of,
    remove_identities,
    use_oidc_try,
)
from pillweb.accounts.forms import CodeForm
from pillweb.accounts.models import Account
from pillweb.accounts.rules import (
    NEW_PROVIDER,
    NO_PROVIDER,
    PROOF_LASTS,
    safe_path,
)
from pillweb.accounts.views.entering import (
    CODES,
    GUESSES,
    enter,
    send_mail,
    wrong_code,
)
from pillweb.accounts.views.signing import tell
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.digits import read_digits
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.channels.oidc import (
    BACK,
    Sent,
    address_to_sign_in,
    is_ready,
    provider_name,
    who_came_back,
)
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page, wrong_try
from pillweb.web.look import spoken_look
from pillweb.web.security import limiter
from pillweb.web.transaction import let_others_write, session
from pillweb.web.viewer import (
    asked_mail,
    came_from,
    current_viewer,
    invitation_offered,
    remember_way,
    signed_in,
)

oidc = Blueprint("oidc", __name__)

START, CODE = "/sign-in/oidc", "/sign-in/oidc/code"
OWN = "/account/sign-in-by"
CODE_PAGE, FAILED = "accounts/oidc_code.html", "accounts/oidc_failed.html"


def _is_set_up() -> None:
    if not is_ready():
        raise NotFoundError


def _send_there(*, account_id: int | None, path: str) -> ResponseReturnValue:
    """Show the way to the provider.

    Not by a redirect: pages let forms lead to nobody but ourselves (form-action).
    """
    sent = new_sent()
    let_others_write()
    url = address_to_sign_in(sent)
    if url is None:
        return wrong_try(FAILED, name=provider_name())
    remember_way(begin_oidc(session(), sent, account_id=account_id, now=now()), path)
    answer = make_response(page("accounts/oidc_go.html", url=url, name=provider_name()))
    # It goes on by itself; where a browser does not, there is a button.
    answer.headers["refresh"] = f"0;url={url}"
    return answer


@oidc.post(START)
@limiter.limit(GUESSES)
def post_start() -> ResponseReturnValue:
    """Send a browser to the provider, to sign in."""
    _is_set_up()
    path = safe_path(request.args.get("next", ""))
    return _send_there(account_id=None, path=path)


@oidc.get(OWN)
def show_own() -> ResponseReturnValue:
    """Say whether the viewer signs in with the provider."""
    viewer = signed_in()
    _is_set_up()
    return page(
        "accounts/oidc_own.html",
        action=OWN,
        name=provider_name(),
        has_some=bool(identities_of(session(), viewer.account_id)),
    )


@oidc.post(OWN)
def post_own() -> ResponseReturnValue:
    """Send a browser to the provider, to add that to the viewer's account."""
    viewer = signed_in()
    _is_set_up()
    return _send_there(account_id=viewer.account_id, path=OWN)


@oidc.post(f"{OWN}/remove")
def post_remove() -> ResponseReturnValue:
    """Let the provider sign the viewer in no more; the mailed code always stands."""
    viewer = signed_in()
    _is_set_up()
    if identities_of(session(), viewer.account_id):
        remove_identities(session(), viewer.account_id)
        tell(viewer.account_id, NO_PROVIDER)
    return go(OWN, notice=_("Saved."))


@oidc.get(BACK)
def show_back() -> ResponseReturnValue:
    """Show one button to whoever comes back: looking signs nobody in."""
    _is_set_up()
    facts = {name: request.args.get(name, "") for name in ("state", "code", "iss")}
    is_sent_by = facts["iss"] in {"", settings().oidc_issuer}
    if not (facts["state"] and facts["code"] and is_sent_by):
        return page(FAILED, name=provider_name())
    return page(
        "accounts/oidc_back.html", action=BACK, facts=facts, name=provider_name()
    )


@oidc.post(BACK)
@limiter.limit(GUESSES)
def post_back() -> ResponseReturnValue:
    """Ask the provider who it is, and let them in, or go on from there."""
    _is_set_up()
    viewer, (secret, path) = current_viewer(), came_from()
    row = oidc_try_of(
        session(), request.form.get("state", ""), browser=secret, now=now()
    )
    if row.account_id is not None and (
        viewer is None or viewer.account_id != row.account_id
    ):
        raise LinkGoneError
    try_id, sent = row.id, Sent("", row.nonce, row.verifier)
    let_others_write()
    who = who_came_back(request.form.get("code", ""), sent=sent, now=now())
    used = use_oidc_try(session(), try_id, now=now())
    if who is None:
        return wrong_try(FAILED, name=provider_name())
    met = meet(
        session(),
        used,
        who,
        issuer=settings().oidc_issuer,
        may_sign_up=settings().sign_up or invitation_offered() is not None,
        look=spoken_look(),
        now=now(),
    )
    is_proof = who.asked_at is not None and who.asked_at > now() - PROOF_LASTS
    return _answer(met, path, is_proof=is_proof)


def _answer(met: Met, path: str, *, is_proof: bool) -> ResponseReturnValue:
    if met.outcome == Outcome.ENTER and met.account is not None:
        enter(met.account, is_proof=is_proof)
        return go(safe_path(path))
    if met.outcome == Outcome.LINKED and met.account is not None:
        tell(met.account.id, NEW_PROVIDER)
        return go(OWN, notice=_("Saved."))
    if met.outcome == Outcome.PROVE and met.account is not None:
        send_mail(met.account.email, is_own_device=False, path=path)
        return page(CODE_PAGE, form=CodeForm(), action=CODE, email=met.account.email)
    is_taken = met.outcome == Outcome.TAKEN
    return wrong_try(
        "accounts/oidc_unknown.html", name=provider_name(), is_taken=is_taken
    )


@oidc.post(CODE)
@limiter.limit(CODES)
def post_code() -> ResponseReturnValue:
    """Take the mailed code as proof: from now on the provider signs them in."""
    _is_set_up()
    form, (secret, path) = CodeForm(), asked_mail()
    if not form.validate():
        return bad_form(CODE_PAGE, form=form, action=CODE, email="")
    code = read_digits(said(form.code))
    mail = enter_by_code(session(), browser=secret, code=code, now=now())
    if mail is None or mail.account_id is None:
        return wrong_code(form, CODE_PAGE, action=CODE, email="")
    join_proven(
        session(),
        browser=came_from()[0],
        account_id=mail.account_id,
        issuer=settings().oidc_issuer,
        now=now(),
    )
    tell(mail.account_id, NEW_PROVIDER)
    enter(session().get_one(Account, mail.account_id))
    return go(safe_path(path))
