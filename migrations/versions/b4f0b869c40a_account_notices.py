"""Messages that tell of changes in how an account is signed in to, and new addresses."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'b4f0b869c40a'
down_revision = 'b3e9a758b3f9'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('sign_in_mail', schema=None) as batch_op:
        batch_op.add_column(sa.Column('new_email', sa.LargeBinary(), nullable=True))
    op.create_table('account_notice',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('email', sa.LargeBinary(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('told_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('ended_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_notice_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account_notice')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_account_notice_token_hash'))
    )
    with op.batch_alter_table('account_notice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_account_notice_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_account_notice_expires_at'), ['expires_at'], unique=False)


def downgrade() -> None:
    """Take back: a code for a new address would sign in."""
    op.execute('delete from sign_in_mail where new_email is not null')
    op.drop_table('account_notice')
    with op.batch_alter_table('sign_in_mail', schema=None) as batch_op:
        batch_op.drop_column('new_email')
