"""How somebody agreed who was brought in from elsewhere."""

import sqlalchemy as sa
from alembic import op


revision = 'b3e9a758b3f9'
down_revision = 'b2d8f647a2e8'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('brought_in', schema=None) as batch_op:
        batch_op.add_column(sa.Column('how', sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column('note', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('brought_in', schema=None) as batch_op:
        batch_op.drop_column('note')
        batch_op.drop_column('how')
