"""A key of their own for each patient.

Up makes the keys, and seals the rules of plans, which stood in clear; `python app.py keys rotate` and its daily job move the values. Down
puts the values back as they were before, bound to their table and column alone.
"""

import json

import sqlalchemy as sa
from alembic import op

from pillweb.base.crypto import SEALED, UnreadableError, encrypt, key_of, new_key, seal, unseal, wrap_key
from pillweb.base.db import Id

revision = 'a8f4b2036ea4'
down_revision = 'a7e3a1f25d93'
branch_labels = None
depends_on = None

MANY = 500
COLUMNS = {
    'account': ('name', 'email'),
    'asking_code': ('code',),
    'contact_point': ('address',),
    'delivery': ('recipient', 'context'),
    'device_place': ('name',),
    'dose_event': ('note',),
    'feed_link': ('label',),
    'intake': ('why',),
    'invitation': ('label', 'address'),
    'live_note': ('words', 'link'),
    'medication': ('name', 'strength', 'reason', 'instruction', 'codes', 'ingredients', 'missed_text', 'looks'),
    'medication_picture': ('whole', 'small'),
    'oidc_try': ('verifier',),
    'paper': ('pdf',),
    'paper_code': ('token',),
    'passkey': ('name',),
    'patient': ('name', 'born'),
    'patient_photo': ('photo',),
    'plan': ('reason', 'end_reason'),
    'plan_draft': ('answers',),
    'report': ('pdf',),
    'report_order': ('doctor_name', 'email'),
    'share_link': ('label',),
    'stop_link': ('token',),
    'supply_entry': ('note',),
    'web_session': ('name',),
}
KEYS = {'asking_code': 'patient_id', 'stop_link': 'contact_id'}
KEY = sa.table('data_key', sa.column('owner_id', Id), sa.column('patient_id', Id), sa.column('wrapped', sa.LargeBinary()))


def upgrade() -> None:
    """Apply."""
    op.create_table('data_key',
    sa.Column('owner_id', Id, autoincrement=False, nullable=False),
    sa.Column('patient_id', Id, nullable=True),
    sa.Column('wrapped', sa.LargeBinary(length=65), nullable=False),
    sa.CheckConstraint('owner_id = coalesce(patient_id, 0)', name=op.f('ck_data_key_owner')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_data_key_patient_id_patient'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('owner_id', name=op.f('pk_data_key')),
    sa.UniqueConstraint('patient_id', name=op.f('uq_data_key_patient_id'))
    )
    connection = op.get_bind()
    patients = connection.scalars(sa.text('select id from patient')).all()
    rows = [
        {'owner_id': owner, 'patient_id': owner or None, 'wrapped': wrap_key(new_key(), owner=owner)}
        for owner in [0, *patients]
    ]
    connection.execute(sa.insert(KEY), rows)
    _seal_rules({row['owner_id']: row['wrapped'] for row in rows})


def downgrade() -> None:
    """Take back: what cannot be read is left as it is."""
    keys = {row.owner_id: row.wrapped for row in op.get_bind().execute(sa.select(KEY))}
    _bare_rules(keys)
    for table in COLUMNS:
        _unseal(table, keys)
    op.drop_table('data_key')


def _lines(rule: str) -> list[sa.RowMapping]:
    wanted = sa.text(f'select id, patient_id, {rule} as rule from line')
    return op.get_bind().execute(wanted).mappings().all()


def _seal_rules(keys: dict[int, bytes]) -> None:
    with op.batch_alter_table('line') as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column('sealed', sa.LargeBinary(), nullable=True))
    change = sa.text('update line set kind = :kind, sealed = :blob where id = :which')
    for row in _lines('cast(rule as text)'):
        rule = json.loads(row['rule'])
        key = key_of(bytes(keys[row['patient_id']]), row['patient_id'])
        blob = seal(row['rule'].encode(), key, place=f"line.rule:{row['id']}")
        kind = rule.get('kind', '') if isinstance(rule, dict) else ''
        op.get_bind().execute(change, {'kind': kind, 'blob': blob, 'which': row['id']})
    with op.batch_alter_table('line') as batch_op:
        batch_op.drop_column('rule')
        batch_op.alter_column('kind', existing_type=sa.String(length=12), nullable=False)
        batch_op.alter_column('sealed', new_column_name='rule', existing_type=sa.LargeBinary(), nullable=False)


def _bare_rules(keys: dict[int, bytes]) -> None:
    """A rule that cannot be read is one of which nothing is asked."""
    with op.batch_alter_table('line') as batch_op:
        batch_op.add_column(sa.Column('bare', sa.JSON(), nullable=True))
    rules = sa.table('line', sa.column('id', Id), sa.column('bare', sa.JSON()))
    for row in _lines('rule'):
        which = row['patient_id']
        try:
            key = key_of(bytes(keys[which]), which)
            rule = json.loads(unseal(bytes(row['rule']), key, place=f"line.rule:{row['id']}"))
        except (KeyError, UnreadableError):
            rule = {'kind': 'prn'}
        op.get_bind().execute(sa.update(rules).where(rules.c.id == row['id']).values(bare=rule))
    with op.batch_alter_table('line') as batch_op:
        batch_op.drop_column('rule')
        batch_op.drop_column('kind')
        batch_op.alter_column('bare', new_column_name='rule', existing_type=sa.JSON(), nullable=False)


def _unseal(table: str, keys: dict[int, bytes]) -> None:
    """Bind what a table keeps to its columns alone again, some rows at a time."""
    connection = op.get_bind()
    known = {column['name'] for column in sa.inspect(connection).get_columns(table)}
    names = [name for name in COLUMNS[table] if name in known]
    key = KEYS.get(table, 'id')
    owner = 'id' if table == 'patient' else 'patient_id' if 'patient_id' in known else None
    rows = sa.table(table, *(sa.column(name) for name in {key, *([owner] if owner else []), *names}))
    last = -1
    while True:
        wanted = sa.select(rows).where(rows.c[key] > last).order_by(rows.c[key]).limit(MANY)
        some = connection.execute(wanted).mappings().all()
        for row in some:
            last = row[key]
            given = (row[owner] if owner else 0) or 0
            before = {name: _before(row[name], keys.get(given), given, f'{table}.{name}', last) for name in names}
            connection.execute(sa.update(rows).where(rows.c[key] == last).values(before))
        if len(some) < MANY:
            return


def _before(kept: bytes | None, wrapped: bytes | None, owner: int, place: str, row: int) -> bytes | None:
    if kept is None or wrapped is None or bytes(kept[:1]) != SEALED:
        return kept
    try:
        plain = unseal(bytes(kept), key_of(bytes(wrapped), owner), place=f'{place}:{row}')
    except UnreadableError:
        return kept
    return encrypt(plain, place=place)
