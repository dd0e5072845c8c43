"""What medicines look like: in words, and on a photo of their own."""

import sqlalchemy as sa
from alembic import op


revision = 'b7d20e5f93c1'
down_revision = '7d2f4be90c13'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('medication', schema=None) as batch_op:
        batch_op.add_column(sa.Column('looks', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('picture_key', sa.String(length=43), nullable=True))

    op.create_table('medication_picture',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('medication_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=43), nullable=False),
    sa.Column('crop', sa.String(length=8), nullable=False),
    sa.Column('whole', sa.LargeBinary(), nullable=False),
    sa.Column('small', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['medication_id'], ['medication.id'], name=op.f('fk_medication_picture_medication_id_medication'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_medication_picture_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_medication_picture')),
    sa.UniqueConstraint('key', name=op.f('uq_medication_picture_key')),
    sa.UniqueConstraint('medication_id', name=op.f('uq_medication_picture_medication_id'))
    )
    with op.batch_alter_table('medication_picture', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_medication_picture_patient_id'), ['patient_id'], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table('medication_picture')
    with op.batch_alter_table('medication', schema=None) as batch_op:
        batch_op.drop_column('picture_key')
        batch_op.drop_column('looks')
