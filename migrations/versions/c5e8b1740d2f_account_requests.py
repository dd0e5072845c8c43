"""Wishes for an account or another password, which a job treats."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'c5e8b1740d2f'
down_revision = 'c4f0b869c4a0'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('account_request',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('email', sa.LargeBinary(), nullable=False),
    sa.Column('look', sa.String(length=40), nullable=False),
    sa.Column('invitation_hash', sa.LargeBinary(length=32), nullable=True),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('next_at', UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account_request')),
    sqlite_autoincrement=True
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table('account_request')
