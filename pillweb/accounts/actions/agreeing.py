"""What somebody agreed to is written down, with the sentence that was shown."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.accounts.models import Consent
from pillweb.accounts.rules import FOR_OTHER, MYSELF, SENTENCES, STORING


def note_joined(session: Session, account_id: int, *, now: datetime) -> None:
    """Write down that an account agreed to what is kept of it."""
    session.add(
        Consent(
            owner_id=account_id,
            account_id=account_id,
            about=STORING,
            version=SENTENCES[STORING][0],
            how=MYSELF,
            given_at=now,
        )
    )


def note_agreed(
    session: Session,
    patient_id: int,
    *,
    account_id: int,
    how: str,
    note: str,
    now: datetime,
) -> None:
    """Write down how a patient agreed that this is kept, as an account says.

    `how` is one of `accounts.rules.WAYS`, `note` what they may decide for the patient.
    """
    session.add(
        Consent(
            patient_id=patient_id,
            account_id=account_id,
            about=FOR_OTHER,
            version=SENTENCES[FOR_OTHER][0],
            how=how,
            note=note or None,
            given_at=now,
        )
    )
