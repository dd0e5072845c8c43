"""`flask --app app schedules import FILE.json`: what a FHIR file would become."""

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from pillweb.base.clock import now
from pillweb.base.zones import local
from pillweb.base.zones import zone as zone_of
from pillweb.schedules.rules.fhir.document import LONGEST
from pillweb.schedules.rules.fhir.reader import read_fhir


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--zone", "place", help="The patient's time zone: Europe/London.")
def import_file(file: Path, place: str | None) -> None:
    """Print what each dosage of a FHIR R4 file says, as JSON; change nothing.

    FILE is a MedicationRequest, a MedicationStatement or a Bundle; - reads standard
    input.
    """
    try:
        readings = read_fhir(_text_of(file), _today(place, now()).date(), place)
    except (OSError, ValueError) as problem:
        raise click.ClickException(" ".join(str(problem).split())) from problem
    click.echo(json.dumps([reading.as_json() for reading in readings], indent=1))


def _today(place: str | None, moment: datetime) -> datetime:
    return local(moment, zone_of(place)) if place else moment


def _text_of(file: Path) -> str:
    """Return the text of a file.

    Raises:
        ValueError: it is too long, or not written in UTF-8.
        OSError: there is no such file.
    """
    if str(file) == "-":
        raw = sys.stdin.buffer.read(LONGEST + 1)
    else:
        with file.open("rb") as opened:
            raw = opened.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise ValueError(f"The file is longer than {LONGEST // 10**6} MB.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError("The file must be written in UTF-8.") from problem
