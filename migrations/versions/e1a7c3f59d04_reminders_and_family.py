"""Channels, ladders, families that are told, and providers that fail."""

import sqlalchemy as sa
from alembic import op

from pillweb.base.crypto import EncryptedText, blind_index
from pillweb.base.db import UTCDateTime


revision = 'e1a7c3f59d04'
down_revision = 'd27f80c4b91e'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
DEAD = "state = 'dead'"
WAITING = "state in ('pending', 'leased')"


def _move_addresses() -> None:
    """Make the address of each patient's reminders a contact point, tests with it."""
    patient = sa.table('patient', sa.column('id', Id), sa.column('created_at', UTCDateTime()), sa.column('reminder_email', EncryptedText('patient.reminder_email')))
    test = sa.table('mail_test', sa.column('patient_id', Id), sa.column('address_index', sa.LargeBinary()), sa.column('token_hash', sa.LargeBinary()), *(sa.column(name, UTCDateTime()) for name in ('created_at', 'expires_at', 'answered_at')))
    point = sa.table('contact_point', *(sa.column(name, Id) for name in ('id', 'patient_id', 'rank', 'failures')), sa.column('channel', sa.String()), sa.column('address', EncryptedText('contact_point.address')), sa.column('address_index', sa.LargeBinary()), sa.column('state', sa.String()), sa.column('created_at', UTCDateTime()), sa.column('proven_at', UTCDateTime()))
    kept = sa.table('contact_test', sa.column('contact_id', Id), sa.column('token_hash', sa.LargeBinary()), *(sa.column(name, UTCDateTime()) for name in ('created_at', 'expires_at', 'answered_at')))
    connection = op.get_bind()
    for row in connection.execute(sa.select(patient)).all():
        index = blind_index(row.reminder_email.casefold(), purpose='contact.email')
        before = blind_index(row.reminder_email.casefold(), purpose='email')
        tests = [one for one in connection.execute(sa.select(test).where(test.c.patient_id == row.id)) if one.address_index == before]
        proven = min((one.answered_at for one in tests if one.answered_at), default=None)
        connection.execute(point.insert().values(patient_id=row.id, channel='email', address=row.reminder_email, address_index=index, rank=1, failures=0, state='active' if proven else 'unproven', created_at=row.created_at, proven_at=proven))
        found = connection.execute(sa.select(point.c.id).where(point.c.patient_id == row.id)).scalar_one()
        for one in tests:
            connection.execute(kept.insert().values(contact_id=found, token_hash=one.token_hash, created_at=one.created_at, expires_at=one.expires_at, answered_at=one.answered_at))


def _move_addresses_back() -> None:
    """Give each patient one address again: the first that is an e-mail address."""
    op.add_column('patient', sa.Column('reminder_email', sa.LargeBinary(), nullable=True))
    patient = sa.table('patient', sa.column('id', Id), sa.column('reminder_email', EncryptedText('patient.reminder_email')))
    point = sa.table('contact_point', *(sa.column(name, Id) for name in ('id', 'patient_id', 'rank')), sa.column('channel', sa.String()), sa.column('address', EncryptedText('contact_point.address')))
    connection = op.get_bind()
    chosen = sa.select(point.c.patient_id, point.c.address).where(point.c.channel == 'email').order_by(point.c.rank.desc(), point.c.id.desc())
    for row in connection.execute(chosen).all():
        connection.execute(patient.update().where(patient.c.id == row.patient_id).values(reminder_email=row.address))


