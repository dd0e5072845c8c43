"""When a patient eats and sleeps, and by which clocks they lived."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'b7f19c02d6aa'
down_revision = '3d0a7c1e52b4'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.add_column(sa.Column('meals', sa.JSON(), nullable=True))
    op.create_table(
        'zone_change',
        sa.Column('id', Id, nullable=False),
        sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('at', UTCDateTime(), nullable=False),
        sa.Column('zone', sa.String(length=60), nullable=False),
        sa.Column('before', sa.String(length=60), nullable=False),
        sa.Column('is_travel', sa.Boolean(), nullable=False),
        sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
        sa.Column('created_at', UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_zone_change_account_id_account'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_zone_change_patient_id_patient'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_zone_change')),
    )
    op.create_index('ix_zone_change_patient_id_at', 'zone_change', ['patient_id', 'at'], unique=True)


def downgrade() -> None:
    """Take back."""
    op.drop_index('ix_zone_change_patient_id_at', table_name='zone_change')
    op.drop_table('zone_change')
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_column('meals')
