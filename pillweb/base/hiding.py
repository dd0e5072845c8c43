"""Medicines that a session does not find, in whatever it asks.

Doors say which (`sharing.queries.hiding`). No query asks for it: each statement of such
a session is given, under the names of the tables it reads, what those hold without the
hidden rows. So nothing can forget it, and nothing at all is done where nothing is
hidden. On Postgres policies keep the same rows back from pages (migration
b3e1a9c470f5); there they alone stand behind a statement that locks what it reads, which
cannot be given other tables.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from pillweb.base.db import GUARDED

_KEPT = "hiding"
_NAMED = (
    *("dose", "intake", "medication_picture", "plan"),
    *("plan_draft", "stock", "supply_entry"),
)
_OF_DOSES = ("dose_event", "delivery_dose", "replay")
_LOCKS = re.compile(r"\bFOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b")
_READING = frozenset({"select", "insert", "update", "delete"})
_TARGET = re.compile(r"\s*(?:UPDATE|DELETE FROM) (\w+)")
_PARTS = re.compile(r"[()]|\s(WHERE|RETURNING)\b")
_WHERE = text(
    "select relnamespace::regnamespace::text from pg_class"
    " where oid = to_regclass('patient')"
)
_VERB = re.compile(r"\s*(with\s+(?:recursive\s+)?)?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Says in SQL which rows are left where some medicines are hidden from somebody."""

    schema: str
    ids: str
    account_id: int

    def dose(self, of: str) -> str:
        """Say that there is a dose which is not hidden, of which this is true."""
        return (
            f"exists (select 1 from {self.schema}.dose seen where {of}"
            f" and seen.medication_id not in ({self.ids}))"
        )

    def at(self, reminder: str) -> str:
        """Say that at a reminder's time something is due that is not hidden."""
        return self.dose(
            f"seen.patient_id = {reminder}.patient_id"
            f" and seen.due_at = {reminder}.due_at and seen.state <> 'cancelled'"
        )

    def moment(self, reminder_id: str) -> str:
        """Say the same of the reminder with this id."""
        return (
            f"exists (select 1 from {self.schema}.reminder moment"
            f" where moment.id = {reminder_id} and {self.at('moment')})"
        )

    def message(self, delivery: str) -> str:
        """Say that a message is about something that is not hidden."""
        told = (
            f"exists (select 1 from {self.schema}.delivery_dose told"
            f" where told.delivery_id = {delivery}.id"
            f" and {self.dose('seen.id = told.dose_id')})"
        )
        # A refill names no medicine: only one's own says nothing of others.
        return (
            f"case when {delivery}.kind in"
            f" ('dose_due', 'dose_alert', 'could_not_remind') then {told}"
            f" when {delivery}.kind = 'alert_resolved'"
            f" then {self.moment(f'{delivery}.subject_id')}"
            f" else {delivery}.kind <> 'refill_due'"
            f" or coalesce({delivery}.account_id, 0) = {self.account_id} end"
        )

    def made(self, table: str, by_me: str = "") -> str:
        """Say that a finished file holds what whoever made it saw then."""
        by_me = by_me or f"coalesce({table}.made_by_id, 0) = {self.account_id}"
        return (
            f"{by_me} and not exists (select 1 from"
            f" {self.schema}.hidden_medication mine"
            f" where mine.account_id = {self.account_id}"
            f" and mine.patient_id = {table}.patient_id"
            f" and mine.hidden_at >= {table}.created_at)"
        )


def rules_of(schema: str, ids: str, account_id: int) -> dict[str, str]:
    """Return in SQL which rows of each table are left; the test misses none.

    Each says what a row must have, not what it must lack: so it holds also where a
    policy keeps the rest from whoever asks.
    """
    left = _Rules(schema, ids, account_id)
    named = {
        name: f"({name}.medication_id is null or {name}.medication_id not in ({ids}))"
        for name in _NAMED
    }
    of_doses = {name: left.dose(f"seen.id = {name}.dose_id") for name in _OF_DOSES}
    return {
        "medication": f"medication.id not in ({ids})",
        **named,
        "line": f"exists (select 1 from {schema}.plan seen where seen.id = line.plan_id"
        f" and seen.medication_id not in ({ids}))",
        **of_doses,
        "reminder": left.at("reminder"),
        "reminder_link": left.moment("reminder_link.reminder_id"),
        "delivery": left.message("delivery"),
        "attempt": f"exists (select 1 from {schema}.delivery sent"
        f" where sent.id = attempt.delivery_id and {left.message('sent')})",
        "paper": left.made("paper"),
        "paper_code": f"exists (select 1 from {schema}.paper sheet where sheet.id ="
        f" paper_code.paper_id and {left.made('sheet')})",
        "report": left.made(
            "report",
            f"exists (select 1 from {schema}.report_order own"
            f" where own.id = report.order_id and own.made_by_id = {account_id})",
        ),
        "taken_out": left.made("taken_out", f"taken_out.account_id = {account_id}"),
    }


