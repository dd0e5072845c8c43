"""While all sharing is stopped, no way in opens but the patient's own."""

import ast
import re
from datetime import datetime
from pathlib import Path

from flask import Flask

from pillweb.base.db import Database
from pillweb.rights.actions.keeping_in import keep_in
from pillweb.web.security import limiter
from tests.house.cast import LINK, NOBODY, Cast
from tests.house.policy import POLICY
from tests.house.source import functions_of, name_of, python_files, tree_of
from tests.house.test_doors import ARGUMENT
from tests.world import World

# Why a secret may open something of a patient who shares nothing: it asks whether a
# grant holds, which is put aside then (`rights.actions.keeping_in`), or it is theirs.
GRANT = "asks whether a grant holds"
WITHOUT = {
    "answers/queries.py:link_behind": "the patient's own reminder",
    "contacts/queries.py:contact_test_behind": "a test shows nothing of a patient",
    "contacts/queries.py:contact_to_stop": "ends messages, and shows nothing",
    "devices/actions/pairing.py:_offer_with": "a tablet is the patient's own",
    "devices/queries.py:pairing_by_token": "a tablet is the patient's own",
    "invitations/queries.py:invitation_kept": "an id alone; `invitation_opened` asks",
    "invitations/queries.py:whose_invitation": "to lock; `invitation_opened` asks",
    "invitations/queries.py:patient_by_code": "asks for access, and shows nothing",
    "papers/queries.py:behind_code": "the patient's own paper",
    "portals/queries.py:elder_just_loaded": "the demo family",
    "recovery/queries.py:own_patients": "notes who lets an account in again",
    "recovery/queries.py:patients_reached_at": "moves an address, and shows nothing",
    "recovery/queries.py:shared_patients": GRANT,
    "reminders/queries/alerts.py:alert_behind": GRANT,
    "rights/queries.py:leaving_patients": GRANT,
    "sync/queries.py:open_page": "shows what was sent; to who is kept out nothing is",
}
# The secrets in addresses that open then, too: of messages to the patient, of papers on
# their wall, of tablets beside them, of accounts; "a", "e", "l", "m", "r", "w" show
# nobody.
OWN = ("a", "d", "e", "ics", "l", "live", "m", "p", "r", "t", "u", "w")


def asking_in(file: Path) -> set[str]:
    """Return what in a file asks whether sharing is stopped, by itself or by others."""
    said = {
        name: ast.unparse(node)
        for node in tree_of(file).body
        for name in named_by(node)
    }
    asking = {"shares"}
    while more := {
        name
        for name, words in said.items()
        if name not in asking and any(re.search(rf"\b{one}\b", words) for one in asking)
    }:
        asking |= more
    return asking


def named_by(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [one.id for one in node.targets if isinstance(one, ast.Name)]
    return []


def test_each_way_in_asks_whether_sharing_is_stopped_or_says_why_not() -> None:
    without = {
        f"{name_of(file).removeprefix('pillweb/')}:{function.name}"
        for file in python_files("pillweb")
        if "seeing_everybody(" in file.read_text() and file.name != "sight.py"
        for function in functions_of(file)
        if "seeing_everybody(" in ast.unparse(function)
        and function.name not in asking_in(file)
    }
    assert without == set(WITHOUT)


def test_while_sharing_is_stopped_nothing_opens_but_what_is_the_patients_own(
    app: Flask, db: Database, cast: Cast, world: World, now: datetime
) -> None:
    """GDPR, article 18: at every door, and behind every secret that was given out."""
    with db.transaction() as session:
        keep_in(session, world.patient, by_id=world.rosa, still=(), now=now)
    opened = []
    for route in POLICY:
        method, rule = route.split()
        arguments = set(ARGUMENT.findall(rule))
        if method != "GET" or not arguments & {"patient_id", "link_id", "token"}:
            continue
        path = cast.url(rule, dict.fromkeys(arguments, "rosa"))
        people = [NOBODY] if "token" in arguments else ["marta", "luis", "nora", LINK]
        for person in people:
            limiter.reset()
            answer = cast.open(app, person, method, path)
            if answer.status_code == 200:
                opened.append(path.split("/")[1] if person == NOBODY else route)
    assert sorted(opened) == sorted(OWN)
