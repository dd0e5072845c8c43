"""The invitation that led somebody to sign up."""

import sqlalchemy as sa
from alembic import op


revision = 'b5d2c8e91f64'
down_revision = 'b4f0b869c40a'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('account_link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('invitation_hash', sa.LargeBinary(length=32), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('account_link', schema=None) as batch_op:
        batch_op.drop_column('invitation_hash')
