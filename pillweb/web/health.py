"""Whether it lives, and whether it can work."""

import shutil
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pillweb.base.clock import now
from pillweb.base.config import ROOT, settings
from pillweb.base.heartbeat import STALE_AFTER, last_beats
from pillweb.base.queue import redis_client
from pillweb.base.zones import is_tzdata_old, tzdata_version
from pillweb.web.transaction import session

LEAST_FREE = 0.05
LONGEST_LAG_S = 120
OLD_ZONES = (
    "The time zone data was installed more than 180 days ago: clocks may have changed "
    "since. Run `make lock UPGRADE=1`, or install a newer tzdata, and restart."
)

health = Blueprint("health", __name__)
LOCAL = {"127.0.0.1", "::1"}


@cache
def newest_migration() -> str | None:
    """Return the revision the code expects the database to have."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def _database_faults(at: datetime) -> tuple[list[str], list[str]]:
    """Return (what stops it, what weakens it), as the database tells."""
    kept = session()
    context = MigrationContext.configure(kept.connection())
    broken = [] if context.get_current_revision() == newest_migration() else ["schema"]
    beats = last_beats(kept) if not broken else {}
    weak = [
        component
        for component in ("clock", "reminders", "reports")
        if component not in beats or at - beats[component][0] > STALE_AFTER
    ]
    if "clock" in beats and beats["clock"][1] > LONGEST_LAG_S:
        weak.append("late reminders")
    return broken, weak


def _redis_faults() -> list[str]:
    if not settings().redis_url:
        return ["redis"]
    try:
        redis_client().ping()
    except RedisError:
        return ["redis"]
    return []


@health.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process answers; it asks nobody else."""
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether pages can be served, and what is weak (told to this machine only)."""
    at = now()
    try:
        broken, weak = _database_faults(at)
    except SQLAlchemyError:
        broken, weak = ["database"], []
    usage = shutil.disk_usage(Path(settings().var_dir).parent)
    if usage.free / usage.total < LEAST_FREE:
        broken.append("disk")
    weak += _redis_faults()
    answer: dict[str, Any] = {"status": "ready" if not broken else "not ready"}
    if request.remote_addr in LOCAL and not request.headers.get("X-Forwarded-For"):
        answer |= {"broken": broken, "degraded": weak, "tzdata": tzdata_version()}
        if is_tzdata_old(at):
            answer["warnings"] = [OLD_ZONES]
    return jsonify(answer), 200 if not broken else 503
