"""Plans that are not finished, and who ended a plan and why."""

import sqlalchemy as sa
from alembic import op


revision = '8b1f4e0c7a35'
down_revision = '6bef240e6112'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    op.create_table('plan_draft',
    sa.Column('id', ID, nullable=False),
    sa.Column('patient_id', ID, nullable=False),
    sa.Column('account_id', ID, nullable=True),
    sa.Column('medication_id', ID, nullable=True),
    sa.Column('source', sa.String(length=12), nullable=False),
    sa.Column('key', sa.String(length=43), nullable=False),
    sa.Column('answers', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_plan_draft_account_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['medication_id'], ['medication.id'], name=op.f('fk_plan_draft_medication_id_medication'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_plan_draft_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_draft')),
    sa.UniqueConstraint('patient_id', 'key', name=op.f('uq_plan_draft_patient_id_key'))
    )
    with op.batch_alter_table('plan_draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_plan_draft_updated_at'), ['updated_at'], unique=False)
    with op.batch_alter_table('plan', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ended_by_id', ID, nullable=True))
        batch_op.add_column(sa.Column('end_reason', sa.LargeBinary(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_plan_ended_by_id_account'), 'account', ['ended_by_id'], ['id'], ondelete='SET NULL')


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('plan', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_plan_ended_by_id_account'), type_='foreignkey')
        batch_op.drop_column('end_reason')
        batch_op.drop_column('ended_by_id')
    op.drop_table('plan_draft')