_NAMES = re.compile(
    rf"\b({'|'.join(re.escape(name) for name in rules_of('', '', 0))})\b"
)


@dataclass
class _Hiding:
    account_id: int
    ids: frozenset[int] = frozenset()
    is_lifted: bool = False


def hide_medicines(
    session: Session, medication_ids: Collection[int], *, account_id: int
) -> None:
    """Let a session find nothing of these medicines from now on.

    `account_id` is from whom they are hidden: finished files are left to find that it
    made itself since then. Rows that were read before stay in the session.
    """
    if not medication_ids:
        return
    found = session.info.get(_KEPT)
    hiding = found or _Hiding(account_id)
    hiding.ids |= frozenset(medication_ids)
    session.info[_KEPT] = hiding
    if found is None and session.in_transaction():
        _begin(session, None, session.connection())


def hides(session: Session) -> bool:
    """Say whether anything is hidden from a session."""
    return _KEPT in session.info


def hidden_ids(session: Session) -> frozenset[int]:
    """Return the medicines that a session is not to find."""
    found: _Hiding | None = session.info.get(_KEPT)
    return found.ids if found else frozenset()


@contextmanager
def counting_hidden(session: Session) -> Iterator[None]:
    """Let a session find hidden medicines, too, inside the block.

    For one thing only: that nobody takes too much. It asks for columns, since rows
    would stay in the session.
    """
    hiding: _Hiding | None = session.info.get(_KEPT)
    if hiding is None:
        yield
        return
    session.flush()
    hiding.is_lifted = True
    _tell_policies(session, session.connection())
    try:
        yield
    finally:
        hiding.is_lifted = False
        if session.is_active:
            _tell_policies(session, session.connection())


@event.listens_for(Session, "after_begin")
def _begin(session: Session, _transaction: object, connection: Connection) -> None:
    hiding: _Hiding | None = session.info.get(_KEPT)
    if hiding is None:
        return
    schema = _schema_of(connection)

    def leave_out(
        _connection: Connection,
        _cursor: object,
        statement: str,
        parameters: Any,  # noqa: ANN401 - of any driver
        _context: object,
        _executemany: bool,
    ) -> tuple[str, Any]:
        if hiding.is_lifted:
            return statement, parameters
        return _without(statement, hiding, schema), parameters

    event.listen(connection, "before_cursor_execute", leave_out, retval=True)
    _tell_policies(session, connection)


def _schema_of(connection: Connection) -> str:
    """Return where our tables are, whatever else a name is looked for first.

    With it a name is a table itself, not what a statement is given under that name.
    """
    if connection.dialect.name == "sqlite":
        return "main"
    return str(connection.scalar(_WHERE))


def _without(statement: str, hiding: _Hiding, schema: str) -> str:
    """Return a statement that reads the tables without what is hidden."""
    names = sorted(set(_NAMES.findall(statement)))
    found = _VERB.match(statement)
    if not names or found is None:
        return statement
    if not found[1] and found[2].lower() not in _READING:
        return statement
    if _LOCKS.search(statement):
        return statement
    ids = ",".join(map(str, sorted(hiding.ids)))
    rules = rules_of(schema, ids, hiding.account_id)
    tables = ", ".join(
        f"{name} AS NOT MATERIALIZED"
        f" (SELECT * FROM {schema}.{name} WHERE {rules[name]})"
        for name in names
    )
    if target := _TARGET.match(statement):
        statement = _narrowed(statement, rules.get(target[1]))
    if found[1]:
        return f"{found[1]}{tables}, {statement[found.end(1) :]}"
    return f"WITH {tables} {statement}"


def _narrowed(statement: str, rule: str | None) -> str:
    """Return a statement that changes or deletes no rows but these."""
    if rule is None:
        return statement
    depth, where, end = 0, None, len(statement)
    for found in _PARTS.finditer(statement):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[1] == "WHERE":
            where = found
        elif depth == 0 and found[1] == "RETURNING":
            end = found.start()
    if where is None:
        return f"{statement[:end]} WHERE {rule}{statement[end:]}"
    asked = statement[where.end() : end]
    return f"{statement[: where.end()]} ({asked}) AND {rule}{statement[end:]}"


def _tell_policies(session: Session, connection: Connection) -> None:
    """Say to Postgres what this transaction is not to find."""
    if connection.get_execution_options().get(GUARDED):
        hiding: _Hiding = session.info[_KEPT]
        ids = () if hiding.is_lifted else sorted(hiding.ids)
        told = f"{{{','.join(map(str, ids))}}}" if ids else ""
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        driver.execute("select set_config('app.hidden', %s, true)", (told,))
