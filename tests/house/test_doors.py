"""Every route, tried by everybody, with every mixture of ids."""

import re
from collections.abc import Mapping
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.devices.models import DevicePlace
from pillweb.sharing.models import Grant, ShareLink
from pillweb.web.security import limiter
from tests.house.cast import CAST, LINK, NOBODY, TABLET, Cast, ownerships
from tests.house.conftest import PUBLIC, MakeApp
from tests.house.good_forms import FORMS
from tests.house.policy import NO_ONE, PERSON, POLICY
from tests.house.rows import all_rows, changed, put_back
from tests.house.things import CANARIES
from tests.world import World

ARGUMENT = re.compile(r"<(?:int:)?(\w+)>")
# An answer to a form that was not filled in: the door itself had opened.
UNREADABLE = {422, 409}
# They send everybody who is not signed in to the sign-in page, rightly.
TO_SIGN_IN = {
    "GET /",
    "POST /sign-out",
    "POST /r/<token>/stop",
    "POST /r/<token>/yes",
    "POST /w/<token>",
}
BEYOND = 2**63


def routes_of(app: Flask) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_says_who_may_open_it(web_app: Flask) -> None:
    unlisted = routes_of(web_app) - set(POLICY)
    assert not unlisted, f"say in tests/house/policy.py who may: {sorted(unlisted)}"


def test_the_policy_lists_no_route_that_is_gone(web_app: Flask) -> None:
    assert set(POLICY) <= routes_of(web_app)


def allowed(route: str, owners: Mapping[str, str]) -> frozenset[str]:
    if set(owners.values()) <= {"rosa"}:
        return POLICY[route]
    if set(owners.values()) == {"bruno"} and "patient_id" in owners:
        return frozenset({"eve"}) if POLICY[route] else NO_ONE
    return NO_ONE


def readable(person: str) -> set[str]:
    """Return the canaries this person could ever be shown."""
    if person == "eve":
        return {CANARIES["bruno"]}
    return set() if person == NOBODY else {CANARIES["rosa"]}


def to_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 303 and answer.location.startswith("/sign-in")


def is_sent_away(answer: TestResponse) -> bool:
    """Say whether somebody is to say first who they are; on a tablet, who is there."""
    to_tablet = answer.status_code == 303 and answer.location == "/tablet"
    return to_sign_in(answer) or to_tablet


def faults(route: str, person: str, answer: TestResponse, *, may: bool) -> list[str]:
    """Return what is wrong with an answer, in words."""
    code = answer.status_code
    secrets = {canary for canary in CANARIES.values() if canary in answer.text}
    found = []
    if may:
        if code >= 400 and (code not in UNREADABLE or route in FORMS):
            found.append(f"may, but was answered {code}")
        if to_sign_in(answer) and route not in TO_SIGN_IN:
            found.append("may, but was sent to sign in")
        secrets -= readable(person)
    elif code not in {401, 403, 404} and not is_sent_away(answer):
        found.append(f"may not, but was answered {code}")
    return found + [f"was shown {secret}" for secret in secrets]


