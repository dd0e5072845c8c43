"""In which language a patient reads."""

import sqlalchemy as sa
from alembic import op


revision = '5e27c9d3a806'
down_revision = 'a4c1e87d20f5'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column('patient', sa.Column('language', sa.String(length=8), nullable=False, server_default=''))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_column('language')
