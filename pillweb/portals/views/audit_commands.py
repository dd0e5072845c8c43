"""Commands about the record of who looked and who changed: `… audit verify`."""

from pathlib import Path

import click

from pillweb.audit.queries import verify_all
from pillweb.audit.rules.chain import (
    EDITED,
    FORKED,
    HEAD,
    MISSING,
    TRUNCATED,
    Fault,
    read_seals,
)
from pillweb.base.config import settings
from pillweb.base.db import database

FAULTS = {
    EDITED: "was changed after it was written",
    MISSING: "does not follow the one before it: one was deleted or moved",
    FORKED: "stands beside another one: the chain was forked",
    TRUNCATED: "is gone: the end was cut off",
    HEAD: "is not where the chain ended",
}


@click.group("audit")
def audit() -> None:
    """Look after the record of who looked at what and who changed what."""


@audit.command("verify")
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of seals that was kept elsewhere; else the one in VAR_DIR.",
)
def verify(heads: Path | None) -> None:
    """Say whether every chain is as it was written; the exit code is 1 if not."""
    file = heads or Path(settings().var_dir) / "audit-heads.txt"
    try:
        seals = read_seals(file.read_text("utf-8")) if file.exists() else []
    except ValueError:
        raise click.ClickException(f"{file} is no file of seals.") from None
    with database().reading() as session:
        faults, broken, entries = verify_all(session, seals=seals)
    for fault in faults:
        click.echo(_words(fault))
    for seal in broken:
        click.echo(
            f"The seal of {seal.at:%Y-%m-%d %H:%M} UTC does not hold: "
            f"it stands for {seal.entries} entries that are not all here as they were."
        )
    if faults or broken:
        raise click.exceptions.Exit(1)
    click.echo(f"{entries} entries are as they were written; {len(seals)} seals hold.")


def _words(fault: Fault) -> str:
    whose = f"of patient {fault.patient_id}" if fault.patient_id else "of the house"
    return f"Entry {fault.seq} {whose} {FAULTS[fault.kind]}."
