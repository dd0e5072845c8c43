"""The role that pages act as in Postgres: it owns nothing and may change no schema."""

from typing import LiteralString

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ProgrammingError

from pillweb.base.web_db import WEB_ROLE

ALL: LiteralString = "select, insert, update, delete"
# What may less than all: what is written there once stays, or is no page's to change.
LESS: dict[str, LiteralString] = {
    "alembic_version": "select",
    "audit_entry": "select, insert",
    "data_key": "select, insert",
}
_MAKE = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'pillweb_web') then
        create role pillweb_web nologin;
    end if;
exception when duplicate_object or unique_violation then null; -- another was faster
end $$
"""
_IS_MADE = text("select true from pg_roles where rolname = :role")
_IS_MEMBER = text("select pg_has_role(:role, 'member')")
# Of an ordinary view's rows the policies see its owner's: those stay shut.
_OPEN = text("""
select relname from pg_class
where relnamespace = current_schema()::regnamespace
and (relkind in ('r', 'p')
    or relkind = 'v' and 'security_invoker=true' = any(reloptions))
""")


def make_web_role(connection: Connection) -> bool:
    """Make the role of pages and let it use each table; False if this login may not.

    It may be done again at any time, and must be when there are new tables.
    """
    try:
        with connection.begin_nested():
            if not connection.scalar(_IS_MADE, {"role": WEB_ROLE}):
                connection.execute(text(_MAKE))
            if not connection.scalar(_IS_MEMBER, {"role": WEB_ROLE}):
                _do(connection, "grant {role} to current_user")
            _grant(connection)
    except ProgrammingError:
        return False
    return True


def _grant(connection: Connection) -> None:
    schema = sql.Identifier(str(connection.scalar(text("select current_schema()"))))
    for words in (
        "revoke create on schema {schema} from public",
        "grant usage on schema {schema} to {role}",
        "revoke all on all tables in schema {schema} from {role}",
        "grant usage on all sequences in schema {schema} to {role}",
    ):
        _do(connection, words, schema=schema)
    for table in connection.scalars(_OPEN).all():
        rights = sql.SQL(LESS.get(table, ALL))
        _do(
            connection,
            "grant {rights} on {table} to {role}",
            rights=rights,
            table=sql.Identifier(table),
        )


def _do(
    connection: Connection, words: LiteralString, **names: sql.Identifier | sql.SQL
) -> None:
    """Change what somebody may; such a statement takes names, but no values."""
    statement = sql.SQL(words).format(role=sql.Identifier(WEB_ROLE), **names)
    connection.exec_driver_sql(statement.as_string())
