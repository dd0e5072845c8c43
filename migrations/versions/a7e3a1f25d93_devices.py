"""Tablets that stay signed in to those they are for."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'a7e3a1f25d93'
down_revision = 'a6d2f0e14c82'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    """Apply."""
    op.create_table('device',
    sa.Column('id', Id, nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('last_seen_at', UTCDateTime(), nullable=False),
    sa.Column('chosen_id', Id, nullable=True),
    sa.Column('chosen_until', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['chosen_id'], ['patient.id'], name=op.f('fk_device_chosen_id_patient'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_device_token_hash'))
    )
    op.create_table('device_place',
    sa.Column('id', Id, nullable=False),
    sa.Column('device_id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('made_by_id', Id, nullable=True),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('pin_hash', sa.String(length=200), nullable=True),
    sa.Column('wrong_pins', sa.Integer(), server_default='0', nullable=False),
    sa.Column('pin_pause_until', UTCDateTime(), nullable=True),
    sa.Column('contact_id', Id, nullable=True),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('ended_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contact_point.id'], name=op.f('fk_device_place_contact_id_contact_point'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_device_place_device_id_device'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['made_by_id'], ['account.id'], name=op.f('fk_device_place_made_by_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_device_place_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device_place')),
    sa.UniqueConstraint('device_id', 'patient_id', name=op.f('uq_device_place_device_id_patient_id'))
    )
    with op.batch_alter_table('device_place', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_device_place_patient_id'), ['patient_id'], unique=False)

    op.create_table('device_pairing',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('made_by_id', Id, nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('code_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('ended_at', UTCDateTime(), nullable=True),
    sa.Column('place_id', Id, nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['account.id'], name=op.f('fk_device_pairing_made_by_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_device_pairing_patient_id_patient'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['place_id'], ['device_place.id'], name=op.f('fk_device_pairing_place_id_device_place'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device_pairing')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_device_pairing_token_hash'))
    )
    with op.batch_alter_table('device_pairing', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_device_pairing_code_index'), ['code_index'], unique=False)
        batch_op.create_index(batch_op.f('ix_device_pairing_patient_id'), ['patient_id'], unique=False)

    op.create_table('device_try',
    sa.Column('id', Id, nullable=False),
    sa.Column('client_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device_try'))
    )
    with op.batch_alter_table('device_try', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_device_try_at'), ['at'], unique=False)
        batch_op.create_index('ix_device_try_client_index_at', ['client_index', 'at'], unique=False)

    op.create_table('patient_photo',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('key', sa.String(length=43), nullable=False),
    sa.Column('photo', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_patient_photo_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_patient_photo')),
    sa.UniqueConstraint('key', name=op.f('uq_patient_photo_key')),
    sa.UniqueConstraint('patient_id', name=op.f('uq_patient_photo_patient_id'))
    )
    with op.batch_alter_table('replay', schema=None) as batch_op:
        batch_op.add_column(sa.Column('device_id', Id, nullable=True))
        batch_op.alter_column('account_id', existing_type=Id, nullable=True)
        batch_op.create_foreign_key(batch_op.f('fk_replay_device_id_device'), 'device', ['device_id'], ['id'], ondelete='CASCADE')
        batch_op.create_unique_constraint(batch_op.f('uq_replay_device_id_key'), ['device_id', 'key'])


def downgrade() -> None:
    """Take back; what tablets had kept and sent is forgotten, what it recorded is not."""
    op.execute('delete from replay where account_id is null')
    with op.batch_alter_table('replay', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_replay_device_id_key'), type_='unique')
        batch_op.drop_constraint(batch_op.f('fk_replay_device_id_device'), type_='foreignkey')
        batch_op.alter_column('account_id', existing_type=Id, nullable=False)
        batch_op.drop_column('device_id')
    op.drop_table('patient_photo')
    op.drop_table('device_try')
    op.drop_table('device_pairing')
    op.drop_table('device_place')
    op.drop_table('device')
