"""Who looked at what, and who changed what."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'f2b9d6e80a13'
down_revision = 'f1a0c4d2b791'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
REFUSE = """
create function audit_entry_refuse() returns trigger language plpgsql as $$
begin raise exception 'audit_entry is append-only'; end $$
"""


def _let_entries_be() -> None:
    """Refuse every change of an entry, whoever asks, on both databases."""
    if op.get_bind().dialect.name == 'sqlite':
        for deed in ('update', 'delete'):
            op.execute(f"create trigger audit_entry_no_{deed} before {deed} on audit_entry begin select raise(abort, 'audit_entry is append-only'); end")
        return
    op.execute(REFUSE)
    op.execute('create trigger audit_entry_append_only before update or delete on audit_entry for each statement execute function audit_entry_refuse()')


def upgrade() -> None:
    """Apply."""
    op.create_table('audit_entry',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('by', sa.String(length=10), nullable=False),
    sa.Column('account_id', Id, nullable=True),
    sa.Column('link_id', Id, nullable=True),
    sa.Column('act', sa.String(length=80), nullable=False),
    sa.Column('what', sa.LargeBinary(), nullable=False),
    sa.Column('prev_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('hash', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry')),
    sa.UniqueConstraint('patient_id', 'seq', name=op.f('uq_audit_entry_patient_id_seq'))
    )
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entry_patient_id_at'), ['patient_id', 'at'], unique=False)

    op.create_table('audit_head',
    sa.Column('patient_id', Id, autoincrement=False, nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('hash', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_audit_head'))
    )
    _let_entries_be()


def downgrade() -> None:
    """Take back."""
    op.drop_table('audit_head')
    op.drop_table('audit_entry')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('drop function audit_entry_refuse()')
