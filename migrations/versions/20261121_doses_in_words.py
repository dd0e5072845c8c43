"""What a dose is in the plan's own words; codes and ingredients of a medicine."""

import sqlalchemy as sa
from alembic import op


revision = '3d0a7c1e52b4'
down_revision = 'feb456cc5ad7'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('dose', schema=None) as batch_op:
        batch_op.add_column(sa.Column('dose_text', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('action', sa.String(length=200), nullable=True))
    with op.batch_alter_table('medication', schema=None) as batch_op:
        batch_op.add_column(sa.Column('codes', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('ingredients', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('missed_text', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('medication', schema=None) as batch_op:
        batch_op.drop_column('missed_text')
        batch_op.drop_column('ingredients')
        batch_op.drop_column('codes')
    with op.batch_alter_table('dose', schema=None) as batch_op:
        batch_op.drop_column('action')
        batch_op.drop_column('dose_text')
