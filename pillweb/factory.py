"""Puts the parts together into one web app."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Lock

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from pillweb.accounts.actions.sessions import note_session_seen
from pillweb.accounts.queries import viewer_of
from pillweb.accounts.rules import ADMIN_PROOF_LASTS, PROOF_LASTS, SEEN_EVERY
from pillweb.accounts.views.again import again, show_waiting
from pillweb.accounts.views.devices import devices
from pillweb.accounts.views.entering import entering
from pillweb.accounts.views.joining import accounts
from pillweb.accounts.views.oidc import oidc
from pillweb.accounts.views.passkeys import passkeys
from pillweb.accounts.views.printed import printed
from pillweb.accounts.views.ways import ways
from pillweb.adherence.views import adherence
from pillweb.admin.views import admin
from pillweb.answers.views.direct import direct_answers
from pillweb.answers.views.pages import answers
from pillweb.audit.views import audit, install_audit
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.log import log, start_logging
from pillweb.base.sight import let_see_as
from pillweb.base.viewer import Tablet, Viewer
from pillweb.base.web_db import web_database
from pillweb.contacts.views.owner import goes_to_oneself
from pillweb.contacts.views.points import contacts
from pillweb.contacts.views.stopping import stops
from pillweb.contacts.views.telling import helpers
from pillweb.contacts.views.testing import contact_tests
from pillweb.contacts.views.wishes import wishes
from pillweb.devices.actions.choosing import note_tablet_seen
from pillweb.devices.queries import tablet_of
from pillweb.devices.rules import OPEN_FOR, stays_open
from pillweb.devices.views.connecting import connecting
from pillweb.devices.views.faces import faces
from pillweb.devices.views.managing import tablets
from pillweb.doses.views.intakes import intakes
from pillweb.doses.views.notes import install_notes
from pillweb.doses.views.skips import skips
from pillweb.doses.views.today import doses
from pillweb.feeds.views import feeds
from pillweb.hooks.views import hooks
from pillweb.invitations.queries import is_offered
from pillweb.invitations.views.answering import invited
from pillweb.invitations.views.asking import asking
from pillweb.invitations.views.inviting import inviting
from pillweb.invitations.views.overview import access
from pillweb.looks.views import looks
from pillweb.papers.views.codes import codes
from pillweb.papers.views.printing import papers
from pillweb.portals.views.commands import install_commands
from pillweb.portals.views.home import home
from pillweb.portals.views.mailbox import mailbox
from pillweb.portals.views.plan_file import plan_file
from pillweb.portals.views.times import times
from pillweb.recovery.views.address import own_address
from pillweb.recovery.views.helped import helped
from pillweb.recovery.views.letting_in import letting_in
from pillweb.recovery.views.not_me import not_me
from pillweb.recovery.views.noticed import let_in_notices
from pillweb.recovery.views.texting import texting
from pillweb.reminders.views.alerts import alerts, seen_to_words
from pillweb.reminders.views.ladder import ladders
from pillweb.reminders.views.later import later
from pillweb.reports.views import reports
from pillweb.rights.views.account import own_leaving
from pillweb.rights.views.agreeing import agreeing
from pillweb.rights.views.keeping_in import keeping_in
from pillweb.rights.views.leaving import install_leaving, leaving
from pillweb.schedules.views.changes import changes
from pillweb.schedules.views.check import checks
from pillweb.schedules.views.drafts import drafts
from pillweb.schedules.views.hiding import hiding
from pillweb.schedules.views.imports import imports
from pillweb.schedules.views.looks import medicine_looks
from pillweb.schedules.views.medicines import schedules
from pillweb.setup.views import set_up
from pillweb.sharing.views.links import sharing
from pillweb.sharing.views.opening import openings
from pillweb.sharing.views.people import people
from pillweb.supply.views.change import supply_changes
from pillweb.supply.views.show import supply
from pillweb.sync.views import sync
from pillweb.trail.views import trail
from pillweb.transfers.rules.archive import MOST_BYTES
from pillweb.transfers.views.account import own_data
from pillweb.transfers.views.bringing import bringing
from pillweb.transfers.views.taking import taking
from pillweb.watch.views import health, install_delays
from pillweb.web.again import install_again
from pillweb.web.errors import install_errors
from pillweb.web.files import install_files
from pillweb.web.filters import install_filters
from pillweb.web.htmx import install_htmx
from pillweb.web.limits import install_limits
from pillweb.web.look import install_look
from pillweb.web.numbers import install_numbers
from pillweb.web.press import install_press
from pillweb.web.security import install_security
from pillweb.web.tablet import install_tablet
from pillweb.web.transaction import install_transactions, session
from pillweb.web.viewer import install_viewer

BLUEPRINTS = (
    home,
    doses,
    intakes,
    skips,
    adherence,
    supply,
    supply_changes,
    schedules,
    drafts,
    checks,
    changes,
    hiding,
    imports,
    medicine_looks,
    plan_file,
    set_up,
    contacts,
    contact_tests,
    wishes,
    helpers,
    stops,
    access,
    people,
    sharing,
    openings,
    inviting,
    invited,
    asking,
    tablets,
    connecting,
    faces,
    agreeing,
    keeping_in,
    leaving,
    own_leaving,
    reports,
    papers,
    codes,
    taking,
    bringing,
    own_data,
    answers,
    direct_answers,
    hooks,
    alerts,
    ladders,
    later,
    feeds,
    accounts,
    entering,
    again,
    devices,
    ways,
    passkeys,
    printed,
    oidc,
    letting_in,
    let_in_notices,
    not_me,
    own_address,
    helped,
    texting,
    times,
    looks,
    sync,
    trail,
    audit,
    admin,
    mailbox,
    health,
)
SHARING = "/patients/<int:patient_id>/sharing"
# What must be one's own to do: asked who it is where that was shown longer ago.
ASKS_AGAIN = {
    "GET /account/email": PROOF_LASTS,
    "POST /account/email": PROOF_LASTS,
    "POST /account/contacts/new/<channel>": PROOF_LASTS,
    "POST /account/contacts/<int:contact_id>/remove": PROOF_LASTS,
    "POST /account/sessions/<int:session_id>/end": PROOF_LASTS,
    "POST /account/sessions/end-others": PROOF_LASTS,
    "GET /account/passkeys/new": PROOF_LASTS,
    "POST /account/passkeys/new": PROOF_LASTS,
    "POST /account/passkeys/new/ask": PROOF_LASTS,
    "POST /account/passkeys/<int:passkey_id>/remove": PROOF_LASTS,
    "GET /account/password/new": PROOF_LASTS,
    "POST /account/password/new": PROOF_LASTS,
    "POST /account/password/remove": PROOF_LASTS,
    "POST /account/printed-codes": PROOF_LASTS,
    "POST /account/sign-in-by": PROOF_LASTS,
    "POST /account/sign-in-by/remove": PROOF_LASTS,
    "POST /account/let-in": PROOF_LASTS,
    "POST /let-in/<int:trust_id>/start": PROOF_LASTS,
    "POST /let-in/<int:trust_id>/code": PROOF_LASTS,
    f"POST {SHARING}/links": PROOF_LASTS,
    f"POST {SHARING}/invite": PROOF_LASTS,
    f"POST {SHARING}/code": PROOF_LASTS,
    f"POST {SHARING}/people/<int:grant_id>": PROOF_LASTS,
    "POST /patients/<int:patient_id>/medicines/<int:medication_id>/who-sees": (
        PROOF_LASTS
    ),
    f"POST {SHARING}/requests/<int:request_id>": PROOF_LASTS,
    "POST /patients/<int:patient_id>/tablets": PROOF_LASTS,
    "POST /patients/<int:patient_id>/export": PROOF_LASTS,
    "GET /patients/<int:patient_id>/export/<int:taken_id>.zip": PROOF_LASTS,
    "GET /patients/<int:patient_id>/medicines.fhir.json": PROOF_LASTS,
    "GET /patients/<int:patient_id>/reports/<int:report_id>.pdf": PROOF_LASTS,
    "POST /patients/<int:patient_id>/reports": PROOF_LASTS,
    "POST /patients/<int:patient_id>/calendar-feed": PROOF_LASTS,
    "POST /patients/<int:patient_id>/contacts/new/<channel>": PROOF_LASTS,
    "POST /patients/<int:patient_id>/set-up/test": PROOF_LASTS,
    "POST /patients/<int:patient_id>/tablets/<int:place_id>/pin": PROOF_LASTS,
    f"POST {SHARING}/for-now": PROOF_LASTS,
    f"POST {SHARING}/for-now/end": PROOF_LASTS,
    "POST /patients/<int:patient_id>/leave": PROOF_LASTS,
    "POST /account/leave": PROOF_LASTS,
    "GET /account/data.json": PROOF_LASTS,
    "GET /admin/messages": ADMIN_PROOF_LASTS,
    "POST /admin/messages": ADMIN_PROOF_LASTS,
    "GET /admin/backups": ADMIN_PROOF_LASTS,
}
# What asks nobody after all: reminders that go to who is signed in.
SPARED = {
    "POST /patients/<int:patient_id>/contacts/new/<channel>": goes_to_oneself,
    "POST /patients/<int:patient_id>/set-up/test": goes_to_oneself,
}
# A file of everything of somebody; the rest of its form is small.
LARGER_FILES = {"bringing.post_import_person": MOST_BYTES + 100_000}
_seeing = Lock()


def _who(token: str) -> Viewer | None:
    viewer = viewer_of(session(), token, now=now())
    if viewer is not None:
        let_see_as(session(), viewer)
    return viewer


def _is_offered(opened: bytes) -> bool:
    return is_offered(session(), opened, now=now())


def _tablet(secret: str) -> Tablet | None:
    return tablet_of(session(), secret, now=now())


def _seen(viewer: Viewer) -> None:
    """Write down that a session is used, now and then."""
    if viewer.seen_at is None or viewer.at - viewer.seen_at >= SEEN_EVERY:
        _keep_seen(partial(note_session_seen, session_id=viewer.session_id), viewer.at)


def _tablet_seen(tablet: Tablet, is_used: bool) -> None:
    """Write down that a tablet is used: of one opened by a picture each minute."""
    is_known = tablet.at - tablet.seen_at < SEEN_EVERY
    is_going_on = is_used and stays_open(tablet.open_until, now=tablet.at)
    if is_going_on or not is_known:
        note = partial(note_tablet_seen, tablet=tablet, is_used=is_used)
        _keep_seen(note, tablet.at)


def _keep_seen(note: Callable[..., None], at: datetime) -> None:
    """Keep that somebody is here, in nobody's way: it may fail, or be left out."""
    if not _seeing.acquire(blocking=False):
        return
    try:
        with web_database().transaction() as kept:
            note(kept, now=at)
    except SQLAlchemyError as error:
        log.warning("seen_not_kept", error=type(error).__name__)
    finally:
        _seeing.release()


def create_app() -> Flask:
    """Return the app, ready to serve.

    Raises:
        SystemExit: the settings are unsafe; it says in plain sentences why.
    """
    found = settings()
    start_logging(found.log_level)
    app = Flask("pillweb", static_folder=None)
    install_htmx(app)
    install_numbers(app)
    install_transactions(app)
    install_errors(app)
    install_leaving(app)
    install_viewer(app, _who, _seen, _is_offered)
    install_tablet(app, _tablet, _tablet_seen, closes_after=OPEN_FOR)
    install_look(app)
    install_press(app)
    install_notes(app, seen_to_words)
    install_audit(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    install_limits(app)
    install_commands(app)
    install_files(app)
    install_security(app, found, larger=LARGER_FILES)
    install_again(app, ASKS_AGAIN, show_waiting, spared=SPARED)
    install_filters(app, found)
    install_delays(app)
    return app
