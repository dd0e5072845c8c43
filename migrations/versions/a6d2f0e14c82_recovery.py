"""Printed codes, helpers who let somebody in again, and other ways to sign in."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'a6d2f0e14c82'
down_revision = 'a5c1e9d03b71'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('sign_in_mail', schema=None) as batch_op:
        batch_op.add_column(sa.Column('channel', sa.String(length=12), server_default='email', nullable=False))
    op.create_table('printed_code',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('code_hash', sa.String(length=200), nullable=False),
    sa.Column('made_at', UTCDateTime(), nullable=False),
    sa.Column('used_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_printed_code_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_printed_code')),
    sa.UniqueConstraint('account_id', 'place', name=op.f('uq_printed_code_account_id_place'))
    )
    op.create_table('entry_try',
    sa.Column('id', Id, nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('email_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('client_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry_try'))
    )
    with op.batch_alter_table('entry_try', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entry_try_client_index_at'), ['client_index', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_entry_try_email_index_at'), ['email_index', 'at'], unique=False)
    op.create_table('recovery_helper',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('helper_id', Id, nullable=False),
    sa.Column('named_at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_recovery_helper_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['helper_id'], ['account.id'], name=op.f('fk_recovery_helper_helper_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_helper')),
    sa.UniqueConstraint('account_id', 'helper_id', name=op.f('uq_recovery_helper_account_id_helper_id'))
    )
    with op.batch_alter_table('recovery_helper', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recovery_helper_helper_id'), ['helper_id'], unique=False)
    op.create_table('recovery',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('helper_id', Id, nullable=False),
    sa.Column('yes_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('stop_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('link_hash', sa.LargeBinary(length=32), nullable=True),
    sa.Column('code_index', sa.LargeBinary(length=32), nullable=True),
    sa.Column('browser_hash', sa.LargeBinary(length=32), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('started_at', UTCDateTime(), nullable=False),
    sa.Column('ready_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('code_expires_at', UTCDateTime(), nullable=True),
    sa.Column('used_at', UTCDateTime(), nullable=True),
    sa.Column('finished_at', UTCDateTime(), nullable=True),
    sa.Column('ended_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_recovery_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['helper_id'], ['account.id'], name=op.f('fk_recovery_helper_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery')),
    sa.UniqueConstraint('browser_hash', name=op.f('uq_recovery_browser_hash')),
    sa.UniqueConstraint('link_hash', name=op.f('uq_recovery_link_hash')),
    sa.UniqueConstraint('stop_hash', name=op.f('uq_recovery_stop_hash')),
    sa.UniqueConstraint('yes_hash', name=op.f('uq_recovery_yes_hash'))
    )
    with op.batch_alter_table('recovery', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recovery_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_recovery_helper_id'), ['helper_id'], unique=False)
    op.create_table('oidc_identity',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=False),
    sa.Column('issuer', sa.String(length=255), nullable=False),
    sa.Column('subject_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('made_at', UTCDateTime(), nullable=False),
    sa.Column('last_used_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_oidc_identity_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oidc_identity')),
    sa.UniqueConstraint('issuer', 'subject_index', name=op.f('uq_oidc_identity_issuer_subject_index'))
    )
    with op.batch_alter_table('oidc_identity', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_oidc_identity_account_id'), ['account_id'], unique=False)
    op.create_table('oidc_try',
    sa.Column('id', Id, nullable=False),
    sa.Column('account_id', Id, nullable=True),
    sa.Column('state_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('browser_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('nonce', sa.String(length=64), nullable=False),
    sa.Column('verifier', sa.LargeBinary(), nullable=False),
    sa.Column('subject_index', sa.LargeBinary(length=32), nullable=True),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('used_at', UTCDateTime(), nullable=True),
    sa.Column('ended_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_oidc_try_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oidc_try')),
    sa.UniqueConstraint('state_hash', name=op.f('uq_oidc_try_state_hash'))
    )
    with op.batch_alter_table('oidc_try', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_oidc_try_account_id'), ['account_id'], unique=False)


def downgrade() -> None:
    """Take back: a code that went to a phone is worth nothing any more."""
    op.drop_table('oidc_try')
    op.drop_table('oidc_identity')
    op.drop_table('recovery')
    op.drop_table('recovery_helper')
    op.drop_table('entry_try')
    op.drop_table('printed_code')
    op.execute("delete from sign_in_mail where channel <> 'email'")
    with op.batch_alter_table('sign_in_mail', schema=None) as batch_op:
        batch_op.drop_column('channel')
