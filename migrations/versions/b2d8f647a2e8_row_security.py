"""Rows that Postgres itself keeps from whoever may not see them."""

import sqlalchemy as sa
from alembic import op


revision = 'b2d8f647a2e8'
down_revision = 'b1c7e53691d7'
branch_labels = None
depends_on = None

# The rows of whom `app.patients` names, and of whom `app.account` was granted. A
# setting that was local to an ended transaction is '' and not null. It reads grants as
# the owner of the tables, whom no policy binds: a policy that asked would ask itself.
PATIENTS = """
create function pillweb_patients() returns bigint[]
language plpgsql stable security definer set search_path = {schema}, pg_temp as $$
declare
    named bigint[] := coalesce(nullif(current_setting('app.patients', true), ''), '{{}}');
    who bigint := nullif(current_setting('app.account', true), '');
begin
    if who is null then
        return named;
    end if;
    return named || array(
        select patient_id from access_grant
        where account_id = who and status = 'accepted' and (ends_at is null
            or ends_at > nullif(current_setting('app.at', true), '')::timestamptz)
    );
end $$
"""
# As sub-selects they are asked once in a query, not once in a row.
EVERYBODY = "(select current_setting('app.everybody', true)) = 'yes'"
SEEN = f"{EVERYBODY} or {{column}} = any ((select pillweb_patients())::bigint[])"
OWN = "or account_id = (select nullif(current_setting('app.account', true), '')::bigint)"
# By their parent, which has a policy of its own.
CHILDREN = {
    'attempt': ('delivery', 'delivery_id'),
    'contact_test': ('contact_point', 'contact_id'),
    'delivery_dose': ('dose', 'dose_id'),
    'link_opening': ('share_link', 'link_id'),
    'stop_link': ('contact_point', 'contact_id'),
}
COLUMNS = """
select c.table_name, c.is_nullable = 'YES' from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = current_schema() and c.column_name = 'patient_id'
and t.table_type = 'BASE TABLE' order by 1
"""


def _rules() -> dict[str, str]:
    """Say for each table which rows are seen."""
    rules = {'patient': SEEN.format(column='id')}
    for table, may_be_nobodys in op.get_bind().execute(sa.text(COLUMNS)):
        rules[table] = SEEN.format(column='patient_id')
        if may_be_nobodys:
            rules[table] += ' or patient_id is null'
    # What they were granted is theirs to see; to give it takes the patient's rows.
    rules['access_grant'] = f"{rules['access_grant']} {OWN}) with check ({rules['access_grant']}"
    for table, (parent, column) in CHILDREN.items():
        rules[table] = f'exists (select from {parent} where {parent}.id = {table}.{column})'
    return rules


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name != 'postgresql':
        return
    schema = op.get_bind().scalar(sa.text('select quote_ident(current_schema())'))
    op.execute(PATIENTS.format(schema=schema))
    for table, rule in _rules().items():
        op.execute(f'create policy of_patient on {table} using ({rule})')
        op.execute(f'alter table {table} enable row level security')


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table in _rules():
        op.execute(f'alter table {table} disable row level security')
        op.execute(f'drop policy of_patient on {table}')
    op.execute('drop function pillweb_patients()')
