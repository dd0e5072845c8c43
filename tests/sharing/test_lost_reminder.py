"""A reminder that was given up is said to who helps, until one arrives again."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.base.viewer import Viewer
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Delivery
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Level, alarm_words, nav_of
from tests.world import World, signed_in

LOST = "The last reminder for Rosa did not arrive."
HOUR = timedelta(hours=1)


def remind(
    session: Session,
    world: World,
    state: str,
    subject: int,
    *,
    at: datetime,
    kind: str = "dose_due",
) -> None:
    """Keep a reminder of Rosa's that ended like this."""
    count = session.scalar(sa.select(sa.func.count()).select_from(Delivery))
    posted = post_delivery(
        session,
        kind=kind,
        recipient="rosa@family.example",
        dedupe_key=f"r{count}",
        context={},
        patient_id=world.patient,
        subject_id=subject,
        now=at,
    )
    session.execute(
        sa.update(Delivery).where(Delivery.id == posted).values(state=state)
    )


def test_the_way_there_is_for_who_may_see_what_was_sent(
    session: Session, world: World, now: datetime
) -> None:
    remind(session, world, "dead", 1, at=now)
    theirs = Viewer(world.nora, 0, "", "", now)
    for sees, path in ((["history"], "/messages"), ([], "")):
        hers = sa.update(Grant).where(Grant.account_id == world.nora)
        session.execute(hers.values(sees=sees))
        door = open_door(session, theirs, world.patient, need=Level.VIEW, shows=())
        assert nav_of(door).alarm == LOST
        assert nav_of(door).alarm_url.endswith(path)
        assert bool(path) == bool(nav_of(door).alarm_url)


def words(session: Session, world: World, who: int, at: datetime) -> str:
    viewer = Viewer(who, 0, "", "", at)
    return alarm_words(open_door(session, viewer, world.patient, need=Level.VIEW))


def test_who_helps_reads_of_it_and_nobody_else(
    session: Session, world: World, now: datetime
) -> None:
    assert words(session, world, world.luis, now) == ""
    remind(session, world, "dead", 1, at=now)
    assert words(session, world, world.luis, now) == LOST
    assert words(session, world, world.rosa, now) == ""
    assert words(session, world, world.luis, now + 25 * HOUR) == ""


@pytest.mark.parametrize(
    ("others", "is_lost"),
    [
        # By two ways at once, and one of them carried it, before or after.
        ([("accepted", 1), ("dead", 1)], False),
        ([("dead", 1), ("pending", 1)], False),
        ([("dead", 1), ("dead", 1)], True),
        # One before it, one after it.
        ([("accepted", 1), ("dead", 2)], True),
        ([("dead", 1), ("accepted", 2)], False),
        ([("dead", 1), ("cancelled", 2)], True),
    ],
)
def test_it_is_over_when_one_arrives_by_any_way(
    session: Session,
    world: World,
    now: datetime,
    others: list[tuple[str, int]],
    is_lost: bool,
) -> None:
    for state, subject in others:
        remind(session, world, state, subject, at=now)
    assert (words(session, world, world.marta, now) == LOST) is is_lost


def test_no_other_message_and_nobody_elses_is_meant(
    session: Session, world: World, now: datetime
) -> None:
    remind(session, world, "dead", 1, at=now, kind="refill_due")
    assert words(session, world, world.marta, now) == ""
    remind(session, world, "dead", 1, at=now)
    viewer = Viewer(world.eve, 0, "", "", now)
    door = open_door(session, viewer, world.other_patient, need=Level.VIEW)
    assert not door.has_lost


@pytest.mark.usefixtures("pinned")
def test_the_page_leads_to_why(
    app: Flask, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        remind(session, world, "dead", 1, at=now)
    nora = signed_in(app, world.nora, now=now)
    page = nora.get(f"/patients/{world.patient}/today").text
    assert LOST in page
    assert f'href="/patients/{world.patient}/messages">See what to do' in page
    why = nora.get(f"/patients/{world.patient}/messages?day=2026-11-20").text
    assert "It did not arrive." in why


def test_where_nothing_arrives_any_more_that_is_what_is_said(
    session: Session, world: World, now: datetime
) -> None:
    remind(session, world, "dead", 1, at=now)
    patient = world.patient
    session.execute(
        sa.text(
            "insert into unreachable (patient_id, since, told_at) values (:p,:n,:n)"
        ),
        {"p": patient, "n": now.isoformat(" ")},
    )
    viewer = Viewer(world.marta, 0, "", "", now)
    nav = nav_of(open_door(session, viewer, patient, need=Level.VIEW))
    assert nav.alarm == "No reminder reaches Rosa now."
    assert nav.alarm_url == f"/patients/{patient}/contacts"
