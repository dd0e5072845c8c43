"""A wish for an account or a password is treated once, whatever happens meanwhile."""

from collections.abc import Callable, MutableMapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from jobs import account_requests, forget_deliveries
from pillweb.accounts.actions import joining, requesting
from pillweb.accounts.actions.requesting import RESET, SIGN_UP, keep_request
from pillweb.accounts.models import AccountRequest
from pillweb.accounts.queries import account_by_email
from pillweb.base.db import Database
from pillweb.base.look import Look
from pillweb.outbox.models import Delivery
from tests.at_once import at_once
from tests.jobs.conftest import Moment
from tests.world import World

LUIS, IDA = "luis@family.example", "ida@family.example"


def wish(db: Database, moment: Moment, kind: str = RESET, email: str = LUIS) -> None:
    with db.transaction() as session:
        keep_request(
            session, kind, name="Ida", email=email, look=Look(), now=moment.now
        )


def posted(db: Database) -> list[str]:
    """Return to whom mails wait, in the order in which they were written."""
    with db.reading() as session:
        rows = session.scalars(sa.select(Delivery).order_by(Delivery.id))
        return [row.recipient for row in rows]


def left(db: Database) -> int:
    with db.reading() as session:
        found = session.scalar(sa.select(sa.func.count()).select_from(AccountRequest))
        return found or 0


def waits(db: Database, moment: Moment) -> bool:
    with db.reading() as session:
        return account_requests.oldest(session, moment.now) is not None


def failing(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], *, email: str
) -> None:
    """Let a reset for an address fail after its mail was written."""
    real: Callable[..., None] = joining.want_reset

    def fail(session: object, **asked: Any) -> None:  # noqa: ANN401
        real(session, **asked)
        if asked["email"] == email:
            raise error

    monkeypatch.setattr(requesting, "want_reset", fail)


def test_requests_are_treated_the_oldest_first_and_once(
    db: Database, world: World, moment: Moment
) -> None:
    wish(db, moment)
    moment.move(seconds=1)
    wish(db, moment, SIGN_UP, IDA)
    wish(db, moment, RESET, "nobody@family.example")
    assert account_requests.run() == 3
    assert posted(db) == [LUIS, IDA]
    assert left(db) == account_requests.run() == 0


def test_one_that_is_killed_in_between_is_done_once(
    db: Database, world: World, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish(db, moment)
    with monkeypatch.context() as patch:
        failing(patch, KeyboardInterrupt, email=LUIS)
        with pytest.raises(KeyboardInterrupt):
            account_requests.run()
    assert (posted(db), left(db)) == ([], 1)
    assert account_requests.run() == 1
    assert posted(db) == [LUIS]


def test_two_workers_at_once_do_it_once(
    db: Database, world: World, moment: Moment
) -> None:
    for _ in range(4):
        wish(db, moment)
    assert sum(at_once(2, lambda _: account_requests.run())) == 4
    assert posted(db) == [LUIS] * 4


def test_one_that_fails_holds_up_no_other_and_is_tried_again(
    db: Database,
    world: World,
    moment: Moment,
    told: list[MutableMapping[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wish(db, moment)
    wish(db, moment, SIGN_UP, IDA)
    with monkeypatch.context() as patch:
        failing(patch, ValueError, email=LUIS)
        assert account_requests.run() == 1
    assert [one["event"] for one in told] == ["request_untreated"]
    assert posted(db) == [IDA]
    assert not waits(db, moment)
    moment.now += requesting.AGAIN_AFTER
    assert waits(db, moment)
    assert account_requests.run() == 1
    assert posted(db) == [IDA, LUIS]


def test_what_nobody_treated_for_a_day_is_deleted_and_does_nothing(
    db: Database, world: World, moment: Moment
) -> None:
    wish(db, moment, SIGN_UP, IDA)
    moment.now += timedelta(days=1)
    assert not waits(db, moment)
    assert account_requests.run() == 0
    with db.reading() as session:
        assert forget_deliveries.oldest(session, moment.now) == moment.now
    assert forget_deliveries.run() == 1
    assert left(db) == 0
    with db.reading() as session:
        assert account_by_email(session, IDA) is None
