"""The look of an account says its language, clock and digits, too."""

import sqlalchemy as sa
from alembic import op


revision = 'a4c1e87d20f5'
down_revision = 'c4d9a61b7e20'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.alter_column('look', existing_type=sa.String(length=20), type_=sa.String(length=40))


def downgrade() -> None:
    """Take back."""
    op.execute("UPDATE account SET look = NULL WHERE length(look) > 20")
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.alter_column('look', existing_type=sa.String(length=40), type_=sa.String(length=20))
