"""Everybody who may stand at a door, and every id they may try it with.

Rosa's and Bruno's rows carry canaries: words that nobody else may ever read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.contacts.actions.posting import stop_tokens
from tests.house.files import brought_file, taken_file
from tests.house.things import (
    OWNERS,
    alert_token,
    own_contact,
    things_of,
)
from tests.house.tokens import (
    account_token,
    being_let_in,
    entry_token,
    notice_token,
    own_passkey,
    own_session,
    printed_token,
    tested_token,
)
from tests.tablets import COOKIE as TABLET_COOKIE
from tests.tablets import browser_of
from tests.world import World, csrf_of, signed_in

NOBODY, LINK, TABLET = "nobody", "link holder", "tablet"
CAST = (NOBODY, "rosa", "marta", "luis", "nora", "eve", LINK, TABLET)
COOKIE = "pillweb"
# What belongs to nobody.
OWNERLESS = {
    "channel": "email",
    "day": "2026-11-20",
    "part": "0",
    "question": "medicine",
    "size": "small",
    "step": "language",
    "verb": "taken",
}
# The number of no row at all.
GONE = 999_999


@dataclass(frozen=True)
class Person:
    """A browser as it was when the test began."""

    cookie: str
    csrf: str
    tablet: str = ""


@dataclass(frozen=True)
class Cast:
    """The people, and what each URL argument is for Rosa's and for Bruno's things.

    Where an argument is a secret, Rosa's is the right one and Bruno's is made up.
    """

    people: Mapping[str, Person]
    values: Mapping[str, Mapping[str, object]]
    tokens: Mapping[str, str]

    def browser(self, app: Flask, name: str) -> FlaskClient:
        """Return this person's browser, as it was when the test began."""
        client = app.test_client()
        client.set_cookie(COOKIE, self.people[name].cookie)
        if tablet := self.people[name].tablet:
            client.set_cookie(TABLET_COOKIE, tablet)
        return client

    def open(
        self,
        app: Flask,
        name: str,
        method: str,
        path: str,
        data: Mapping[str, object] | None = None,
    ) -> TestResponse:
        """Let a person open a path, with a good CSRF token where one is wanted."""
        form = None
        if method == "POST":
            form = {"csrf_token": self.people[name].csrf, **(data or {})}
        return self.browser(app, name).open(path, method=method, data=form)

    def url(self, rule: str, owners: Mapping[str, str]) -> str:
        """Return the rule's path, each argument taken from its owner's things."""
        path = rule
        for argument, value in OWNERLESS.items():
            path = path.replace(f"<int:{argument}>", value)
            path = path.replace(f"<{argument}>", value)
        for argument, owner in owners.items():
            if argument in OWNERLESS:
                continue
            is_own = argument == "contact_id" and "patient_id" not in owners
            named = "own_contact_id" if is_own else argument
            thing = self.values[named][owner]
            if argument == "token" and owner == "rosa":
                thing = self.tokens[rule.split("/")[1]]
            for written in (f"<int:{argument}>", f"<{argument}>"):
                path = path.replace(written, str(thing))
        assert "<" not in path, f"{path}: say in things.py what this argument is"
        return path


def ownerships(arguments: set[str]) -> Iterator[dict[str, str]]:
    """Yield every way to take the arguments from Rosa's and from Bruno's things."""
    names = sorted(arguments - OWNERLESS.keys())
    for owners in product(OWNERS, repeat=len(names)):
        yield dict(zip(names, owners, strict=True))


def make_cast(app: Flask, db: Database, world: World, *, now: datetime) -> Cast:
    """Sign everybody in, hide the canaries, and give Rosa and Bruno one of each."""
    with db.transaction() as session:
        things = {
            owner: things_of(session, owner, patient_id, now=now)
            for owner, patient_id in (
                ("rosa", world.patient),
                ("bruno", world.other_patient),
            )
        }
        mailed = account_token(session, world.rosa, now=now)
        entry = entry_token(session, now=now)
        changed = notice_token(session, world.rosa, now=now)
        printed = printed_token(session, world.patient)
        alerted = alert_token(session, world.patient, world.marta, now=now)
        own = own_contact(session, world.rosa, now=now)
        things["rosa"]["own_contact_id"], things["bruno"]["own_contact_id"] = own, GONE
        kept = own_session(session, world.rosa, now=now)
        things["rosa"]["session_id"], things["bruno"]["session_id"] = kept, GONE
        key = own_passkey(session, world.rosa, now=now)
        things["rosa"]["passkey_id"], things["bruno"]["passkey_id"] = key, GONE
        trust, noticed, let_in = being_let_in(session, world.marta, world.rosa, now=now)
        things["rosa"]["trust_id"], things["bruno"]["trust_id"] = trust, GONE
        sent = brought_file(session, world.rosa, now=now)
        things["rosa"]["brought_id"], things["bruno"]["brought_id"] = sent, GONE
        for owner, account_id in (("rosa", world.rosa), ("bruno", world.eve)):
            patient_id = int(str(things[owner]["patient_id"]))
            taken = taken_file(session, patient_id, account_id, owner, now=now)
            things[owner]["taken_id"] = taken
        contact = int(str(things["rosa"]["contact_id"]))
        stopped = stop_tokens(session, [contact])[contact]
        tested, _ = (
            tested_token(session, patient_id, now=now)
            for patient_id in (world.patient, world.other_patient)
        )
    arguments = sorted(things["rosa"])
    return Cast(
        people={name: _person(app, world, name, now=now) for name in CAST}
        | {TABLET: _tablet(app, str(things["rosa"]["tablet_secret"]))},
        values={
            argument: {owner: things[owner][argument] for owner in OWNERS}
            for argument in arguments
        },
        tokens={
            "t": str(things["rosa"]["token"]),
            "s": world.link_token,
            "a": mailed,
            "e": entry,
            "w": changed,
            "r": noticed,
            "l": let_in,
            "p": printed,
            "m": tested,
            "u": stopped,
            "ics": str(things["rosa"]["feed_token"]),
            "live": str(things["rosa"]["device_token"]),
            "h": alerted,
            "d": str(things["rosa"]["offer_token"]),
            "i": str(things["rosa"]["invitation_token"]),
        },
    )


def _person(app: Flask, world: World, name: str, *, now: datetime) -> Person:
    account_id = None if name in {NOBODY, LINK, TABLET} else getattr(world, name)
    client = signed_in(app, account_id, now=now)
    csrf = csrf_of(client)
    if name == LINK:
        client.post(f"/s/{world.link_token}", data={"csrf_token": csrf})
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return Person(cookie=cookie.value, csrf=csrf)


def _tablet(app: Flask, secret: str) -> Person:
    """Return Rosa's tablet."""
    client = browser_of(app, secret)
    csrf = csrf_of(client)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return Person(cookie=cookie.value, csrf=csrf, tablet=secret)
