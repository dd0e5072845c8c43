"""Who must show again who they are: each act and each file asks, or says why not."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask

from pillweb.factory import ASKS_AGAIN, SPARED
from pillweb.web.limits import EXPORTS
from tests.house.good_forms import FORMS
from tests.house.policy import (
    CONTACT,
    DRAFT,
    HELPER,
    OWN_CONTACT,
    OWN_PASSKEY,
    OWN_SESSION,
    PERSON,
    PLACE,
    POLICY,
    REQUEST,
    SUPPLY,
    TRUST,
)
from tests.world import World, csrf_of, signed_in

HOUR = timedelta(hours=1)
MEDICINE = f"{PERSON}/medicines/<int:medication_id>"
DOSE = f"{PERSON}/doses/<int:dose_id>"
SHARING = f"{PERSON}/sharing"
# Why an act asks nobody again, and which do so: without "POST", all are changes.
WHY_NOT = {
    "an everyday act of whoever takes medicine or helps": [
        f"{PERSON}/today",
        *(f"{DOSE}/{one}" for one in ("take", "undo", "replay", "again")),
        *(f"{DOSE}/{one}" for one in ("amount", "skip")),
        f"{PERSON}/undo",
        f"{PERSON}/later",
        f"{MEDICINE}/intake",
        f"{PERSON}/intakes/<int:intake_id>/undo",
        *(f"{SUPPLY}/{one}" for one in ("received", "counted", "gone", "refill")),
        f"{PERSON}/meals",
        f"{PERSON}/travel",
        f"{PERSON}/travel/<int:change_id>/cancel",
        "/look",
    ],
    "a plan: it is shown whole before it holds, and every version is kept": [
        f"{PERSON}/medicines/new",
        MEDICINE,
        *(f"{MEDICINE}/{one}" for one in ("stop", "pause", "resume", "change")),
        *(f"{MEDICINE}/{one}" for one in ("looks", "looks/crop", "looks/remove")),
        f"{PERSON}/medicines/import",
        DRAFT,
        f"{DRAFT}/belongs/<int:medication_id>",
        f"{DRAFT}/<int:part>/<question>",
        f"{DRAFT}/<int:part>/remove",
        f"{DRAFT}/parts",
        f"{DRAFT}/throw-away",
    ],
    "who is told when, of those who have access already": [
        f"{MEDICINE}/ladder",
        f"{MEDICINE}/ladder/usual",
        f"{SHARING}/helpers/<int:grant_id>",
        f"{PERSON}/contacts/wishes",
        "/account/wishes",
    ],
    "to an address that is there already, and that somebody asked about": [
        f"{CONTACT}/test",
        f"{CONTACT}/first",
        f"{OWN_CONTACT}/test",
        f"{OWN_CONTACT}/first",
        f"{PERSON}/reports/<int:order_id>/send",
    ],
    "where nobody is reached any more, those who help are told": [f"{CONTACT}/remove"],
    "it only closes something": [
        f"{SHARING}/links/stop",
        f"{SHARING}/<int:link_id>/revoke",
        f"{HELPER}/stop",
        f"{HELPER}/made",
        f"{SHARING}/invitations/<int:invitation_id>/stop",
        f"{SHARING}/code/stop",
        f"{REQUEST}/decline",
        f"{PLACE}/end",
        f"{PERSON}/calendar-feed/<int:feed_id>/stop",
        f"{PERSON}/reports/<int:order_id>/end",
        f"{PERSON}/papers/void",
        "/account/let-in/stop",
        f"{TRUST}/stop",
        "/invitation/decline",
        "/invitation/not-me",
        "/sign-out",
    ],
    "a name, a photo, a step: it shows nothing to anybody new": [
        PLACE,
        f"{PERSON}/photo",
        f"{PERSON}/photo/remove",
        f"{PERSON}/set-up",
        f"{PERSON}/set-up/<step>",
        f"{PERSON}/agreed",
        "/account/name",
        OWN_SESSION,
        OWN_PASSKEY,
        "/account/sign-in/later",
        "/account/password/strength",
    ],
    "somebody new, of whom nothing is known yet": [
        "/people/new",
        "/people/import",
        "/people/import/<int:brought_id>",
    ],
    "it takes back that somebody leaves": [f"{PERSON}/leaving", "/account/leaving"],
    "it asks for access, or takes what was offered": ["/ask", "/invitation/accept"],
    "it asks for the password itself": ["/account/password"],
    "it asks for a code that only an asker who was asked again has": [
        "/account/email/code"
    ],
    "for the wall and the purse: what hangs there is read there": [
        f"{PERSON}/papers/week",
        f"{PERSON}/papers/card",
        f"GET {PERSON}/papers/<int:paper_id>.pdf",
    ],
    "of a tablet, which has nobody to ask": [
        "/pair",
        "/tablet/<int:place_id>",
        "/tablet/done",
        "/tablet/leave",
    ],
    "before there is anybody": ["/welcome", "/welcome/demo", "/sign-up"],
    "it is signing in": [
        "/forgotten",
        "/let-me-in",
        *(one.split()[1] for one in POLICY if one.startswith("POST /sign-in")),
    ],
    "a secret in the address, or a signature, is the permission": [
        *(
            one.split()[1]
            for one in POLICY
            if one.startswith("POST /") and ("<token>" in one or "/hooks/" in one)
        )
    ],
}


def named(routes: Iterable[str]) -> list[str]:
    return [one if one.startswith("GET ") else f"POST {one}" for one in routes]


def test_each_act_and_each_file_asks_again_or_says_why_not(web_app: Flask) -> None:
    files = {
        f"GET {rule.rule}"
        for rule in web_app.url_map.iter_rules()
        if rule.endpoint in EXPORTS and "GET" in (rule.methods or ())
    }
    weighty = {one for one in POLICY if one.startswith("POST ")} | files
    reasons = [route for routes in WHY_NOT.values() for route in named(routes)]
    assert len(set(reasons)) == len(reasons)
    assert not set(reasons) & set(ASKS_AGAIN)
    assert weighty - set(ASKS_AGAIN) == set(reasons)
    assert set(SPARED) <= set(ASKS_AGAIN)


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("reports", FORMS[f"POST {PERSON}/reports"]),
        ("calendar-feed", {"label": "Eve", "shows_names": "y"}),
        ("contacts/new/email", {"address": "eve@evil.example"}),
        ("set-up/test", {"email": "eve@evil.example"}),
        ("sharing/for-now/end", {}),
        ("tablets/1/pin", {"pin": ""}),
    ],
)
def test_what_makes_data_leave_asks_who_it_is(
    path: str,
    typed: dict[str, str],
    app: Flask,
    world: World,
    now: datetime,
    *,
    pinned: time_machine.Traveller,
) -> None:
    """In a browser that was left open, an hour later."""
    marta = signed_in(app, world.marta, now=now)
    pinned.move_to(now + HOUR)
    data = {"csrf_token": csrf_of(marta, "/look"), **typed}
    answer = marta.post(f"/patients/{world.patient}/{path}", data=data)
    assert answer.status_code == 401, answer.location


@pytest.mark.parametrize(
    ("path", "field"), [("contacts/new/email", "address"), ("set-up/test", "email")]
)
def test_reminders_to_oneself_ask_nobody(
    path: str,
    field: str,
    app: Flask,
    world: World,
    now: datetime,
    *,
    pinned: time_machine.Traveller,
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    pinned.move_to(now + HOUR)
    data = {"csrf_token": csrf_of(rosa, "/look"), field: "Rosa@family.example "}
    answer = rosa.post(f"/patients/{world.patient}/{path}", data=data)
    assert answer.status_code == 303
