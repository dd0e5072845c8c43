"""Whatever is typed into a form, no page fails and nothing is worked out."""

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from tests.house.cast import Cast, make_cast
from tests.house.good_forms import FORMS
from tests.house.policy import POLICY
from tests.security.corpora import TYPED
from tests.world import World, csrf_of, signed_in

ARGUMENT = re.compile(r"<(?:int:)?(\w+)>")
FIELD = re.compile(r'<(?:input|select|textarea|button)[^>]* name="([\w-]+)"')
# What reaches the database as it is, if nothing stops it.
STORED = {"a null byte", "half a character", "a large number", "a late date"}
POSTS = [route for route, may in POLICY.items() if route[:5] == "POST " and may]

# As many tests, so that none lasts too long.
PARTS = 6


@pytest.fixture
def cast(app: Flask, db: Database, world: World, now: datetime, pinned: object) -> Cast:
    return make_cast(app, db, world, now=now)


def path_of(cast: Cast, route: str) -> str:
    rule = route.split()[1]
    return cast.url(rule, dict.fromkeys(ARGUMENT.findall(rule), "rosa"))


def fields_of(app: Flask, cast: Cast, route: str) -> set[str]:
    """Return the names a form has: the good one's, and those on the page itself."""
    page = f"GET {route.split()[1]}"
    names = set(FORMS.get(route, {}))
    if page in POLICY:
        names |= set(
            FIELD.findall(cast.open(app, "rosa", "GET", path_of(cast, page)).text)
        )
    return (names - {"csrf_token"}) or {"anything"}


@pytest.mark.parametrize("part", range(PARTS))
def test_no_form_fails_by_what_is_typed(part: int, app: Flask, cast: Cast) -> None:
    """(62)"""
    failed = []
    for route in POSTS[part::PARTS]:
        path, names = path_of(cast, route), fields_of(app, cast, route)
        good = FORMS.get(route, {})
        for kind, text in TYPED.items():
            # All at once, and one among good ones where that gets further.
            tries: list[dict[str, object]] = [dict.fromkeys(names, text)]
            if kind in STORED:
                tries += [{**good, name: text} for name in names]
            for typed in tries:
                sent = {name: _encodable(value) for name, value in typed.items()}
                answer = cast.open(app, "rosa", "POST", path, sent)
                if answer.status_code >= 500 or "evil=1" in str(answer.headers):
                    failed.append(f"{route}: {kind} in {sorted(typed)}")
    assert not failed, "\n".join(failed)


def _encodable(value: object) -> object:
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "surrogatepass")[:200_000].decode("utf-8", "replace")


def test_a_field_given_twice_fails_nothing(app: Flask, cast: Cast) -> None:
    """(62)"""
    failed = []
    for route in POSTS:
        good = FORMS.get(route, {})
        twice: dict[str, object] = {n: [v, "x", "", v] for n, v in good.items()}
        if not twice:
            twice = {n: ["1", "2"] for n in fields_of(app, cast, route)}
        if (
            cast.open(app, "rosa", "POST", path_of(cast, route), twice).status_code
            > 499
        ):
            failed.append(route)
    assert not failed


def test_words_where_a_file_belongs_are_no_file(app: Flask, cast: Cast) -> None:
    """They are answered by the sentence for none (62)."""
    for route, field, words in (
        ("POST /people/import", "file", "Choose the file."),
        ("POST /patients/<int:patient_id>/photo", "chosen", "Choose a photo."),
    ):
        answer = cast.open(app, "rosa", "POST", path_of(cast, route), {field: "a"})
        assert answer.status_code == 422, route
        assert words in answer.text


def test_too_much_at_once_is_refused_before_it_is_read(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    """(62)"""
    client = signed_in(app, world.marta, now=now)
    path = f"/patients/{world.patient}/medicines/import"
    token = csrf_of(client, path)
    large = client.post(path, data={"csrf_token": token, "text": "a" * 13_000_000})
    long = client.post(path, data={"csrf_token": token, "text": "a" * 1_000_000})
    many = client.post(
        path, data={"csrf_token": token, **{f"f{n}": "1" for n in range(5000)}}
    )
    parts = client.post(
        path,
        data={"csrf_token": token, **{f"f{n}": "1" for n in range(300)}},
        content_type="multipart/form-data",
    )
    assert large.status_code == 413
    assert long.status_code in {413, 422}
    assert many.status_code < 500
    assert parts.status_code == 413


@pytest.mark.parametrize(
    "body", [b"{}", b"[1]", b"null", b'{"csrf_token": 1}', b"[" * 9999, b"\xff\xfe"]
)
def test_json_where_a_form_is_wanted_fails_nothing(
    body: bytes, app: Flask, world: World, now: datetime, pinned: object
) -> None:
    """(62)"""
    client = signed_in(app, world.marta, now=now)
    headers = {"X-CSRFToken": csrf_of(client, "/look")}
    for path in ("/look", f"/patients/{world.patient}/today", "/people/new"):
        answer = client.post(
            path, data=body, content_type="application/json", headers=headers
        )
        assert answer.status_code < 500, path


@pytest.mark.parametrize("depth", [200, 50_000])
def test_a_plan_as_deep_json_is_no_plan(
    depth: int, app: Flask, world: World, now: datetime, pinned: object
) -> None:
    """(62)"""
    client: FlaskClient = signed_in(app, world.marta, now=now)
    path = f"/patients/{world.patient}/medicines/import"
    text = '{"resourceType": "Bundle", "entry": ' + "[" * depth + "]" * depth + "}"
    form = {"csrf_token": csrf_of(client, path), "text": text}
    assert client.post(path, data=form).status_code == 422
