"""Answers that a device kept while it had no connection."""

import sqlalchemy as sa
from alembic import op


revision = 'd7f3a06b91ec'
down_revision = '7c1f0b5d9e42'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    key = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('replay',
    sa.Column('id', key, nullable=False),
    sa.Column('account_id', key, nullable=False),
    sa.Column('key', sa.String(length=36), nullable=False),
    sa.Column('patient_id', key, nullable=False),
    sa.Column('dose_id', key, nullable=False),
    sa.Column('deed', sa.String(length=8), nullable=False),
    sa.Column('pressed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_replay_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['dose_id'], ['dose.id'], name=op.f('fk_replay_dose_id_dose'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_replay_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_replay')),
    sa.UniqueConstraint('account_id', 'key', name=op.f('uq_replay_account_id_key'))
    )
    with op.batch_alter_table('replay', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_replay_dose_id'), ['dose_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_replay_patient_id'), ['patient_id'], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table('replay')
