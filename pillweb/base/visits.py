"""Whose data a session was opened for, and to whom: doors note it, audit writes it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from pillweb.base.sight import let_see

ACCOUNT, LINK, TABLET, MESSAGE, JOB, COMMAND, NOBODY = (
    "account",
    "link",
    "tablet",
    "message",
    "job",
    "command",
    "nobody",
)
# What concerns no patient but whoever runs the installation.
HOUSE = 0
_KEPT = "visits"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at a patient's data.

    `by` is how they came: signed in, by a shared link, by a tablet that is theirs, or
    by what a message brought (without `account_id` a message to the patient). `link_id`
    is the link, or the patient's place on the tablet. `is_own` says that it is theirs.
    """

    patient_id: int
    by: str
    account_id: int | None = None
    link_id: int | None = None
    is_own: bool = False


def note_visit(session: Session, visit: Visit) -> None:
    """Remember a visit as long as the session lives; of each patient the first.

    From now on the session may see this patient's rows.
    """
    let_see(session, visit.patient_id)
    session.info.setdefault(_KEPT, {}).setdefault(visit.patient_id, visit)


def note_answer(session: Session, patient_id: int | None) -> None:
    """Remember that a message of a patient's was answered; of nobody's is nothing."""
    if patient_id is not None:
        note_visit(session, Visit(patient_id, MESSAGE, is_own=True))


def visits_of(session: Session) -> Collection[Visit]:
    """Return who was noted in this session, by patient."""
    kept: dict[int, Visit] = session.info.get(_KEPT, {})
    return [kept[patient_id] for patient_id in sorted(kept)]
