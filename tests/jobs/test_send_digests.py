"""The job tells every family, whatever happens to one of them, and starts again."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from jobs import deliver, send_digests
from jobs.send_digests import run
from pillweb.base.db import Database
from pillweb.digests.actions.clocks import Due
from pillweb.digests.actions.days import tell_days
from pillweb.outbox.models import Delivery
from pillweb.sharing.models import Grant
from tests.jobs.conftest import Moment
from tests.services import SmtpSink
from tests.world import World

EVENING = {"hours": 12, "minutes": 25}


@pytest.fixture
def family(db: Database, world: World, moment: Moment) -> World:
    """Marta and Eve want to hear of the day."""
    assert run() == 2
    with db.transaction() as session:
        session.execute(sa.update(Grant).values(wants=["day"], role="caregiver"))
    moment.move(**EVENING)
    return world


def mails(db: Database) -> list[tuple[int | None, str]]:
    with db.reading() as session:
        rows = session.execute(
            sa.select(Delivery.patient_id, Delivery.state)
            .where(Delivery.kind == "day_digest")
            .order_by(Delivery.id)
        )
        return [(row[0], row[1]) for row in rows]


def test_everybody_is_told_and_a_second_run_does_nothing(
    db: Database, family: World, sink: SmtpSink
) -> None:
    assert run() == 2
    told = mails(db)
    assert {patient for patient, _ in told} == {family.patient, family.other_patient}
    assert run() == 0
    deliver.run()
    assert len(sink.mails) == len(told)


def test_one_who_cannot_be_told_of_stops_nobody(
    db: Database, family: World, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    def broken(session: Session, due: list[Due], *, now: datetime) -> int:
        if any(one.patient_id == family.patient for one in due):
            raise ValueError
        return tell_days(session, due, now=now)

    kinds = tuple(
        (at, take, broken if tell is tell_days else tell)
        for at, take, tell in send_digests.KINDS
    )
    monkeypatch.setattr(send_digests, "KINDS", kinds)
    run()
    assert {patient for patient, _ in mails(db)} == {family.other_patient}
    with db.reading() as session:
        assert send_digests.oldest(session, moment.now) is None


def test_who_wants_it_no_more_before_it_left_does_not_get_it(
    db: Database, family: World, sink: SmtpSink
) -> None:
    run()
    with db.transaction() as session:
        session.execute(sa.update(Grant).values(wants=[]))
    deliver.run()
    assert sink.mails == []
    assert {state for _, state in mails(db)} == {"cancelled"}


def test_many_patients_nobody_wants_to_hear_of_cost_next_to_nothing(
    db: Database, world: World, moment: Moment
) -> None:
    run()
    moment.move(**EVENING)
    asked: list[str] = []
    sa.event.listen(
        db.engine,
        "before_cursor_execute",
        lambda *facts: asked.append(facts[2]),
    )
    run()
    assert not [one for one in asked if "FROM dose" in one]


def test_a_day_later_they_are_told_of_the_next(
    db: Database, family: World, moment: Moment
) -> None:
    run()
    before = len(mails(db))
    moment.now += timedelta(days=1)
    run()
    assert len(mails(db)) == 2 * before