def upgrade() -> None:
    """Apply."""
    op.create_table('breaker',
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('failing_since', UTCDateTime(), nullable=True),
    sa.Column('retry_at', UTCDateTime(), nullable=True),
    sa.Column('last_error', sa.String(length=60), nullable=True),
    sa.PrimaryKeyConstraint('channel', name=op.f('pk_breaker'))
    )
    op.create_table('canary',
    sa.Column('id', Id, nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('mark', sa.String(length=43), nullable=False),
    sa.Column('sent_at', UTCDateTime(), nullable=False),
    sa.Column('returned_at', UTCDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_canary')),
    sa.UniqueConstraint('mark', name=op.f('uq_canary_mark'))
    )
    with op.batch_alter_table('canary', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_canary_channel'), ['channel'], unique=False)

    op.create_table('incident',
    sa.Column('id', Id, nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('about', sa.String(length=40), nullable=False),
    sa.Column('opened_at', UTCDateTime(), nullable=False),
    sa.Column('closed_at', UTCDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident'))
    )
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.create_index('uq_incident_open', ['kind', 'about'], unique=True, sqlite_where=sa.text('closed_at is null'), postgresql_where=sa.text('closed_at is null'))

    op.create_table('live_note',
    sa.Column('id', Id, nullable=False),
    sa.Column('device_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('delivery_id', Id, nullable=False),
    sa.Column('words', sa.LargeBinary(), nullable=False),
    sa.Column('link', sa.LargeBinary(), nullable=False),
    sa.Column('is_urgent', sa.Boolean(), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('shown_at', UTCDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_live_note')),
    sa.UniqueConstraint('key', name=op.f('uq_live_note_key'))
    )
    with op.batch_alter_table('live_note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_live_note_device_index'), ['device_index'], unique=False)

    op.create_table('contact_point',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=True),
    sa.Column('account_id', Id, nullable=True),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('address', sa.LargeBinary(), nullable=False),
    sa.Column('address_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('proven_at', UTCDateTime(), nullable=True),
    sa.Column('last_ok_at', UTCDateTime(), nullable=True),
    sa.Column('failed_at', UTCDateTime(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.String(length=60), nullable=True),
    sa.CheckConstraint('(patient_id IS NULL) <> (account_id IS NULL)', name=op.f('ck_contact_point_one_owner')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_contact_point_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_contact_point_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_point')),
    sa.UniqueConstraint('account_id', 'channel', 'address_index', name=op.f('uq_contact_point_account_id_channel_address_index')),
    sa.UniqueConstraint('patient_id', 'channel', 'address_index', name=op.f('uq_contact_point_patient_id_channel_address_index'))
    )
    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_point_address_index'), ['address_index'], unique=False)

    op.create_table('digest_clock',
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('day_on', sa.Date(), nullable=False),
    sa.Column('day_at', UTCDateTime(), nullable=False),
    sa.Column('week_on', sa.Date(), nullable=False),
    sa.Column('week_at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_digest_clock_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_digest_clock'))
    )
    with op.batch_alter_table('digest_clock', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_digest_clock_day_at'), ['day_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_digest_clock_week_at'), ['week_at'], unique=False)

    op.create_table('feed_link',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('made_by_id', Id, nullable=True),
    sa.Column('label', sa.LargeBinary(), nullable=False),
    sa.Column('shows_names', sa.Boolean(), nullable=False),
    sa.Column('look', sa.String(length=40), nullable=True),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('revoked_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['account.id'], name=op.f('fk_feed_link_made_by_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_feed_link_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feed_link')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_feed_link_token_hash'))
    )
    with op.batch_alter_table('feed_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_feed_link_patient_id'), ['patient_id'], unique=False)

    op.create_table('preference',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=True),
    sa.Column('account_id', Id, nullable=True),
    sa.Column('unwanted', sa.JSON(), nullable=False),
    sa.Column('quiet_from', sa.String(length=5), nullable=False),
    sa.Column('quiet_until', sa.String(length=5), nullable=False),
    sa.Column('urgent_passes', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('shows_names', sa.Boolean(), nullable=False),
    sa.CheckConstraint('(patient_id IS NULL) <> (account_id IS NULL)', name=op.f('ck_preference_one_owner')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_preference_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_preference_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_preference')),
    sa.UniqueConstraint('account_id', name=op.f('uq_preference_account_id')),
    sa.UniqueConstraint('patient_id', name=op.f('uq_preference_patient_id'))
    )
    op.create_table('unreachable',
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('since', UTCDateTime(), nullable=False),
    sa.Column('told_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_unreachable_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_unreachable'))
    )
    with op.batch_alter_table('unreachable', schema=None) as batch_op:
        batch_op.create_index('ix_unreachable_since', ['since'], unique=False)

    op.create_table('contact_test',
    sa.Column('id', Id, nullable=False),
    sa.Column('contact_id', Id, nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('answered_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contact_point.id'], name=op.f('fk_contact_test_contact_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_test')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_contact_test_token_hash'))
    )
    with op.batch_alter_table('contact_test', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_test_contact_id'), ['contact_id'], unique=False)

    op.create_table('stop_link',
    sa.Column('contact_id', Id, nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact_point.id'], name=op.f('fk_stop_link_contact_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('contact_id', name=op.f('pk_stop_link')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_stop_link_token_hash'))
    )
    op.create_table('delivery_dose',
    sa.Column('delivery_id', Id, nullable=False),
    sa.Column('dose_id', Id, nullable=False),
    sa.Column('recipient', sa.String(length=21), nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('step', sa.Integer(), nullable=False),
    sa.Column('contact_id', Id, server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_delivery_dose_delivery_id_delivery'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['dose_id'], ['dose.id'], name=op.f('fk_delivery_dose_dose_id_dose'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('delivery_id', 'dose_id', name=op.f('pk_delivery_dose')),
    sa.UniqueConstraint('dose_id', 'recipient', 'channel', 'kind', 'step', 'contact_id', name=op.f('uq_delivery_dose_told'))
    )
    _move_addresses()
    op.drop_index(op.f('ix_mail_test_patient_id'), table_name='mail_test')
    op.drop_table('mail_test')
    with op.batch_alter_table('access_grant', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ladder_place', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('wants', sa.JSON(), server_default='[]', nullable=False))

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_admin', sa.Boolean(), server_default=sa.false(), nullable=False))

    # Whoever came first runs the installation.
    op.execute('update account set is_admin = true where id = (select min(id) from account)')

    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.add_column(sa.Column('contact_id', Id, nullable=True))
        batch_op.add_column(sa.Column('account_id', Id, nullable=True))
        batch_op.add_column(sa.Column('due_at', UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('delivered_at', UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('opened_at', UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('answered_at', UTCDateTime(), nullable=True))
        batch_op.drop_index(batch_op.f('ix_delivery_patient_id'))
        batch_op.drop_index('ix_delivery_waiting')
        batch_op.create_index('ix_delivery_waiting', ['channel', 'next_at'], unique=False, sqlite_where=sa.text(WAITING), postgresql_where=sa.text(WAITING))
        batch_op.create_index('ix_delivery_dead', ['created_at'], unique=False, sqlite_where=sa.text(DEAD), postgresql_where=sa.text(DEAD))
        batch_op.create_index('ix_delivery_contact_id_created_at', ['contact_id', 'created_at'], unique=False)
        batch_op.create_index('ix_delivery_patient_id_subject_id', ['patient_id', 'subject_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_delivery_provider_ref'), ['provider_ref'], unique=False)

    # What is leased is looked at again when its lease ends.
    op.execute("update delivery set next_at = lease_until where state = 'leased'")

    with op.batch_alter_table('medication', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ladder', sa.JSON(none_as_null=True), nullable=True))

    # Not in a batch: SQLite would make the table anew, and drop what hangs on the old.
    op.drop_column('patient', 'reminder_email')

    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.add_column(sa.Column('acknowledged_at', UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('round', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('alerted_at', UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('resolved_at', UTCDateTime(), nullable=True))
        batch_op.create_index('ix_reminder_late', ['next_at'], unique=False, sqlite_where=sa.text("state = 'late'"), postgresql_where=sa.text("state = 'late'"))
        batch_op.create_index('ix_reminder_alerted', ['alerted_at'], unique=False, sqlite_where=sa.text('alerted_at IS NOT NULL'), postgresql_where=sa.text('alerted_at IS NOT NULL'))

    with op.batch_alter_table('reminder_link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('delivery_id', Id, nullable=True))
        batch_op.add_column(sa.Column('account_id', Id, nullable=True))
        batch_op.add_column(sa.Column('channel', sa.String(length=12), server_default='email', nullable=False))
        batch_op.add_column(sa.Column('doubted_at', UTCDateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_reminder_link_delivery_id'), ['delivery_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_reminder_link_account_id_account'), 'account', ['account_id'], ['id'], ondelete='CASCADE')
        batch_op.create_foreign_key(batch_op.f('fk_reminder_link_delivery_id_delivery'), 'delivery', ['delivery_id'], ['id'], ondelete='SET NULL')



def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table('reminder_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reminder_link_delivery_id'))
        batch_op.drop_constraint(batch_op.f('fk_reminder_link_delivery_id_delivery'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_reminder_link_account_id_account'), type_='foreignkey')
        batch_op.drop_column('doubted_at')
        batch_op.drop_column('channel')
        batch_op.drop_column('account_id')
        batch_op.drop_column('delivery_id')

    op.drop_index('ix_reminder_alerted', table_name='reminder')
    op.drop_index('ix_reminder_late', table_name='reminder')
    op.drop_column('reminder', 'resolved_at')
    op.drop_column('reminder', 'alerted_at')
    op.drop_column('reminder', 'round')
    op.drop_column('reminder', 'acknowledged_at')

    _move_addresses_back()

    op.drop_column('medication', 'ladder')

    op.drop_index(op.f('ix_delivery_provider_ref'), table_name='delivery')
    op.drop_index('ix_delivery_patient_id_subject_id', table_name='delivery')
    op.drop_index('ix_delivery_contact_id_created_at', table_name='delivery')
    op.drop_index('ix_delivery_dead', table_name='delivery')
    op.drop_index('ix_delivery_waiting', table_name='delivery')
    op.create_index('ix_delivery_waiting', 'delivery', ['next_at'], sqlite_where=sa.text(WAITING), postgresql_where=sa.text(WAITING))
    op.create_index(op.f('ix_delivery_patient_id'), 'delivery', ['patient_id'])
    op.drop_column('delivery', 'answered_at')
    op.drop_column('delivery', 'opened_at')
    op.drop_column('delivery', 'delivered_at')
    op.drop_column('delivery', 'due_at')
    op.drop_column('delivery', 'account_id')
    op.drop_column('delivery', 'contact_id')

    op.drop_column('account', 'is_admin')

    op.drop_column('access_grant', 'wants')
    op.drop_column('access_grant', 'ladder_place')

    op.create_table('mail_test',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=False),
    sa.Column('address_index', sa.LargeBinary(length=32), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('expires_at', UTCDateTime(), nullable=False),
    sa.Column('answered_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_mail_test_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_test')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_mail_test_token_hash'))
    )
    with op.batch_alter_table('mail_test', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_test_patient_id'), ['patient_id'], unique=False)

    op.drop_table('delivery_dose')
    op.drop_table('stop_link')
    with op.batch_alter_table('contact_test', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contact_test_contact_id'))

    op.drop_table('contact_test')
    with op.batch_alter_table('unreachable', schema=None) as batch_op:
        batch_op.drop_index('ix_unreachable_since')

    op.drop_table('unreachable')
    op.drop_table('preference')
    with op.batch_alter_table('feed_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_feed_link_patient_id'))

    op.drop_table('feed_link')
    with op.batch_alter_table('digest_clock', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_digest_clock_week_at'))
        batch_op.drop_index(batch_op.f('ix_digest_clock_day_at'))

    op.drop_table('digest_clock')
    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contact_point_address_index'))

    op.drop_table('contact_point')
    with op.batch_alter_table('live_note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_live_note_device_index'))

    op.drop_table('live_note')
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.drop_index('uq_incident_open', sqlite_where=sa.text('closed_at is null'), postgresql_where=sa.text('closed_at is null'))

    op.drop_table('incident')
    with op.batch_alter_table('canary', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_canary_channel'))

    op.drop_table('canary')
    op.drop_table('breaker')
