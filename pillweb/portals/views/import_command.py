"""`flask --app app schedules import FILE.json`: what a FHIR file would become."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from pillweb.base.clock import now
from pillweb.base.zones import local
from pillweb.base.zones import zone as zone_of
from pillweb.schedules.rules.fhir.document import LONGEST
from pillweb.schedules.rules.fhir.reader import Reading, read_fhir


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--zone", "place", help="The patient's time zone: Europe/London.")
@click.option(
    "--patient",
    "patient_id",
    type=click.IntRange(1, 2**63 - 1),
    help="Keep drafts for the patient of this number.",
)
def import_file(file: Path, place: str | None, patient_id: int | None) -> None:
    """Print what each dosage of a FHIR R4 file says, as JSON.

    FILE is a MedicationRequest, a MedicationStatement or a Bundle; - reads standard
    input. Nothing changes, but with --patient each medicine becomes a draft that a
    person must go through before anything of it is in use.
    """
    if patient_id is not None and place is not None:
        raise click.UsageError("Give --zone or --patient: a patient has a zone.")
    try:
        text = _text_of(file)
        if patient_id is not None:
            readings = _keep(text, patient_id)
        else:
            readings = read_fhir(text, _today(place, now()).date(), place)
    except (OSError, ValueError) as problem:
        raise click.ClickException(" ".join(str(problem).split())) from problem
    click.echo(json.dumps([reading.as_json() for reading in readings], indent=1))


def _keep(text: str, patient_id: int) -> Sequence[Reading]:
    """Keep the medicines of a file as drafts of a patient; say how many wait.

    Raises:
        ValueError: it is no FHIR that we read, or there is no such patient.
    """
    # Only this needs a database: the rest of the command starts without settings.
    from pillweb.portals.views.import_drafts import import_drafts  # noqa: PLC0415

    readings, waiting = import_drafts(text, patient_id)
    some = f"{waiting} medicine{' waits' if waiting == 1 else 's wait'}"
    click.echo(f"{some} to be checked. Nothing of the file is in use yet.", err=True)
    return readings


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
