"""A dose says when somebody wants to hear of it again."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = '7d2f4be90c13'
down_revision = '7be1d04c92fa'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('dose', schema=None) as batch_op:
        batch_op.add_column(sa.Column('later_until', UTCDateTime(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('dose', schema=None) as batch_op:
        batch_op.drop_column('later_until')
