"""How often somebody may ask: one table of classes, and which endpoint is of which.

What a secret in the address opens, and where somebody signs in, is limited at its view
besides, by guesses. Every endpoint has a class: `tests/house/test_limits_by_class.py`.
"""

from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import Rule

from pillweb.web.security import client_key, limiter
from pillweb.web.transaction import SAFE, session
from pillweb.web.viewer import current_viewer

READ, WRITE, EXPORT, UPLOAD = "read", "write", "export", "upload"
SIGN_IN, SECRET, HOOK, FREE = "sign_in", "secret", "hook", "free"
# For an account; for where they come from where nobody is signed in.
RATES = {
    READ: "100 per minute",
    WRITE: "30 per minute",
    EXPORT: "30 per 10 minutes",
    UPLOAD: "60 per hour",
}
# What takes long to make, or leaves as a file.
EXPORTS = frozenset(
    {
        "papers.post_card",
        "papers.post_week",
        "papers.show_file",
        "plan_file.show_plan_file",
        "reports.post_send",
        "reports.show_pdf",
        "taking.post_export",
        "taking.show_file",
    }
)
UPLOADS = frozenset(
    {
        "bringing.post_import_person",
        "imports.post_import",
        "medicine_looks.post_looks",
        "tablets.post_photo",
    }
)
# Limited at their views, by guesses of an address and of a visitor.
SIGN_INS = frozenset(
    {
        "accounts.post_forgotten",
        "accounts.post_sign_up",
        "again.post_again",
        "again.post_again_code",
        "again.post_again_mail",
        "asking.post_ask",
        "entering.post_code",
        "entering.post_passkey_asks",
        "entering.post_passkey_sign_in",
        "entering.post_password_sign_in",
        "entering.post_sign_in",
        "helped.post_helped",
        "own_address.post_address",
        "own_address.post_address_code",
        "printed.post_printed_sign_in",
        "texting.post_phone",
    }
)
# That a medicine was taken is never refused, nor what takes that back; and what asks
# nobody who they are, or is asked by our own script as often as a page is open.
NEVER = frozenset(
    {
        "doses.post_take",
        "doses.post_take_all",
        "doses.post_undo",
        "doses.post_undo_all",
        "entering.post_sign_out",
        "health.healthz",
        "health.readyz",
        "health.show_metrics",
        "home.show_help",
        "home.show_home",
        "intakes.post_again",
        "intakes.post_amount",
        "intakes.post_intake",
        "intakes.post_undo_intake",
        "later.post_later",
        "looks.show_design",
        "looks.show_look",
        "medicine_looks.show_picture",
        "medicine_looks.show_shared_picture",
        "skips.post_skip",
        "sync.post_replay",
        "sync.show_key",
        "sync.show_manifest",
        "sync.show_moments",
        "sync.show_sent",
        "sync.show_words",
        "sync.show_worker",
    }
)


def class_of(rule: Rule) -> str:
    """Return of which class the endpoint behind an address is."""
    named = {EXPORT: EXPORTS, UPLOAD: UPLOADS, SIGN_IN: SIGN_INS, FREE: NEVER}
    for kind, endpoints in named.items():
        if rule.endpoint in endpoints:
            return kind
    if "token" in rule.arguments:
        return SECRET
    if rule.endpoint.startswith("hooks."):
        return HOOK
    return READ if (rule.methods or set()) <= SAFE else WRITE


def who_asks() -> str:
    """Return whom a limit counts: an account, or where somebody comes from.

    Where the database is away the page says so, not the limiter, which would take the
    error for one of its own storage.
    """
    try:
        viewer = current_viewer()
    except SQLAlchemyError:
        session().rollback()
        return client_key()
    return f"account:{viewer.account_id}" if viewer else client_key()


def _rate(kind: str) -> str:
    return RATES[kind]


_LIMITS = {
    kind: limiter.shared_limit(partial(_rate, kind), scope=kind, key_func=who_asks)
    for kind in RATES
}


def install_limits(app: Flask) -> None:
    """Limit each endpoint by its class; those of one class count together."""
    for rule in app.url_map.iter_rules():
        kind = class_of(rule)
        view: Any = app.view_functions[rule.endpoint]
        if kind in RATES and not hasattr(view, "limited_as"):
            limited: Any = _LIMITS[kind](view)
            limited.limited_as = kind
            app.view_functions[rule.endpoint] = limited
