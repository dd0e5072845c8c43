"""The pages of whoever runs this installation: what failed, and the backups."""

from datetime import datetime

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.admin.queries import (
    dead_letters,
    failing_providers,
    newest_incidents,
    open_machine_room,
)
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.channels.registry import channels
from pillweb.outbox.actions.mending import give_up_delivery, try_delivery_again
from pillweb.outbox.models import Breaker, Delivery, Incident
from pillweb.trail.rules import kind_words, reason_words
from pillweb.watch.models import BackupRun
from pillweb.watch.queries import backup_folder, newest_runs, newest_success
from pillweb.watch.rules.alarm import BACKUP, RESTORE_TEST
from pillweb.web.htmx import go, page
from pillweb.web.numbers import row_numbers
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

admin = Blueprint("admin", __name__)
HERE = "/admin/messages"
MOST_RUNS = 20
# Whoever runs it may be anywhere; its own clock is the one of its logs.
LOGS_BY = zone("Etc/UTC")
INCIDENTS = {
    "late": gettext_noop("Messages were late"),
    "channel": gettext_noop("A way of sending failed"),
    "canary": gettext_noop("A test message did not come back"),
    "storm": gettext_noop("There were too many messages for one person"),
    "stopped": gettext_noop("PillWeb did not run"),
    "unfired": gettext_noop("We could not reach somebody"),
    "backup": gettext_noop("No backup could be made"),
    "restore": gettext_noop("No backup was shown to restore"),
}
RUNS = {BACKUP: gettext_noop("Backup"), RESTORE_TEST: gettext_noop("Test of a backup")}
OUTCOMES = {
    "": gettext_noop("it is not over yet"),
    "ok": gettext_noop("it went well"),
    "failed": gettext_noop("it failed"),
    "cannot": gettext_noop("it cannot be done here"),
}


@admin.get(HERE)
def show_dead_letters() -> ResponseReturnValue:
    """Show the messages that failed, and the providers that fail."""
    open_machine_room(session(), signed_in())
    at = now()
    return page(
        "admin/messages.html",
        action=HERE,
        letters=[_letter(*found, now=at) for found in dead_letters(session())],
        providers=[_provider(row) for row in failing_providers(session())],
        incidents=[_incident(row) for row in newest_incidents(session())],
    )


@admin.post(HERE)
def post_dead_letter() -> ResponseReturnValue:
    """Try a message again, or give it up."""
    open_machine_room(session(), signed_in())
    deed = request.form.get("deed")
    for delivery_id in row_numbers(request.form.get("message", "")):
        if deed == "again":
            try_delivery_again(session(), delivery_id, now=now())
            wake_after_commit("deliver")
        elif deed == "give_up":
            give_up_delivery(session(), delivery_id)
    return go(HERE)


@admin.get("/admin/backups")
def show_backups() -> ResponseReturnValue:
    """Show when everything was last backed up, and shown to restore."""
    open_machine_room(session(), signed_in())
    good = {kind: newest_success(session(), kind) for kind in RUNS}
    return page(
        "admin/backups.html",
        days=settings().backup_days,
        folder=backup_folder(),
        good={kind: _when(run.started_at) for kind, run in good.items() if run},
        runs=[_run(row) for row in newest_runs(session(), limit=MOST_RUNS)],
    )


def _run(row: BackupRun) -> dict[str, str]:
    return {
        "words": _(RUNS[row.kind]),
        "when": _when(row.started_at),
        "outcome": _(OUTCOMES[row.outcome]),
        "reason": row.reason,
        "file": row.file,
    }


def _when(at: datetime) -> str:
    here = local(at, LOGS_BY)
    return _(
        "%(time)s on %(date)s (UTC)",
        time=time_words(here.time()),
        date=date_words(here.date()),
    )


def _label(channel: str) -> str:
    known = channels().get(channel)
    return _(known.LABEL) if known else channel


def _letter(row: Delivery, has_words: bool, *, now: datetime) -> dict[str, object]:
    return {
        "id": row.id,
        "kind_words": kind_words(row.kind),
        "may_try": row.expires_at > now and has_words,
        "facts": [
            (_("Way"), _label(row.channel), None),
            (_("Reason"), f"{reason_words(row.last_error)} ({row.last_error})", None),
            (_("Tries"), str(row.attempts), None),
            (_("Made"), _when(row.created_at), None),
            (_("Patient number"), str(row.patient_id or "-"), None),
        ],
    }


def _provider(row: Breaker) -> dict[str, object]:
    since = _when(row.failing_since) if row.failing_since else ""
    return {
        "label": _label(row.channel),
        "since": since,
        "reason": f"{reason_words(row.last_error)} ({row.last_error})",
        "next_try": _when(row.retry_at) if row.retry_at else "",
    }


def _incident(row: Incident) -> dict[str, str]:
    return {
        "words": _(INCIDENTS.get(row.kind, row.kind)),
        "about": _label(row.about) if row.about else "",
        "opened": _when(row.opened_at),
        "closed": _when(row.closed_at) if row.closed_at else "",
    }
