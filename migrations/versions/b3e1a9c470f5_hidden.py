"""Medicines that are hidden from one who helps."""

import sqlalchemy as sa
from alembic import op


revision = 'b3e1a9c470f5'
down_revision = 'b5d2c8e91f64'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')

SEEN = """
(select current_setting('app.everybody', true)) = 'yes'
or patient_id = any ((select pillweb_patients())::bigint[])
"""
# What a page is not to find, told by `base.hiding`. It only ever takes away.
HIDDEN = "(select coalesce(nullif(current_setting('app.hidden', true), ''), '{}'))::bigint[]"
OWN = ('dose', 'intake', 'medication_picture', 'plan', 'plan_draft', 'stock', 'supply_entry')
LEFT = {
    'medication': f'id <> all ({HIDDEN})',
    **dict.fromkeys(OWN, f'medication_id is null or medication_id <> all ({HIDDEN})'),
    'line': f'{HIDDEN} = \'{{}}\' or exists (select from plan where plan.id = line.plan_id)',
    **{
        table: f'{HIDDEN} = \'{{}}\' or exists (select from dose where dose.id = {table}.dose_id)'
        for table in ('dose_event', 'replay')
    },
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        'hidden_medication',
        sa.Column('account_id', ID, nullable=False),
        sa.Column('medication_id', ID, nullable=False),
        sa.Column('patient_id', ID, nullable=False),
        sa.Column('hidden_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_hidden_medication_account_id_account'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['medication_id'], ['medication.id'], name=op.f('fk_hidden_medication_medication_id_medication'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_hidden_medication_patient_id_patient'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('account_id', 'medication_id', name=op.f('pk_hidden_medication')),
    )
    for column in ('medication_id', 'patient_id'):
        op.create_index(op.f(f'ix_hidden_medication_{column}'), 'hidden_medication', [column])
    if op.get_bind().dialect.name != 'postgresql':
        return
    op.execute(f'create policy of_patient on hidden_medication using ({SEEN})')
    op.execute('alter table hidden_medication enable row level security')
    for table, rule in LEFT.items():
        op.execute(f'create policy of_helper on {table} as restrictive using ({rule})')


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == 'postgresql':
        for table in LEFT:
            op.execute(f'drop policy of_helper on {table}')
    op.drop_table('hidden_medication')
