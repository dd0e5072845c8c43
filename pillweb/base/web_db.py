"""The database as pages have it: on Postgres by a role that may less."""

from functools import cache

import psycopg
from sqlalchemy import Engine, event, make_url

from pillweb.base.config import settings
from pillweb.base.db import GUARDED, Database, database, make_engine
from pillweb.base.log import log

WEB_ROLE = "pillweb_web"


def make_web_engine(url: str) -> Engine:
    """Return an engine whose connections act as the role of pages, where they may.

    Postgres keeps that role to the rows it was told of (`base.sight`). A login that is
    no member of it keeps its own rights, and the log says so.
    """
    engine = make_engine(url)
    event.listen(engine, "connect", _become_web)
    return engine.execution_options(**{GUARDED: True})


# Members only: the role is made by `app.py database-roles`.
_BECOME = """
select set_config('role', rolname, false) from pg_roles
where rolname = %s and pg_has_role(oid, 'member')
"""


def _become_web(connection: psycopg.Connection, _record: object) -> None:
    # Else a transaction would begin, and take the role back when it ends.
    connection.autocommit = True
    found = connection.execute(_BECOME, (WEB_ROLE,)).fetchone()
    connection.autocommit = False
    if found is None:
        log.warning("database_role_missing", role=WEB_ROLE)


@cache
def web_database() -> Database:
    """Return the database as pages see it: on Postgres as a role of their own."""
    found = settings()
    url = found.web_database_url or found.database_url
    if make_url(url).get_backend_name() == "sqlite":
        return database()
    return Database(make_web_engine(url))
