"""Every act that can be written has a sentence, and every sentence an act."""

from datetime import datetime

from flask import Flask

from pillweb.audit.rules.words import (
    CHANGES,
    FILES,
    LOOKS,
    OTHER,
    act_words,
    who_words,
)
from pillweb.audit.views import SIGN_IN
from pillweb.base.visits import ACCOUNT, COMMAND, JOB, LINK, MESSAGE

SAFE = {"HEAD", "OPTIONS"}
FOLDERS = (
    "/patients/",
    *(f"/{letter}/" for letter in "tpmushaeirld"),
    "/hooks/",
    "/invitation",
    "/ask",
    "/let-in",
    "/let-me-in",
    "/account/let-in/",
    "/sign-in/helped",
    "/pair",
    "/tablet",
)
JOBS = {
    "jobs.build_reports",
    "jobs.take_out",
    "jobs.bring_in",
    "jobs.erase",
    "jobs.look_after_access",
    "commands.restored",
}
# What is done to one's own account, or to nobody yet, and concerns patients, too.
OWN = {
    "home.post_new_person",
    "not_me.post_not_me",
    "own_address.post_address_code",
    "own_leaving.post_leave_account",
    "own_leaving.post_stay_account",
}
# Answers that come by a message, or notes of a browser, and change no patient's data.
NO_ACTS = {
    "accounts.post_password",
    "entering.post_entry",
    "answers.post_opened",
    "faces.post_done",
    "hooks.post_bounce",
    "hooks.post_push",
    "hooks.post_push_moved",
    "hooks.post_status",
    "invited.post_not_me",
    "invited.post_offer",
    "sync.post_shown",
}


def endpoints(app: Flask, method: str, *folders: str) -> set[str]:
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ()) and rule.rule.startswith(folders)
    }


def test_every_change_and_every_look_at_a_patient_has_words(web_app: Flask) -> None:
    changes = endpoints(web_app, "POST", *FOLDERS) | OWN
    assert changes - NO_ACTS == CHANGES.keys() - JOBS
    looks = endpoints(web_app, "GET", "/patients/", "/shared/")
    assert looks == LOOKS.keys()
    assert looks >= FILES
    assert (
        endpoints(web_app, "POST", "/sign-in", "/e/", "/l/", "/let-me", "/pair")
        == SIGN_IN
    )


def test_no_other_method_changes_anything(web_app: Flask) -> None:
    methods = {m for rule in web_app.url_map.iter_rules() for m in rule.methods or ()}
    assert methods - SAFE == {"GET", "POST"}


def test_a_look_and_a_change_are_told_apart_by_their_endpoint() -> None:
    assert not LOOKS.keys() & CHANGES.keys()


def test_each_sentence_says_who_and_is_short() -> None:
    for sentence in {*LOOKS.values(), *CHANGES.values(), OTHER}:
        assert sentence.startswith("%(who)s ")
        assert sentence.endswith(".")
        assert len(sentence.split()) <= 12
    assert act_words("doses.post_take", "Luis") == "Luis recorded a dose."
    refused = act_words("doses.post_take!", "Luis")
    assert refused == "Luis looked at a form, and changed nothing."
    assert act_words("gone.post_gone", "Luis") == "Luis did something."


def who(by: str, account_id: int | None = None, **known: str | None) -> str:
    facts = {"name": None, "label": None, **known}
    return who_words(by, account_id=account_id, patient_name="Rosa", **facts)


def test_it_is_said_who_it_was(now: datetime) -> None:
    assert who(ACCOUNT, 3, name="Luis") == "Luis"
    assert who(ACCOUNT, 3) == "Somebody who has no account any more"
    assert who(MESSAGE) == "Rosa"
    assert who(MESSAGE, 3, name="Marta") == "Marta"
    assert who(LINK, label="Aunt Ida") == "Somebody with the link “Aunt Ida”"
    assert who(LINK) == "Somebody with a link that is gone"
    assert who(JOB) == "PillWeb"
    assert who(COMMAND) == "Whoever runs PillWeb"
