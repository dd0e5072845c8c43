"""A FHIR file from the command line becomes drafts of a patient."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import OperationalError, ProgrammingError

from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.base.zones import local, zone
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at
from pillweb.schedules.actions import keep_imported
from pillweb.schedules.rules.fhir.imported import read_file
from pillweb.schedules.rules.fhir.reader import Reading

NOT_READY = "The database cannot be used. Run `python app.py migrate` first."


def import_drafts(text: str, patient_id: int) -> tuple[Sequence[Reading], int]:
    """Keep the medicines of a file; return what was read and how many drafts wait.

    Raises:
        ValueError: it is no FHIR, there is no such patient, or no database.
    """
    try:
        return _import_now(text, patient_id, now())
    except (OperationalError, ProgrammingError) as problem:
        raise ValueError(NOT_READY) from problem


def _import_now(
    text: str, patient_id: int, moment: datetime
) -> tuple[Sequence[Reading], int]:
    with database().transaction() as session:
        if session.get(Patient, patient_id) is None:
            raise ValueError(f"There is no patient with the number {patient_id}.")
        place = zone_at(session, patient_id, at=moment)
        found = read_file(text, local(moment, zone(place)).date(), place)
        drafts = keep_imported(
            session, patient_id, found.medicines, account_id=None, now=moment
        )
        return found.readings, len(drafts)
