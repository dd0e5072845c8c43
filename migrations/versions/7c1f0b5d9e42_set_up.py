"""How far somebody is set up, and tests that prove that reminders arrive."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = '7c1f0b5d9e42'
down_revision = '5e27c9d3a806'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    op.add_column('patient', sa.Column('born', sa.LargeBinary(), nullable=True))
    op.create_table(
        'set_up',
        sa.Column('patient_id', Id, nullable=False),
        sa.Column('created_at', UTCDateTime(), nullable=False),
        sa.Column('finished_at', UTCDateTime(), nullable=True),
        sa.Column('answers', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_set_up_patient_id_patient'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_set_up')),
    )
    op.create_table(
        'mail_test',
        sa.Column('id', Id, nullable=False),
        sa.Column('patient_id', Id, nullable=False),
        sa.Column('address_index', sa.LargeBinary(length=32), nullable=False),
        sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
        sa.Column('created_at', UTCDateTime(), nullable=False),
        sa.Column('expires_at', UTCDateTime(), nullable=False),
        sa.Column('answered_at', UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_mail_test_patient_id_patient'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_test')),
        sa.UniqueConstraint('token_hash', name=op.f('uq_mail_test_token_hash')),
    )
    op.create_index(op.f('ix_mail_test_patient_id'), 'mail_test', ['patient_id'])


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f('ix_mail_test_patient_id'), table_name='mail_test')
    op.drop_table('mail_test')
    op.drop_table('set_up')
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_column('born')
