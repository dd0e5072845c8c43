"""From which entry of a file a plan came."""

import sqlalchemy as sa
from alembic import op


revision = 'c4d9a61b7e20'
down_revision = '6b1e94f0a7d8'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column('plan', sa.Column('import_key', sa.String(length=43), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('plan', schema=None) as batch_op:
        batch_op.drop_column('import_key')
