"""Weekly sheets and cards to print, and the codes on them."""

import sqlalchemy as sa
from alembic import op


revision = 'd27f80c4b91e'
down_revision = 'b7d20e5f93c1'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('paper',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('kind', sa.String(length=4), nullable=False),
    sa.Column('first_on', sa.Date(), nullable=False),
    sa.Column('show_names', sa.Boolean(), nullable=False),
    sa.Column('look', sa.String(length=40), nullable=False),
    sa.Column('plan_revision', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('void_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('built_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('pdf', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['account.id'], name=op.f('fk_paper_made_by_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_paper_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper'))
    )
    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index('ix_paper_waiting', ['created_at'], unique=False, sqlite_where=sa.text("state = 'wanted'"), postgresql_where=sa.text("state = 'wanted'"))

    op.create_table('paper_code',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('paper_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('clock', sa.String(length=5), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.ForeignKeyConstraint(['paper_id'], ['paper.id'], name=op.f('fk_paper_code_paper_id_paper'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_paper_code_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_code')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_paper_code_token_hash'))
    )
    with op.batch_alter_table('paper_code', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_code_paper_id'), ['paper_id'], unique=False)



def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('paper_code', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_paper_code_paper_id'))

    op.drop_table('paper_code')
    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.drop_index('ix_paper_waiting', sqlite_where=sa.text("state = 'wanted'"), postgresql_where=sa.text("state = 'wanted'"))
        batch_op.drop_index(batch_op.f('ix_paper_patient_id'))

    op.drop_table('paper')
