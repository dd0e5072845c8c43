"""Ids that SQLite gives once: of a row that is gone, no other row has it again."""

import sqlalchemy as sa
from alembic import op


revision = 'c4f0b869c4a0'
down_revision = 'b3e1a9c470f5'
branch_labels = None
depends_on = None

REUSED, ONCE = 'PRIMARY KEY (id)', 'PRIMARY KEY (id AUTOINCREMENT)'
TABLES = "select name, sql from sqlite_master where type = 'table' and sql like :like order by name"
HELPERS = """
update account set is_patient = false where id in (
    select account_id from access_grant where status = 'accepted' and role != 'self')
"""
BESIDE = "select sql from sqlite_master where tbl_name = :name and type != 'table' and sql is not null"


def _make_anew(before: str, after: str) -> None:
    """Make each table anew with another key, as https://sqlite.org/lang_altertable.html says."""
    connection = op.get_bind()
    if connection.dialect.name != 'sqlite':
        return
    for name, made in connection.execute(sa.text(TABLES), {'like': f'%{before}%'}).all():
        beside = connection.scalars(sa.text(BESIDE), {'name': name}).all()
        columns = made[made.index('('):].replace(before, after)
        connection.exec_driver_sql(f'create table made_anew {columns}')
        connection.exec_driver_sql(f'insert into made_anew select * from "{name}"')
        connection.exec_driver_sql(f'drop table "{name}"')
        connection.exec_driver_sql(f'alter table made_anew rename to "{name}"')
        for index_or_trigger in beside:
            connection.exec_driver_sql(index_or_trigger)


def upgrade() -> None:
    """Apply."""
    _make_anew(REUSED, ONCE)
    # From now on that is who takes medicine and helps nobody else.
    op.execute(HELPERS)


def downgrade() -> None:
    """Take back."""
    _make_anew(ONCE, REUSED)
