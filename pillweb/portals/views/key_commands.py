"""Commands about the keys that lock names and notes: `… keys`, `… keys rotate`."""

import click

from pillweb.audit.models import AuditEntry
from pillweb.base.config import settings
from pillweb.base.crypto import OLD, key_name
from pillweb.base.db import database, table_of
from pillweb.base.sealed import by_key, rotate, standing


@click.group("keys", invoke_without_command=True)
@click.pass_context
def keys(context: click.Context) -> None:
    """Say what each key of FIELD_KEYS still locks, and which can be taken out."""
    if context.invoked_subcommand is None:
        _tell()


@keys.command("rotate")
def rotate_now() -> None:
    """Let the first key of FIELD_KEYS lock everything; can be stopped at any time."""
    moved = rotate(database(), between=lambda: None)
    click.echo(
        f"{moved.keys} keys were locked anew, and {moved.values} values were bound to "
        f"their rows. {moved.unreadable} cannot be read, and stay as they are."
    )
    _tell()


def _tell() -> None:
    with database().reading() as session:
        left = standing(session)
        entries = by_key(session, table_of(AuditEntry).c.what)
    index = key_name(settings().index_key_bytes).hex()
    for place, key in enumerate(settings().field_key_ring):
        name = key_name(key).hex()
        old = entries[OLD.hex() + name]
        click.echo(f"Key {name} locks {left.wrapped.pop(name, 0)} keys of patients.")
        if old:
            click.echo(f"  {old} old entries of the record are read only with it.")
        if name == index and not settings().index_key:
            click.echo("  Put it into INDEX_KEY before you take it out.")
        if place == 0:
            click.echo("  It locks all that is new: it must stay.")
    for name, many in left.wrapped.items():
        click.echo(f"Key {name} is not in FIELD_KEYS, and locks {many} keys.")
    click.echo(
        f"{left.unbound} values are from before each patient had a key"
        + (": run `python app.py keys rotate`." if left.unbound else ".")
    )
