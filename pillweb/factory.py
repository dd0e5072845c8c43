"""Puts the parts together into one web app."""

from flask import Flask

from pillweb.accounts.queries import viewer_of
from pillweb.accounts.views import accounts
from pillweb.adherence.views import adherence
from pillweb.admin.views import admin
from pillweb.answers.views.direct import direct_answers
from pillweb.answers.views.pages import answers
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.log import start_logging
from pillweb.base.viewer import Viewer
from pillweb.contacts.views.points import contacts
from pillweb.contacts.views.stopping import stops
from pillweb.contacts.views.telling import helpers
from pillweb.contacts.views.testing import contact_tests
from pillweb.contacts.views.wishes import wishes
from pillweb.doses.views.intakes import intakes
from pillweb.doses.views.notes import install_notes
from pillweb.doses.views.skips import skips
from pillweb.doses.views.today import doses
from pillweb.feeds.views import feeds
from pillweb.hooks.views import hooks
from pillweb.looks.views import looks
from pillweb.papers.views.codes import codes
from pillweb.papers.views.printing import papers
from pillweb.portals.views.commands import install_commands
from pillweb.portals.views.home import home
from pillweb.portals.views.mailbox import mailbox
from pillweb.portals.views.plan_file import plan_file
from pillweb.portals.views.times import times
from pillweb.reminders.views.alerts import alerts, seen_to_words
from pillweb.reminders.views.ladder import ladders
from pillweb.reminders.views.later import later
from pillweb.reports.views import reports
from pillweb.schedules.views.changes import changes
from pillweb.schedules.views.check import checks
from pillweb.schedules.views.drafts import drafts
from pillweb.schedules.views.imports import imports
from pillweb.schedules.views.looks import medicine_looks
from pillweb.schedules.views.medicines import schedules
from pillweb.setup.views import set_up
from pillweb.sharing.views import sharing
from pillweb.supply.views.change import supply_changes
from pillweb.supply.views.show import supply
from pillweb.sync.views import sync
from pillweb.trail.views import trail
from pillweb.watch.views import health, install_delays
from pillweb.web.errors import install_errors
from pillweb.web.files import install_files
from pillweb.web.filters import install_filters
from pillweb.web.htmx import install_htmx
from pillweb.web.look import install_look
from pillweb.web.numbers import install_numbers
from pillweb.web.press import install_press
from pillweb.web.security import install_security
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
    imports,
    medicine_looks,
    plan_file,
    set_up,
    contacts,
    contact_tests,
    wishes,
    helpers,
    stops,
    sharing,
    reports,
    papers,
    codes,
    answers,
    direct_answers,
    hooks,
    alerts,
    ladders,
    later,
    feeds,
    accounts,
    times,
    looks,
    sync,
    trail,
    admin,
    mailbox,
    health,
)


def _who(token: str) -> Viewer | None:
    return viewer_of(session(), token, now=now())


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
    install_viewer(app, _who)
    install_look(app)
    install_press(app)
    install_notes(app, seen_to_words)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    install_commands(app)
    install_files(app)
    install_security(app, found)
    install_filters(app, found)
    install_delays(app)
    return app
