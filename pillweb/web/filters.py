"""What every template can call."""

from functools import cache
from hashlib import sha256

from flask import Flask

from pillweb.base.i18n import teach
from pillweb.base.known_settings import Settings
from pillweb.web.files import STATIC


@cache
def asset(name: str) -> str:
    """Return the address of a static file, with its content's hash."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def install_filters(app: Flask, settings: Settings) -> None:
    """Give templates `asset`, the `ui` macros and the numbers to call."""
    app.jinja_env.globals.update(
        asset=asset,
        emergency_number=settings.emergency_number,
        help_phone=settings.help_phone,
        shows_mailbox=settings.shows_mailbox,
    )
    teach(app.jinja_env)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["ui"] = app.jinja_env.get_template("ui.html").module
