from datetime import timedelta

import pytest
import sqlalchemy as sa

from pillweb.base import db as database_module
from pillweb.base.db import Database
from pillweb.base.errors import InvalidError
from pillweb.channels import Message, SendError, live
from pillweb.channels.live import LiveNote, device_index
from tests.conftest import use_settings

KEY = "device-7f3a9b2c1d5e6f70"


def message(key: str = "dose_due:1:p1:1:0", **facts: object) -> Message:
    words = {
        "recipient": KEY,
        "subject": "Reminder for 8am",
        "short": "It is time for your 8am medicines.",
        "text": "",
        "link": "https://pills.example/t/abc",
        "delivery_id": 7,
        "lasts_s": 1800,
        "is_urgent": True,
    }
    return Message(key=key, **{**words, **facts})  # type: ignore[arg-type]


def send(*messages: Message) -> None:
    with live.open_channel() as hand_over:
        for one in messages:
            hand_over(one)


def test_a_note_waits_for_its_device(db: Database) -> None:
    send(message(), message("other", recipient="another-device-0123456789"))
    with db.reading() as session:
        found = sa.select(LiveNote).where(LiveNote.device_index == device_index(KEY))
        (note,) = session.scalars(found).all()
    assert note.words == "It is time for your 8am medicines."
    assert (note.link, note.delivery_id) == ("https://pills.example/t/abc", 7)
    assert note.is_urgent
    assert note.expires_at - note.created_at == timedelta(minutes=30)
    assert note.shown_at is None


def test_a_repeat_is_one_note(db: Database) -> None:
    send(message(), message())
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(LiveNote.id))) == 1


def test_a_key_is_made_or_kept() -> None:
    made = {live.read_address("") for _ in range(20)}
    assert len(made) == 20
    assert all(live.read_address(key) == key for key in made)
    with pytest.raises(InvalidError):
        live.read_address("short")


def test_a_database_that_is_away_is_tried_again(db: Database, tmp_path: object) -> None:
    before = str(db.engine.url.render_as_string(hide_password=False))
    use_settings(DATABASE_URL=f"sqlite:///{tmp_path}/none/none.db")
    try:
        with pytest.raises(SendError) as caught:
            send(message())
        assert not caught.value.permanent
    finally:
        database_module.database().engine.dispose()
        use_settings(DATABASE_URL=before)
