"""Passkeys: credentials that sign in by a finger, a face or a key."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'a5c1e9d03b71'
down_revision = 'f4d8f2b06e13'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('passkey_handle', sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column('nudge_off_at', UTCDateTime(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_account_passkey_handle'), ['passkey_handle'])

    op.create_table('passkey',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('credential_id', sa.LargeBinary(length=1023), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.BigInteger(), nullable=False),
    sa.Column('transports', sa.JSON(), nullable=False),
    sa.Column('may_sync', sa.Boolean(), nullable=False),
    sa.Column('is_synced', sa.Boolean(), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('last_used_at', UTCDateTime(), nullable=True),
    sa.Column('doubted_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_passkey_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkey_credential_id'))
    )
    with op.batch_alter_table('passkey', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkey_account_id'), ['account_id'], unique=False)

    op.create_table('passkey_challenge',
    sa.Column('id', Id, nullable=False),
    sa.Column('browser_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('session_id', Id, nullable=True),
    sa.Column('purpose', sa.String(length=8), nullable=False),
    sa.Column('challenge', sa.LargeBinary(length=32), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['web_session.id'], name=op.f('fk_passkey_challenge_session_id_web_session'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey_challenge')),
    sa.UniqueConstraint('browser_hash', name=op.f('uq_passkey_challenge_browser_hash'))
    )
    with op.batch_alter_table('passkey_challenge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkey_challenge_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_passkey_challenge_session_id'), ['session_id'], unique=False)


def downgrade() -> None:
    """Take back: passkeys are lost, mail and passwords still sign in."""
    op.drop_table('passkey_challenge')
    op.drop_table('passkey')
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_account_passkey_handle'), type_='unique')
        batch_op.drop_column('nudge_off_at')
        batch_op.drop_column('passkey_handle')
