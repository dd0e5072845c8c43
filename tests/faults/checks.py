"""What must hold after any fault."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from pillweb.base.clock import now as clock_now
from pillweb.base.db import Database, UTCDateTime
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import CANCELLED, HELD, OPEN
from pillweb.outbox.models import Attempt, Delivery, Incident
from pillweb.reminders.models import DeliveryDose, Reminder
from tests.providers import Provider
from tests.services import SmtpSink

DUE, LATE = "dose_due", "dose_late"
_newer = aliased(Dose)
_TOLD = sa.and_(DeliveryDose.dose_id == Dose.id, DeliveryDose.kind == DUE)
_IS_TAKEN_OVER = sa.and_(Delivery.accepted_at.is_not(None), Delivery.state != "dead")
_IS_OWNED = sa.or_(
    sa.exists().where(_TOLD, DeliveryDose.delivery_id == Delivery.id, _IS_TAKEN_OVER),
    # Gathered into the message that was made when its reminder was closed.
    sa.exists().where(
        Reminder.state == "done",
        Delivery.patient_id == Reminder.patient_id,
        Delivery.kind == LATE,
        Delivery.created_at == Reminder.last_fired_at,
    ),
    # Too late because the next one is due.
    sa.exists().where(
        _newer.medication_id == Dose.medication_id,
        _newer.state.not_in((CANCELLED, HELD)),
        _newer.due_at > Dose.due_at,
        _newer.due_at <= sa.bindparam("now", type_=UTCDateTime()),
    ),
    # A dead letter, or one held back, of a time that is known to be a bad one.
    sa.exists().where(
        _TOLD,
        DeliveryDose.delivery_id == Delivery.id,
        Delivery.state.in_(("dead", "suppressed")),
        Delivery.last_error.is_not(None),
        sa.exists().where(
            sa.or_(Incident.closed_at.is_(None), Incident.closed_at > Reminder.due_at)
        ),
    ),
)


@dataclass(frozen=True)
class Tally:
    """What came of the reminders of a test; lags are in seconds, from due to accepted.

    `left_open` counts the attempts of which nobody knows how they ended.
    """

    due: int
    lost: int
    repeated: int
    left_open: int
    lags: tuple[float, ...]

    def lag_at(self, share: float) -> float:
        """Return the lag that this share of the messages did not exceed."""
        return self.lags[int(share * (len(self.lags) - 1))] if self.lags else 0.0


def repeats(sink: SmtpSink | None, provider: Provider | None) -> int:
    """Return how many messages were taken over that had been before."""
    seen: Counter[str] = Counter()
    if sink:
        seen.update(str(mail.message["Message-ID"]) for mail in sink.mails)
    if provider:
        seen.update(f"{call.path} {call.twin}" for call in provider.accepted)
    return seen.total() - len(seen)


def take_stock(
    db: Database, sink: SmtpSink | None = None, provider: Provider | None = None
) -> Tally:
    """Count what is due by now, and what became of it."""
    now = clock_now()
    with db.reading() as session:
        due = set(session.scalars(sa.select(Reminder.id).where(Reminder.due_at <= now)))
        left_open = session.scalar(
            sa.select(sa.func.count()).where(Attempt.ended_at.is_(None))
        )
        rows = session.execute(
            sa.select(Delivery.created_at, Delivery.due_at, Delivery.accepted_at).where(
                Delivery.kind == DUE, Delivery.accepted_at.is_not(None)
            )
        ).all()
        lost = due - _accounted(session)
    lags = [_lag_s(*row) for row in rows]
    return Tally(
        due=len(due),
        lost=len(lost),
        repeated=repeats(sink, provider),
        left_open=left_open or 0,
        lags=tuple(sorted(lags)),
    )


def _lag_s(
    created_at: datetime, due_at: datetime | None, accepted_at: datetime | None
) -> float:
    """Return the seconds from due to accepted; of what was planned late, from then."""
    since = due_at or created_at
    return ((accepted_at or since) - since).total_seconds()


def _accounted(session: Session) -> set[int]:
    """Return the reminders whose every dose was said, recorded, or is owned up to."""
    rows = session.execute(
        sa.select(Reminder.id, Dose.id.label("dose_id"), _IS_OWNED.label("is_owned"))
        .outerjoin(
            Dose,
            sa.and_(
                Dose.patient_id == Reminder.patient_id,
                Dose.due_at == Reminder.due_at,
                Dose.state == OPEN,
            ),
        )
        .params(now=clock_now())
    ).all()
    owed = {row.id for row in rows if row.dose_id and not row.is_owned}
    return {row.id for row in rows} - owed


def _digests_astray(session: Session) -> int:
    """Count messages of what was late that are not the one of some reminder."""
    late = sa.select(Delivery).where(
        Delivery.kind == LATE, Delivery.state != "superseded"
    )
    told = {
        (patient_id, at)
        for patient_id, at in session.execute(
            sa.select(Reminder.patient_id, Reminder.last_fired_at)
        )
    }
    found = [(row.patient_id, row.contact_id) for row in session.scalars(late)]
    known = [
        (row.patient_id, row.contact_id)
        for row in session.scalars(late)
        if (row.patient_id, row.created_at) in told
    ]
    return len(found) - len(set(known))


def _sent_too_late(session: Session) -> int:
    """Count the calls of a provider for what had expired, or was recorded before."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(Attempt)
            .join(Delivery, Delivery.id == Attempt.delivery_id)
            .outerjoin(
                Reminder,
                sa.and_(Delivery.kind == DUE, Reminder.id == Delivery.subject_id),
            )
            .outerjoin(
                Dose,
                sa.and_(
                    Dose.patient_id == Reminder.patient_id,
                    Dose.due_at == Reminder.due_at,
                ),
            )
            .where(
                sa.or_(
                    Attempt.started_at >= Delivery.expires_at,
                    Attempt.started_at > Dose.recorded_at,
                )
            )
        )
        or 0
    )


def assert_nothing_lost(
    db: Database,
    sink: SmtpSink | None = None,
    provider: Provider | None = None,
    *,
    cut_off: int = 0,
) -> Tally:
    """Assert what no fault may break, and return what was counted.

    Each due dose without a record was told by a message that its provider took over, or
    in one message about what was late; or its next one is due; or an incident tells of
    the time in which its message died or was held back. Nothing was repeated but what a
    crash left open, and what `cut_off` senders said too late to be believed; nothing
    left that had expired or was recorded; the file is whole.
    """
    found = take_stock(db, sink, provider)
    assert found.due > 0
    assert found.lost == 0, f"{found.lost} of {found.due} lost"
    assert found.repeated <= found.left_open + cut_off
    with db.reading() as session:
        assert _sent_too_late(session) == 0
        assert _digests_astray(session) == 0
        if db.engine.dialect.name == "sqlite":
            assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"
    return found
