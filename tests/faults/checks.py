"""What must hold after any fault."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.clock import now as clock_now
from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN
from pillweb.outbox.models import Attempt, Delivery
from pillweb.reminders.models import Reminder
from tests.providers import Provider
from tests.services import SmtpSink

DUE, LATE = "dose_due", "dose_late"
ENDED = {"accepted", "delivered", "cancelled", "superseded", "suppressed"}


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
    """Return the reminders that were said, need not be, or are owned up to."""
    told = session.execute(
        sa.select(Delivery.subject_id, Delivery.state, Delivery.last_error).where(
            Delivery.kind == DUE, Delivery.subject_id.is_not(None)
        )
    ).all()
    said = {row.subject_id for row in told if row.state in ENDED}
    said |= {row.subject_id for row in told if row.state == "dead" and row.last_error}
    gathered = sa.select(Reminder.id).where(
        Reminder.state != "open",
        sa.exists().where(
            Delivery.patient_id == Reminder.patient_id,
            Delivery.kind == LATE,
            Delivery.created_at >= Reminder.due_at,
        ),
    )
    recorded = sa.select(Reminder.id).where(
        ~sa.exists().where(
            Dose.patient_id == Reminder.patient_id,
            Dose.due_at == Reminder.due_at,
            Dose.state == OPEN,
        )
    )
    return said | set(session.scalars(gathered)) | set(session.scalars(recorded))


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

    Every due reminder was accepted, cancelled, superseded, suppressed, gathered into a
    message about what was late, or is a dead letter with its reason; nothing was
    repeated but what a crash left open, and what `cut_off` senders said too late to be
    believed; nothing left that had expired or was recorded; the file is whole.
    """
    found = take_stock(db, sink, provider)
    assert found.due > 0
    assert found.lost == 0, f"{found.lost} of {found.due} lost"
    assert found.repeated <= found.left_open + cut_off
    with db.reading() as session:
        assert _sent_too_late(session) == 0
        if db.engine.dialect.name == "sqlite":
            assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"
    return found
