"""Intakes that no dose was planned for, and who is told when too much is recorded."""

import sqlalchemy as sa
from alembic import op


revision = '5b1e0f7d93ac'
down_revision = '3d0a7c1e52b4'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    op.create_table('intake',
    sa.Column('id', ID, nullable=False),
    sa.Column('patient_id', ID, nullable=False),
    sa.Column('medication_id', ID, nullable=False),
    sa.Column('line_id', ID, nullable=True),
    sa.Column('dose_id', ID, nullable=True),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('amount', sa.String(length=40), nullable=True),
    sa.Column('dose_text', sa.String(length=200), nullable=True),
    sa.Column('was_asked', sa.Boolean(), nullable=False),
    sa.Column('why', sa.LargeBinary(), nullable=True),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('account_id', ID, nullable=True),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('undone_by_id', ID, nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_intake_account_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['dose_id'], ['dose.id'], name=op.f('fk_intake_dose_id_dose'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['line_id'], ['line.id'], name=op.f('fk_intake_line_id_line'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['medication_id'], ['medication.id'], name=op.f('fk_intake_medication_id_medication'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_intake_patient_id_patient'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['undone_by_id'], ['account.id'], name=op.f('fk_intake_undone_by_id_account'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_intake')),
    sa.UniqueConstraint('patient_id', 'key', name=op.f('uq_intake_patient_id_key'))
    )
    with op.batch_alter_table('intake', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_intake_medication_id'), ['medication_id'], unique=False)
        batch_op.create_index('ix_intake_patient_id_taken_at', ['patient_id', 'taken_at'], unique=False)
    with op.batch_alter_table('access_grant', schema=None) as batch_op:
        batch_op.add_column(sa.Column('alerts', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('access_grant', schema=None) as batch_op:
        batch_op.drop_column('alerts')
    op.drop_table('intake')
