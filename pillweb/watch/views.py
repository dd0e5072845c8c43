"""Whether it lives, and whether it can work; and what pages say when it cannot."""

import shutil
from datetime import timedelta
from hmac import compare_digest
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST

from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.errors import NotFoundError
from pillweb.base.heartbeat import STALE_AFTER
from pillweb.base.i18n import gettext as _
from pillweb.base.queue import redis_answers
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import is_tzdata_old, local, tzdata_version, zone
from pillweb.sharing.rules import Nav
from pillweb.watch.queries import delays, figures, look_at
from pillweb.watch.rules.alarm import LATE_AFTER, RESTORED, failing_channels
from pillweb.watch.rules.metrics import Figures, metrics_text
from pillweb.web.transaction import session

LEAST_FREE = 0.05
HALF_A_DAY = timedelta(hours=12)
OLD_ZONES = (
    "The time zone data was installed more than 180 days ago: clocks may have changed "
    "since. Run `make lock UPGRADE=1`, or install a newer tzdata, and restart."
)
PUT_BACK = (
    "This database is an old one, put back: nothing is sent before somebody runs "
    "`python app.py restored`."
)
WATCHED = ("clock", "reminders", "reports")

health = Blueprint("health", __name__)
LOCAL = {"127.0.0.1", "::1"}


def _weak(found: Figures) -> list[str]:
    """Return what weakens us though pages can be served."""
    stale = STALE_AFTER.total_seconds()
    well = {component for (component, _one), age in found.beats.items() if age <= stale}
    late = ["late reminders"] if found.lag_s > LATE_AFTER.total_seconds() else []
    failing = [f"channel {name}" for name in sorted(failing_channels(found.incidents))]
    silent = [component for component in WATCHED if component not in well]
    return silent + late + failing


def _is_held(found: Figures) -> bool:
    return any(kind == RESTORED for kind, _about in found.incidents)


def _detail(found: Figures) -> dict[str, Any]:
    """Return what whoever runs this wants to know of the messages."""
    ages: dict[str, float] = {}
    for (component, _one), age in found.beats.items():
        ages[component] = min(round(age), ages.get(component, age))
    channels = sorted(found.failing.keys() | found.canaries.keys())
    return {
        "reminder_lag_seconds": round(found.lag_s),
        "dead_letters": sum(found.dead.values()),
        "heartbeats": ages,
        "incidents": sorted(
            f"{kind} {about}".strip() for kind, about in found.incidents
        ),
        "channels": {
            channel: {
                "is_left_alone": channel in found.open_breakers,
                "failing_seconds": round(found.failing.get(channel, 0)),
                "canary_age_seconds": round(found.canaries[channel])
                if channel in found.canaries
                else None,
            }
            for channel in channels
        },
    }


def _is_inside() -> bool:
    inside = request.remote_addr in LOCAL
    return inside and not request.headers.get("X-Forwarded-For")


@health.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process answers; it asks nobody else."""
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether pages can be served, and what is weak (told to this machine only)."""
    at = now()
    fault, found = look_at(session(), now=at)
    broken = [fault] if fault else []
    weak = [] if redis_answers() else ["redis"]
    if found is not None:
        weak = _weak(found) + weak
        broken += ["restored"] if _is_held(found) else []
    usage = shutil.disk_usage(Path(settings().var_dir).parent)
    if usage.free / usage.total < LEAST_FREE:
        broken.append("disk")
    answer: dict[str, Any] = {"status": "ready" if not broken else "not ready"}
    if _is_inside():
        answer |= {"broken": broken, "degraded": weak, "tzdata": tzdata_version()}
        answer |= _detail(found) if found is not None else {}
        warnings = [OLD_ZONES] if is_tzdata_old(at) else []
        warnings += [PUT_BACK] if "restored" in broken else []
        if warnings:
            answer["warnings"] = warnings
    return jsonify(answer), 200 if not broken else 503


@health.get("/metrics")
def show_metrics() -> ResponseReturnValue:
    """Tell a monitor how messages do: on this machine, or who has the token."""
    token = settings().metrics_token
    told = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_known = bool(token) and compare_digest(told.encode(), token.encode())
    if not (is_known or _is_inside()):
        raise NotFoundError
    found = figures(session(), now=now())
    return metrics_text(found), 200, {"Content-Type": CONTENT_TYPE_LATEST}


def _delay_words(nav: Nav | None, section: str) -> str:
    """Return what every page says while reminders are delayed; empty otherwise."""
    since = delays.since()
    if since is None:
        return ""
    if not nav or not nav.zone:
        return _("Reminders are delayed. Please look at the list of your medicines.")
    at = local(since, zone(nav.zone))
    when = time_words(at.time())
    if now() - since > HALF_A_DAY:
        when = _("%(time)s on %(date)s", time=when, date=date_words(at.date()))
    if section == "today":
        return _(
            "Reminders are delayed since %(time)s. Please look at the list below.",
            time=when,
        )
    return _(
        "Reminders are delayed since %(time)s. Please look at the page Today.",
        time=when,
    )


def install_delays(app: Flask) -> None:
    """Let every page say since when reminders are delayed."""
    app.jinja_env.globals["delay_words"] = _delay_words
