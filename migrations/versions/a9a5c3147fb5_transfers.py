"""What is taken out, and brought in from elsewhere."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'a9a5c3147fb5'
down_revision = 'a8f4b2036ea4'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
WAITS = sa.text("state = 'wanted'")


def _built() -> list[sa.Column]:
    return [
        sa.Column('id', Id, nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('created_at', UTCDateTime(), nullable=False),
        sa.Column('lease_until', UTCDateTime(), nullable=True),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('built_at', UTCDateTime(), nullable=True),
        sa.Column('expires_at', UTCDateTime(), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=True),
    ]


def _index(table: str, *columns: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.create_index(f'ix_{table}_waiting', ['created_at'], unique=False, sqlite_where=WAITS, postgresql_where=WAITS)
        batch_op.create_index(f'ix_{table}_expires_at', ['expires_at'], unique=False)
        for column in columns:
            batch_op.create_index(batch_op.f(f'ix_{table}_{column}'), [column], unique=False)


def upgrade() -> None:
    """Apply."""
    op.create_table('taken_out',
    *_built(),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('look', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_taken_out_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_taken_out_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_taken_out'))
    )
    _index('taken_out', 'patient_id')
    op.create_table('brought_in',
    *_built(),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('made_id', Id, nullable=True),
    sa.Column('found', sa.LargeBinary(), nullable=True),
    sa.Column('problem', sa.String(length=12), nullable=True),
    sa.Column('role', sa.String(length=12), nullable=True),
    sa.Column('agreed_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_brought_in_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['made_id'], ['patient.id'], name=op.f('fk_brought_in_made_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brought_in'))
    )
    _index('brought_in', 'account_id', 'made_id')
    op.create_table('past_entry',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('words', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_past_entry_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_past_entry'))
    )
    with op.batch_alter_table('past_entry', schema=None) as batch_op:
        batch_op.create_index('ix_past_entry_patient_id_at', ['patient_id', 'at'], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table('past_entry')
    op.drop_table('brought_in')
    op.drop_table('taken_out')