@pytest.mark.parametrize("route", POLICY)
def test_a_door_opens_for_those_who_may_and_nobody_else(
    route: str, app: Flask, db: Database, cast: Cast
) -> None:
    method, rule = route.split()
    wrong = []
    kept = all_rows(db)
    for owners in ownerships(set(ARGUMENT.findall(rule))):
        path = cast.url(rule, owners)
        for person in CAST:
            limiter.reset()
            may = person in allowed(route, owners)
            answer = cast.open(app, person, method, path, FORMS.get(route))
            found = faults(route, person, answer, may=may)
            moved = changed(kept, all_rows(db))
            if moved and not may:
                found.append(f"changed {moved}")
            if moved:
                put_back(db, kept)
            wrong += [f"{person} {method} {path} {owners}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)


def as_strangers(app: Flask, db: Database, cast: Cast, person: str) -> list[str]:
    """Return what a person may still do with all of Rosa's things, in words."""
    before, wrong = all_rows(db), []
    for route, may in POLICY.items():
        method, rule = route.split()
        arguments = set(ARGUMENT.findall(rule))
        if "token" in arguments or not arguments & {"patient_id", "link_id"}:
            continue
        limiter.reset()
        path = cast.url(rule, dict.fromkeys(arguments, "rosa"))
        answer = cast.open(app, person, method, path, FORMS.get(route))
        found = faults(route, person, answer, may=False) if person in may else []
        wrong += [f"{route}: {one}" for one in found]
    return wrong + changed(before, all_rows(db))


@pytest.mark.parametrize(
    "ended",
    [
        {"status": "pending"},
        {"status": "declined"},
        {"status": "revoked"},
        {"status": "ended"},
        {"ends_at": "now"},
    ],
    ids=str,
)
def test_who_has_no_access_any_more_is_a_stranger(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
    *,
    now: datetime,
    ended: dict[str, object],
) -> None:
    """A grant that does not hold opens nothing and shows nothing (checklist 43)."""
    values = {name: now if to == "now" else to for name, to in ended.items()}
    with db.transaction() as session:
        hers = sa.update(Grant).where(Grant.account_id == world.marta)
        session.execute(hers.values(**values))
    assert as_strangers(app, db, cast, "marta") == []
    for path in ("/", "/people"):
        answer = cast.open(app, "marta", "GET", path)
        assert [one for one in CANARIES.values() if one in answer.text] == []


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at", "wrong_pins"])
def test_a_link_that_is_over_opens_nothing(
    app: Flask, db: Database, cast: Cast, world: World, *, now: datetime, ended: str
) -> None:
    """Revoked, too old or closed by wrong PINs: also where it is open (46)."""
    with db.transaction() as session:
        mine = sa.update(ShareLink).where(ShareLink.id == world.link)
        session.execute(mine.values({ended: 5 if ended == "wrong_pins" else now}))
    assert as_strangers(app, db, cast, LINK) == []
    for method in ("GET", "POST"):
        answer = cast.open(app, LINK, method, f"/s/{world.link_token}")
        assert answer.status_code == 404


def test_a_tablet_that_was_stopped_is_a_stranger(
    app: Flask, db: Database, cast: Cast, world: World, *, now: datetime
) -> None:
    """Whatever it had open: its place is over, and so is all it may (39, 43)."""
    with db.transaction() as session:
        hers = sa.update(DevicePlace).where(DevicePlace.patient_id == world.patient)
        session.execute(hers.values(ended_at=now))
    assert as_strangers(app, db, cast, TABLET) == []
    for path in ("/", "/tablet", "/people"):
        answer = cast.open(app, TABLET, "GET", path)
        assert [one for one in CANARIES.values() if one in answer.text] == []


def test_a_dose_of_another_patient_in_the_form_stays_as_it_is(
    app: Flask, db: Database, cast: Cast
) -> None:
    before = all_rows(db)
    path = cast.url(f"{PERSON}/today", {"patient_id": "bruno"})
    data = {"dose": [str(cast.values["dose_id"]["rosa"])]}
    assert cast.open(app, "eve", "POST", path, data).status_code == 303
    assert changed(before, all_rows(db)) == []


def test_a_number_no_database_can_hold_is_a_page_not_found(
    app: Flask, cast: Cast
) -> None:
    for route in (one for one in POLICY if "<int:" in one):
        method, rule = route.split()
        person = LINK if "/shared/" in rule else "rosa"
        for argument in re.findall(r"<int:(\w+)>", rule):
            path = rule.replace(f"<int:{argument}>", str(BEYOND))
            others = set(ARGUMENT.findall(path))
            path = cast.url(path, dict.fromkeys(others, "rosa"))
            answer = cast.open(app, person, method, path, FORMS.get(route))
            assert answer.status_code == 404, path


def test_a_number_no_database_can_hold_in_a_form_marks_nothing(
    app: Flask, db: Database, cast: Cast
) -> None:
    before = all_rows(db)
    path = cast.url(f"{PERSON}/today", {"patient_id": "rosa"})
    data = {"dose": [str(BEYOND), f"-{BEYOND + 1}"]}
    assert cast.open(app, "rosa", "POST", path, data).status_code < 500
    assert changed(before, all_rows(db)) == []


def test_what_is_for_this_machine_alone_is_closed_to_others(
    make_app: MakeApp, db: Database, pinned: object
) -> None:
    client = make_app(**PUBLIC).test_client()
    before = all_rows(db)
    site = "https://pills.example"
    page = client.get("/welcome", base_url=site).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    assert "demo" not in page
    demo = client.post(
        "/welcome/demo",
        data={"csrf_token": found[1]},
        base_url=site,
        headers={"Referer": site},
    )
    assert demo.status_code == 404
    for path in ("/mailbox", "/mailbox/1.x", "/mailbox/1.x/0"):
        assert client.get(path, base_url=site).status_code == 404
    assert changed(before, all_rows(db)) == []
