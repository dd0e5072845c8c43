"""The front door: first run, home, people, help."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.actions.sessions import renew_session
from pillweb.accounts.forms import FirstAccountForm
from pillweb.accounts.models import Account
from pillweb.accounts.queries import any_account, wants_second_way
from pillweb.accounts.rules import FOR_OTHER, SENTENCES, STORING
from pillweb.accounts.views.entering import GUESSES, enter
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.demo_password import demo_password
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.turns import take_turns
from pillweb.base.viewer import Viewer
from pillweb.base.visits import ACCOUNT, Visit, note_visit
from pillweb.base.words import date_words, full_date_words
from pillweb.invitations.queries import asked_by, is_offered
from pillweb.patients.forms import NewPersonForm, ZoneForm
from pillweb.portals.actions import add_person, load_demo
from pillweb.portals.queries import elder_just_loaded, person_just_added
from pillweb.portals.rules import CAREGIVER, ELDER
from pillweb.rights.queries import leaving_patients
from pillweb.setup.queries import unfinished_of
from pillweb.sharing.queries.doors import patients_of
from pillweb.sharing.rules import DOCTOR, PHARMACIST, SELF, Nav
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.look import spoken_look
from pillweb.web.security import limiter
from pillweb.web.tablet import tablet_secret
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import (
    current_viewer,
    opened_invitation,
    signed_in,
    stay_signed_in,
)

home = Blueprint("home", __name__)
NEW_PERSON, INVITATION = "/people/new", "/invitation"
NOTE_WORDS = {
    SELF: gettext_noop("You"),
    DOCTOR: gettext_noop("You are the doctor"),
    PHARMACIST: gettext_noop("You are the pharmacist"),
}


@home.get("/")
def show_home() -> ResponseReturnValue:
    """Send everybody where they belong."""
    viewer = current_viewer()
    if viewer is None:
        if tablet_secret():
            return go("/tablet")
        return go("/sign-in" if any_account(session()) else "/welcome")
    if _is_invited(viewer):
        return go(INVITATION)
    mine = patients_of(session(), viewer)
    if not mine:
        waits = asked_by(session(), viewer.account_id)
        is_back = waits or leaving_patients(session(), viewer)
        return go("/people" if is_back else NEW_PERSON)
    is_ready = len(mine) == 1 and not unfinished_of(session(), viewer.account_id)
    return go(f"/patients/{mine[0][0]}/today" if is_ready else "/people")


def _is_invited(viewer: Viewer) -> bool:
    invitation, to = opened_invitation(), viewer.account_id
    return is_offered(session(), invitation, to=to, now=now())


def _first_form() -> FirstAccountForm:
    return FirstAccountForm(asks_code=not settings().on_this_machine)


def _welcome(form: FirstAccountForm) -> dict[str, object]:
    return {
        "form": form,
        "action": "/welcome",
        "words": _(SENTENCES[STORING][1]),
        "demo_url": "/welcome/demo" if settings().on_this_machine else None,
    }


def _only_at_first() -> None:
    take_turns(session(), Account)
    if any_account(session()):
        raise NotFoundError


@home.get("/welcome")
def show_welcome() -> ResponseReturnValue:
    """Greet whoever opens an empty database."""
    if any_account(session()):
        return go("/")
    return page("accounts/welcome.html", **_welcome(_first_form()))


@home.post("/welcome")
@limiter.limit(GUESSES)
def post_welcome() -> ResponseReturnValue:
    """Make the first account and sign it in."""
    _only_at_first()
    form = _first_form()
    if not form.validate():
        return bad_form("accounts/welcome.html", **_welcome(form))
    return _enter(
        make_account(
            session(),
            name=said(form.name),
            email=said(form.email),
            password=said(form.password),
            look=spoken_look(),
            now=now(),
        ),
        NEW_PERSON,
    )


@home.post("/welcome/demo")
def post_demo() -> ResponseReturnValue:
    """Load the demo family and sign its elder in; only on this machine's own.

    Pressing twice loads one family and signs in all the same.
    """
    if not settings().on_this_machine:
        raise NotFoundError
    take_turns(session(), Account)
    elder = elder_just_loaded(session(), now=now())
    if elder is None:
        _only_at_first()
        elder = load_demo(session(), password=demo_password(), now=now())
    wake_after_commit("plan_doses")
    return _enter(elder, "/demo")


def _enter(account: Account, path: str) -> ResponseReturnValue:
    enter(account)
    return go(path)


@home.get("/demo")
def show_demo() -> ResponseReturnValue:
    """Say who is in the demo family and how to be each of them."""
    viewer = signed_in()
    if viewer.email not in {ELDER[1], CAREGIVER[1]}:
        raise NotFoundError
    return page(
        "portals/demo.html",
        nav=Nav(),
        people=(ELDER, CAREGIVER),
        password=demo_password(),
    )


@home.get("/people")
def show_people() -> ResponseReturnValue:
    """Show everybody whose medicines this account may see."""
    viewer = signed_in()
    mine = patients_of(session(), viewer)
    unfinished = unfinished_of(session(), viewer.account_id)
    return page(
        "portals/people.html",
        nav=Nav(),
        people=[
            {
                "url": f"/patients/{patient_id}/today",
                "name": name,
                "note": _(NOTE_WORDS[role]) if role in NOTE_WORDS else "",
                "set_up_url": f"/patients/{patient_id}/set-up"
                if patient_id in unfinished
                else "",
            }
            for patient_id, name, role in mine
        ],
        leaving=[
            {
                "url": f"/patients/{patient_id}/leaving",
                "name": name,
                "last_words": full_date_words(leaves_at.date()),
            }
            for patient_id, name, leaves_at in leaving_patients(session(), viewer)
        ],
        add_url=NEW_PERSON,
        asked=[date_words(at.date()) for at in asked_by(session(), viewer.account_id)],
        wants_second_way=wants_second_way(session(), viewer.account_id),
        invitation_url=INVITATION if _is_invited(viewer) else "",
    )


def _new_person(form: NewPersonForm) -> dict[str, object]:
    words = _(SENTENCES[FOR_OTHER][1])
    return {"nav": Nav(), "form": form, "action": NEW_PERSON, "words": words}


def _where(form: NewPersonForm, zone: ZoneForm) -> dict[str, object]:
    carried = {field.name: field.data or "" for field in form}
    return {"nav": Nav(), "form": zone, "action": NEW_PERSON, "carried": carried}


@home.get(NEW_PERSON)
def show_new_person() -> ResponseReturnValue:
    """Ask who takes medicine."""
    viewer = signed_in()
    first = not patients_of(session(), viewer)
    form = NewPersonForm(
        data={
            "who": "me" if first else "other",
            "name": viewer.name if first else "",
        }
    )
    return page("portals/new_person.html", **_new_person(form))


@home.post(NEW_PERSON)
def post_new_person() -> ResponseReturnValue:
    """Ask where the person lives; then add them, managed by this account."""
    viewer, form, where = signed_in(), NewPersonForm(), ZoneForm()
    if "back" in request.form:
        return page("portals/new_person.html", **_new_person(form))
    if not form.validate():
        return bad_form("portals/new_person.html", **_new_person(form))
    if "zone" not in request.form:
        return page("portals/where.html", **_where(form, where))
    if not where.validate():
        return bad_form("portals/where.html", **_where(form, where))
    is_self = form.who.data == "me"
    if is_self and _is_here(viewer, name=said(form.name), zone=where.zone.data):
        form.who.errors = [_("You are here already. Choose somebody you help.")]
        return bad_form("portals/new_person.html", **_new_person(form))
    is_first = not patients_of(session(), viewer)
    patient_id = add_person(
        session(),
        account_id=viewer.account_id,
        name=said(form.name),
        zone=where.zone.data,
        born=said(form.born),
        reminder_email=viewer.email,
        is_self=is_self,
        agreed=form.how,
        agreed_note=form.note,
        now=now(),
    )
    if is_first or is_self:
        # Whoever may do more than before gets another secret (ASVS 5.0, 7.2.4).
        stay_signed_in(
            renew_session(session(), viewer.session_id, is_proof=False, now=now())
        )
    note_visit(session(), Visit(patient_id, ACCOUNT, viewer.account_id, is_own=is_self))
    return go(f"/patients/{patient_id}/set-up/language")


def _is_here(viewer: Viewer, *, name: str, zone: str) -> bool:
    """Say whether the viewer was added as a patient before this press of the button."""
    twin = person_just_added(
        session(), viewer.account_id, name=name, zone=zone, now=now()
    )
    mine = patients_of(session(), viewer)
    return twin is None and any(role == SELF for *_, role in mine)


@home.get("/help")
def show_help() -> ResponseReturnValue:
    """Say in plain words how PillWeb works."""
    return page("help.html", nav=Nav() if current_viewer() else None)
