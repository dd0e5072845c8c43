"""Backups, and whether one could be restored."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'b1c7e53691d7'
down_revision = 'b0b6d42580c6'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    op.create_table('backup_run',
    sa.Column('id', Id, nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('started_at', UTCDateTime(), nullable=False),
    sa.Column('finished_at', UTCDateTime(), nullable=True),
    sa.Column('outcome', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('file', sa.String(length=60), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backup_run'))
    )
    with op.batch_alter_table('backup_run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_backup_run_started_at'), ['started_at'], unique=False)
        batch_op.create_index('uq_backup_run_open', ['kind'], unique=True, sqlite_where=sa.text('finished_at is null'), postgresql_where=sa.text('finished_at is null'))


def downgrade() -> None:
    """Take back."""
    op.drop_table('backup_run')
