from datetime import datetime, timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask

from pillweb.base.db import Database
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Delivery
from pillweb.reminders.actions.firing import fire_reminders
from tests.world import World, csrf_of, signed_in


def test_the_family_reads_what_became_of_each_reminder(
    app: Flask,
    db: Database,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    with db.transaction() as session:
        fire_reminders(session, now=now, limit=9)
        session.execute(
            sa.update(Delivery)
            .where(Delivery.patient_id == world.patient)
            .values(
                state="accepted",
                created_at=now,
                accepted_at=now,
                answered_at=now + timedelta(minutes=3),
            )
        )
        post_delivery(
            session,
            kind="dose_alert",
            recipient="marta@family.example",
            dedupe_key="alert",
            context={},
            now=now,
            patient_id=world.patient,
            contact_id=99,
            account_id=world.marta,
        )
    nora = signed_in(app, world.nora, now=now)
    here = f"/patients/{world.patient}/messages"
    page = nora.get(here).text
    for words in (
        "8am: Reminder",
        "Sent at 8.05am.",
        "Answered at 8.08am.",
        "A helper is asked to look",
        "Marta",
        "m…@family.example",
    ):
        assert words in page, words
    assert "rosa@family.example" not in page
    assert "Amlodipine" not in page
    assert "bruno" not in page.casefold()
    day_before = nora.get(f"{here}?day=2026-11-19").text
    assert "Nothing was sent this day." in day_before
    assert f'href="{here}?day=2026-11-20"' in day_before
    for wrong in ("2026-11-21", "yesterday", "2026-02-31"):
        assert nora.get(f"{here}?day={wrong}").status_code == 404


def test_today_shows_the_way_there_but_not_to_who_only_has_a_link(
    app: Flask,
    db: Database,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    assert "/messages" in rosa.get(f"/patients/{world.patient}/today").text
    aunt = signed_in(app, None, now=now)
    token = csrf_of(aunt)
    aunt.post(f"/s/{world.link_token}", data={"csrf_token": token})
    shared = aunt.get(f"/shared/{world.link}/today")
    assert shared.status_code == 200
    assert "/messages" not in shared.text
