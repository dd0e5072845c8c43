"""Taking leave: undo, purge, what must stay erased, and what was agreed to."""

import secrets

import sqlalchemy as sa
from alembic import op

from pillweb.base.db import UTCDateTime


revision = 'b0b6d42580c6'
down_revision = 'a9a5c3147fb5'
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _mark_all(name: str) -> None:
    """Give each row a mark of its own."""
    table = sa.table(name, sa.column('id', Id), sa.column('mark', sa.LargeBinary()))
    connection = op.get_bind()
    for row_id in connection.scalars(sa.select(table.c.id)).all():
        connection.execute(table.update().where(table.c.id == row_id).values(mark=secrets.token_bytes(16)))
    with op.batch_alter_table(name, schema=None) as batch_op:
        batch_op.alter_column('mark', existing_type=sa.LargeBinary(length=16), nullable=False)


def upgrade() -> None:
    """Apply."""
    for name in ('patient', 'account'):
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.add_column(sa.Column('mark', sa.LargeBinary(length=16), nullable=True))
            batch_op.add_column(sa.Column('leaves_at', UTCDateTime(), nullable=True))
        _mark_all(name)
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kept_in_at', UTCDateTime(), nullable=True))

    op.create_table('erasure',
    sa.Column('id', Id, nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('row_id', Id, nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure')),
    sa.UniqueConstraint('fingerprint', name=op.f('uq_erasure_fingerprint'))
    )
    op.create_table('consent',
    sa.Column('id', Id, nullable=False),
    sa.Column('patient_id', Id, nullable=True),
    sa.Column('owner_id', Id, nullable=True),
    sa.Column('account_id', Id, nullable=True),
    sa.Column('about', sa.String(length=12), nullable=False),
    sa.Column('version', sa.String(length=10), nullable=False),
    sa.Column('how', sa.String(length=12), nullable=False),
    sa.Column('note', sa.LargeBinary(), nullable=True),
    sa.Column('given_at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_consent_account_id_account'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['owner_id'], ['account.id'], name=op.f('fk_consent_owner_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_consent_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent'))
    )
    with op.batch_alter_table('consent', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_consent_owner_id'), ['owner_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_consent_patient_id'), ['patient_id'], unique=False)


def downgrade() -> None:
    """Take back: who was leaving stays, and whom nothing was shared with lost access."""
    op.drop_table('consent')
    op.drop_table('erasure')
    op.execute("update reminder set state = 'open' where state = 'asleep' and due_at > current_timestamp")
    op.execute("update reminder set state = 'done' where state = 'asleep'")
    op.execute("update access_grant set status = 'accepted' where status = 'aside'")
    op.execute("update access_grant set status = 'revoked' where status = 'kept_out'")
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_column('kept_in_at')
    for name in ('account', 'patient'):
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.drop_column('leaves_at')
            batch_op.drop_column('mark')
