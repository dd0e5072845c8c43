"""How the pages look to whoever signs in, kept for the next device."""

import sqlalchemy as sa
from alembic import op


revision = '6b1e94f0a7d8'
down_revision = '8b1f4e0c7a35'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column('account', sa.Column('look', sa.String(length=20), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_column('look')
