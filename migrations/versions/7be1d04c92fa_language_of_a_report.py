"""The order of a report says in which language the doctor reads it."""

import sqlalchemy as sa
from alembic import op


revision = '7be1d04c92fa'
down_revision = 'd7f3a06b91ec'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('report_order', schema=None) as batch_op:
        batch_op.add_column(sa.Column('language', sa.String(length=8), server_default='en', nullable=False))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('report_order', schema=None) as batch_op:
        batch_op.drop_column('language')
