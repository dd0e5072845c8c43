"""The invitation that led somebody to sign up."""

import sqlalchemy as sa
from alembic import op


revision = 'b5d2c8e91f64'
down_revision = 'b4f0b869c40a'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('account_link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('invitation_id', Id, nullable=True))
        batch_op.create_index(batch_op.f('ix_account_link_invitation_id'), ['invitation_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_account_link_invitation_id_invitation'), 'invitation', ['invitation_id'], ['id'], ondelete='SET NULL')


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('account_link', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_account_link_invitation_id_invitation'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_account_link_invitation_id'))
        batch_op.drop_column('invitation_id')
