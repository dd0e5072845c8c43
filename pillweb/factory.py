"""Puts the parts together into one web app."""

from flask import Flask
from whitenoise import WhiteNoise

from pillweb.accounts.queries import viewer_of
from pillweb.accounts.views import accounts
from pillweb.adherence.views import adherence
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.log import start_logging
from pillweb.base.viewer import Viewer
from pillweb.doses.views import doses
from pillweb.portals.views.commands import install_commands
from pillweb.portals.views.home import home
from pillweb.portals.views.mailbox import mailbox
from pillweb.portals.views.plan_file import plan_file
from pillweb.reminders.views import reminders
from pillweb.reports.views import reports
from pillweb.schedules.views import schedules
from pillweb.sharing.views import sharing
from pillweb.web.errors import install_errors
from pillweb.web.filters import STATIC, install_filters
from pillweb.web.health import health
from pillweb.web.htmx import install_htmx
from pillweb.web.numbers import install_numbers
from pillweb.web.security import install_security
from pillweb.web.transaction import install_transactions, session
from pillweb.web.viewer import install_viewer

BLUEPRINTS = (
    home,
    doses,
    adherence,
    schedules,
    plan_file,
    sharing,
    reports,
    reminders,
    accounts,
    mailbox,
    health,
)
A_YEAR_S = 31_536_000


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
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    install_commands(app)
    files = WhiteNoise(app.wsgi_app, max_age=A_YEAR_S, allow_all_origins=False)
    files.add_files(str(STATIC), prefix="static/")
    app.wsgi_app = files  # type: ignore[method-assign]
    install_security(app, found)
    install_filters(app, found)
    return app
