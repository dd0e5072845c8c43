"""Access that ends, invitations, requests by code, and links with a PIN."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'f4d8f2b06e13'
down_revision = 'f2b9d6e80a13'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
# What everybody who had access could see until now.
SAW = '["names", "history"]'
OPENED = '["today", "calendar"]'


def _ask_in_a_year() -> None:
    """Ask of everybody who has access, a year after it began, whether it is right."""
    grant = sa.table('access_grant', sa.column('id', Id), sa.column('role', sa.String()), sa.column('created_at', UTCDateTime()), sa.column('ask_at', UTCDateTime()))
    connection = op.get_bind()
    for row in connection.execute(sa.select(grant).where(grant.c.role != 'self')).all():
        connection.execute(grant.update().where(grant.c.id == row.id).values(ask_at=row.created_at + timedelta(days=365)))


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table('access_grant', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sees', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('given_by_id', Id, nullable=True))
        batch_op.add_column(sa.Column('ends_at', UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('ended_at', UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('ask_at', UTCDateTime(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_access_grant_given_by_id_account'), 'account', ['given_by_id'], ['id'], ondelete='SET NULL')
        batch_op.create_index('ix_access_grant_ends_at', ['ends_at'], unique=False)
        batch_op.create_index('ix_access_grant_ask_at', ['ask_at'], unique=False)
    op.execute(f"update access_grant set sees = '{SAW}'")
    _ask_in_a_year()
    with op.batch_alter_table('share_link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pages', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('pin_hash', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('wrong_pins', sa.Integer(), server_default='0', nullable=False))
    op.execute(f"update share_link set pages = '{OPENED}'")

    op.create_table('link_opening',
    sa.Column('id', Id, nullable=False),
    sa.Column('link_id', Id, nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('device', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['link_id'], ['share_link.id'], name=op.f('fk_link_opening_link_id_share_link'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link_opening'))
    )
    with op.batch_alter_table('link_opening', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_opening_link_id'), ['link_id'], unique=False)

    op.create_table('asking_code',
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('code', sa.LargeBinary(), nullable=False),
    sa.Column('code_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('made_at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_asking_code_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_asking_code')),
    sa.UniqueConstraint('code_index', name=op.f('uq_asking_code_code_index'))
    )
    op.create_table('invitation',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('made_by_id', Id, nullable=True),
    sa.Column('answered_by_id', Id, nullable=True),
    sa.Column('label', sa.LargeBinary(), nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=True),
    sa.Column('address', sa.LargeBinary(), nullable=True),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(length=12), nullable=False),
    sa.Column('sees', sa.JSON(), nullable=False),
    sa.Column('ends_at', UTCDateTime(), nullable=True),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('answered_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['answered_by_id'], ['account.id'], name=op.f('fk_invitation_answered_by_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['made_by_id'], ['account.id'], name=op.f('fk_invitation_made_by_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_invitation_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitation_token_hash'))
    )
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitation_made_by_id'), ['made_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_invitation_patient_id'), ['patient_id'], unique=False)


def downgrade() -> None:
    """Take back: whoever lost access has no row again, and a link with a PIN is gone."""
    op.drop_table('invitation')
    op.drop_table('asking_code')
    op.drop_table('link_opening')
    op.execute("delete from share_link where pin_hash is not null")
    with op.batch_alter_table('share_link', schema=None) as batch_op:
        batch_op.drop_column('wrong_pins')
        batch_op.drop_column('pin_hash')
        batch_op.drop_column('pages')
    op.execute("delete from access_grant where status <> 'accepted' or ends_at is not null")
    with op.batch_alter_table('access_grant', schema=None) as batch_op:
        batch_op.drop_index('ix_access_grant_ask_at')
        batch_op.drop_index('ix_access_grant_ends_at')
        batch_op.drop_constraint(batch_op.f('fk_access_grant_given_by_id_account'), type_='foreignkey')
        batch_op.drop_column('ask_at')
        batch_op.drop_column('ended_at')
        batch_op.drop_column('ends_at')
        batch_op.drop_column('given_by_id')
        batch_op.drop_column('sees')
