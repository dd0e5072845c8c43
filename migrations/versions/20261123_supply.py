"""Supply as a ledger, and how more is got."""

import sqlalchemy as sa
from alembic import op


revision = '6bef240e6112'
down_revision = '5b1e0f7d93ac'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('dose_event', schema=None) as batch_op:
        batch_op.create_index('ix_dose_event_patient_id_id', ['patient_id', 'id'], unique=False)

    op.create_table('stock',
    sa.Column('medication_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('after_event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('after_intake_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seen_event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('pack_size', sa.String(length=40), nullable=True),
    sa.Column('repeats_left', sa.Integer(), nullable=True),
    sa.Column('lead_days', sa.Integer(), nullable=False),
    sa.Column('fetcher_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('check_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['fetcher_id'], ['account.id'], name=op.f('fk_stock_fetcher_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['medication_id'], ['medication.id'], name=op.f('fk_stock_medication_id_medication'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_stock_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('medication_id', name=op.f('pk_stock'))
    )
    with op.batch_alter_table('stock', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stock_check_at'), ['check_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_patient_id'), ['patient_id'], unique=False)

    op.create_table('supply_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('medication_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('numerator', sa.BigInteger(), nullable=False),
    sa.Column('denominator', sa.BigInteger(), nullable=False),
    sa.Column('cause', sa.String(length=12), nullable=False),
    sa.Column('dose_event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('intake_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('press', sa.String(length=64), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('note', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_supply_entry_account_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['dose_event_id'], ['dose_event.id'], name=op.f('fk_supply_entry_dose_event_id_dose_event'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['intake_id'], ['intake.id'], name=op.f('fk_supply_entry_intake_id_intake'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['medication_id'], ['medication.id'], name=op.f('fk_supply_entry_medication_id_medication'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_supply_entry_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supply_entry')),
    sa.UniqueConstraint('dose_event_id', name=op.f('uq_supply_entry_dose_event_id')),
    sa.UniqueConstraint('intake_id', 'cause', name=op.f('uq_supply_entry_intake_id_cause')),
    sa.UniqueConstraint('medication_id', 'press', name=op.f('uq_supply_entry_medication_id_press'))
    )
    with op.batch_alter_table('supply_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_supply_entry_patient_id'), ['patient_id'], unique=False)



def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('supply_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_supply_entry_patient_id'))

    op.drop_table('supply_entry')
    with op.batch_alter_table('stock', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_stock_patient_id'))
        batch_op.drop_index(batch_op.f('ix_stock_check_at'))

    op.drop_table('stock')
    with op.batch_alter_table('dose_event', schema=None) as batch_op:
        batch_op.drop_index('ix_dose_event_patient_id_id')
