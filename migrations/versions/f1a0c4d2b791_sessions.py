"""Sessions that can be listed, named and ended, and ways to sign in."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'f1a0c4d2b791'
down_revision = 'e1a7c3f59d04'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
INSTANTS = ('last_seen_at', 'idle_ends_at', 'proved_at')


def upgrade() -> None:
    """Apply."""
    op.create_table('sign_in_mail',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=True),
    sa.Column('email_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('client_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('browser_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('code_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('is_own_device', sa.Boolean(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('ended_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_sign_in_mail_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_mail')),
    sa.UniqueConstraint('browser_hash', name=op.f('uq_sign_in_mail_browser_hash')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sign_in_mail_token_hash'))
    )
    with op.batch_alter_table('sign_in_mail', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_mail_account_id'), ['account_id'], unique=False)
        batch_op.create_index('ix_sign_in_mail_email_index_created_at', ['email_index', 'created_at'], unique=False)
        batch_op.create_index('ix_sign_in_mail_client_index_created_at', ['client_index', 'created_at'], unique=False)

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_patient', sa.Boolean(), server_default=sa.false(), nullable=False))

    op.execute("update account set is_patient = true where id in (select account_id from access_grant where role = 'self' and status = 'accepted')")
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('name', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('stay', sa.String(length=8), server_default='own', nullable=False))
        for name in INSTANTS:
            batch_op.add_column(sa.Column(name, UTCDateTime(), nullable=True))

    # Sessions from before keep the 90 days that they were promised.
    op.execute('update web_session set last_seen_at = created_at, proved_at = created_at, idle_ends_at = expires_at')
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        for name in INSTANTS:
            batch_op.alter_column(name, existing_type=UTCDateTime(), nullable=False)
        batch_op.alter_column('stay', existing_type=sa.String(length=8), server_default=None)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        for name in (*INSTANTS, 'stay', 'name'):
            batch_op.drop_column(name)

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_column('is_patient')

    op.drop_table('sign_in_mail')
