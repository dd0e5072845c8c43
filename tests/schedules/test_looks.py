"""What a medicine looks like: asked, shown, shown otherwise, and taken away again."""

from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.medications.models import Medication, MedicationPicture
from pillweb.sharing.models import ShareLink
from pillweb.web import photos
from tests.schedules.pages import medicine_url, send
from tests.world import World, csrf_of

SIZE_OF_SQUARE = (192, 192)
MOST_BYTES = 100_000


@pytest.fixture(autouse=True)
def _short_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MOST_BYTES", MOST_BYTES)


def jpeg(colour: str = "white", **more: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "JPEG", **more)
    return out.getvalue()


def save(
    client: FlaskClient,
    world: World,
    photo: bytes | None = None,
    *,
    words: str = "",
    field: str = "chosen",
) -> TestResponse:
    """Send the form as a browser without scripts does: an empty file, or one."""
    path = f"{medicine_url(world)}/looks"
    page = client.get(path).text
    assert 'enctype="multipart/form-data"' in page
    data = {
        "csrf_token": csrf_of(client, path),
        "looks": words,
        "taken": (BytesIO(), ""),
        "chosen": (BytesIO(), ""),
    }
    if photo is not None:
        data[field] = (BytesIO(photo), "IMG_20261120_My kitchen.jpg")
    return client.post(path, data=data, content_type="multipart/form-data")


def row(db: Database, world: World) -> Medication:
    with db.reading() as session:
        found = session.get_one(Medication, world.medication)
        session.expunge(found)
        return found


def pictures(db: Database) -> int:
    with db.reading() as session:
        counted = sa.select(sa.func.count()).select_from(MedicationPicture)
        return session.scalar(counted) or 0


def picture_url(db: Database, world: World, size: str = "small") -> str:
    key = row(db, world).picture_key
    return f"/patients/{world.patient}/pictures/{key}/{size}"


@pytest.mark.parametrize("field", ["taken", "chosen"])
def test_a_photo_is_shown_on_the_pages_of_its_medicine(
    rosa: FlaskClient, world: World, db: Database, field: str
) -> None:
    answer = save(rosa, world, jpeg(), words="small, white", field=field)
    assert answer.location == f"{medicine_url(world)}/looks"
    for path in (answer.location, medicine_url(world)):
        page = rosa.get(path).text
        assert f'src="{picture_url(db, world)}"' in page
        assert "small, white" in page
    assert 'alt="small, white"' in rosa.get(answer.location).text
    shown = rosa.get(picture_url(db, world))
    assert shown.mimetype == "image/jpeg"
    assert shown.headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert Image.open(BytesIO(shown.data)).size == SIZE_OF_SQUARE
    assert rosa.get(picture_url(db, world, "whole")).status_code == 200
    assert rosa.get(picture_url(db, world, "huge")).status_code == 404


def test_words_alone_are_enough_and_can_be_taken_back(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    assert save(rosa, world, words="round").location == medicine_url(world)
    assert "round" in rosa.get(medicine_url(world)).text
    assert row(db, world).picture_key is None
    save(rosa, world, words="")
    assert row(db, world).looks is None


def test_another_photo_and_another_crop_have_another_address(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    addresses = []
    for colour in ("white", "red"):
        save(rosa, world, jpeg(colour))
        addresses.append(picture_url(db, world))
    here = f"{medicine_url(world)}/looks"
    for crop in ("whole", "closer", "no such"):
        send(rosa, f"{here}/crop", {"crop": crop})
        addresses.append(picture_url(db, world))
    assert len(set(addresses)) == len(addresses)
    assert [rosa.get(url).status_code for url in addresses] == [404] * 4 + [200]
    assert 'value="middle" aria-pressed="true"' in rosa.get(here).text
    assert pictures(db) == 1


def test_a_photo_is_removed_and_the_words_stay(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    here = f"{medicine_url(world)}/looks"
    save(rosa, world, jpeg(), words="round")
    for _ in range(2):
        assert send(rosa, f"{here}/remove").location == here
        assert pictures(db) == 0
        assert (row(db, world).looks, row(db, world).picture_key) == ("round", None)
    send(rosa, f"{here}/crop", {"crop": "closer"})
    assert pictures(db) == 0


@pytest.mark.parametrize(
    ("photo", "sentence"),
    [
        (b"hello", "We cannot read this file as a photo."),
        (b"\xff\xd8\xff\xe0 cut off", "We cannot read this file as a photo."),
        (b" " * (MOST_BYTES + 1), "larger than 10 MB"),
    ],
)
def test_a_bad_file_gets_a_sentence_and_loses_nothing(
    rosa: FlaskClient,
    world: World,
    db: Database,
    photo: bytes,
    sentence: str,
) -> None:
    save(rosa, world, jpeg(), words="round")
    before = picture_url(db, world)
    answer = save(rosa, world, photo, words="small, white")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="small, white"' in answer.text
    assert picture_url(db, world) == before
    assert row(db, world).looks == "round"


def test_a_bomb_gets_a_sentence(rosa: FlaskClient, world: World, db: Database) -> None:
    out = BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    answer = save(rosa, world, out.getvalue())
    assert answer.status_code == 422
    assert "too many pixels" in answer.text
    assert pictures(db) == 0


def test_a_photo_is_encrypted_and_named_after_nothing(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    save(rosa, world, jpeg(comment=b"kitchen"), words="small, white")
    with db.reading() as session:
        kept = session.execute(
            sa.text("select whole, small, crop, key from medication_picture")
        ).one()
        words = session.execute(
            sa.text("select looks from medication where looks is not null")
        ).scalar_one()
    assert b"JFIF" not in bytes(kept.whole) + bytes(kept.small)
    assert b"white" not in bytes(words)
    assert "kitchen" not in repr(tuple(kept))


@pytest.mark.parametrize("shows_names", [True, False])
def test_a_link_shows_pictures_only_where_it_shows_names(
    app: Flask,
    rosa: FlaskClient,
    world: World,
    db: Database,
    shows_names: bool,
) -> None:
    save(rosa, world, jpeg())
    with db.transaction() as session:
        link = session.get_one(ShareLink, world.link)
        link.show_names = shows_names
    guest = app.test_client()
    csrf = csrf_of(guest, f"/s/{world.link_token}")
    guest.post(f"/s/{world.link_token}", data={"csrf_token": csrf})
    key = row(db, world).picture_key
    answer = guest.get(f"/shared/{world.link}/pictures/{key}/small")
    assert answer.status_code == (200 if shows_names else 404)


def today(client: FlaskClient, world: World) -> str:
    return client.get(f"/patients/{world.patient}/today").text


def test_today_shows_the_photo_or_else_the_words(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    plain = today(rosa, world)
    save(rosa, world, words="small, white")
    assert "<br><bdi>small, white</bdi>" in today(rosa, world)
    save(rosa, world, jpeg(), words="small, white")
    page = today(rosa, world)
    assert "<bdi>small, white</bdi>" not in page
    assert (
        f'<img class="pill" src="{picture_url(db, world)}" width="192" height="192" '
        'loading="lazy" alt="small, white">'
    ) in page
    send(rosa, f"{medicine_url(world)}/looks/remove")
    save(rosa, world, words="")
    rosa.get(medicine_url(world))  # says once that it was saved
    assert len(today(rosa, world)) == len(plain)
