"""Every route, tried by everybody, with every mixture of ids."""

import re
from collections.abc import Mapping

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.web.security import limiter
from tests.house.cast import CAST, LINK, NOBODY, Cast, ownerships
from tests.house.conftest import PUBLIC, MakeApp
from tests.house.policy import FORMS, NO_ONE, PERSON, POLICY
from tests.house.rows import all_rows, changed, put_back
from tests.house.things import CANARIES

ARGUMENT = re.compile(r"<(?:int:)?(\w+)>")
# An answer to a form that was not filled in: the door itself had opened.
UNREADABLE = {422, 409}
# They send everybody who is not signed in to the sign-in page, rightly.
TO_SIGN_IN = {"GET /", "POST /sign-out"}
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
        return frozenset({"eve"})
    return NO_ONE


def readable(person: str) -> set[str]:
    """Return the canaries this person could ever be shown."""
    if person == "eve":
        return {CANARIES["bruno"]}
    return set() if person == NOBODY else {CANARIES["rosa"]}


def to_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 303 and answer.location.startswith("/sign-in")


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
    elif code not in {401, 403, 404} and not to_sign_in(answer):
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
