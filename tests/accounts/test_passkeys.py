"""Passkeys: who is let in by one, and all the ways in which nobody is."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes

from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.actions.passkeys import (
    Browser,
    Verdict,
    add_passkey,
    ask_for_passkey,
    ask_to_enter,
    ask_to_prove,
    enter_by_passkey,
    forget_challenges,
    prove_by_passkey,
    remove_passkeys,
)
from pillweb.accounts.actions.sessions import start_session
from pillweb.accounts.models import Account, Passkey, PasskeyChallenge, WebSession
from pillweb.accounts.queries import oldest_sign_in, passkeys_of, ways_in
from pillweb.accounts.rules import CHALLENGE_LIFE, MAIL, PASSKEY
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.rules import Level
from tests.authenticator import Authenticator
from tests.conftest import use_settings
from tests.world import make_patient

SECOND = timedelta(seconds=1)
ORIGIN = "http://localhost:8000"
MAIL_SERVER = "smtp://127.0.0.1:9?tls=off"


@dataclass
class Person:
    """Somebody with a device, in one browser."""

    session: Session
    account: Account
    session_id: int
    device: Authenticator
    now: datetime

    def add(self, *, device: Authenticator | None = None) -> Verdict:
        """Add a passkey."""
        here = Browser("", self.session_id)
        asked = ask_for_passkey(self.session, here, self.account.id, now=self.now)
        return add_passkey(
            self.session,
            here._replace(secret=asked.secret),
            self.account.id,
            answer=(device or self.device).create(asked.options),
            name="Ann's phone",
            now=self.now,
        )

    def enter(self, *, device: Authenticator | None = None) -> Verdict:
        """Sign in from a browser that nobody is signed in from."""
        asked = ask_to_enter(self.session, Browser(""), now=self.now)
        answer = (device or self.device).get(asked.options)
        here = Browser(asked.secret)
        return enter_by_passkey(self.session, here, answer=answer, now=self.now)

    def prove(self, *, device: Authenticator | None = None) -> Verdict:
        """Show once more who it is."""
        here = Browser("", self.session_id)
        asked = ask_to_prove(self.session, here, self.account.id, now=self.now)
        return prove_by_passkey(
            self.session,
            here._replace(secret=asked.secret),
            self.account.id,
            answer=(device or self.device).get(asked.options),
            now=self.now,
        )


def person(session: Session, name: str, *, now: datetime, **facts: bool) -> Person:
    account = make_account(
        session, name=name, email=f"{name.casefold()}@family.example", now=now
    )
    account.is_admin = False
    for fact, value in facts.items():
        setattr(account, fact, value)
    start_session(session, account, now=now)
    session.flush()
    found = sa.select(sa.func.max(WebSession.id))
    return Person(session, account, session.scalars(found).one(), Authenticator(), now)


@pytest.fixture
def ann(session: Session, now: datetime) -> Person:
    """Somebody who helps, and has a passkey."""
    use_settings(PUBLIC_URL=ORIGIN)
    made = person(session, "Ann", now=now)
    assert made.add().passkey
    return made


def kept(who: Person) -> Passkey:
    return passkeys_of(who.session, who.account.id)[0]


def test_what_a_device_made_is_kept(ann: Person, now: datetime) -> None:
    row = kept(ann)
    assert row.credential_id == ann.device.keys[0].credential_id
    assert (row.name, row.created_at, row.last_used_at) == ("Ann's phone", now, None)
    assert (row.may_sync, row.is_synced) == (True, True)
    assert row.transports == ["hybrid", "internal"]


def test_what_a_browser_is_asked_to_make(ann: Person, now: datetime) -> None:
    """(36) A key that is found by itself, one a device, named by random bytes."""
    here = Browser("", ann.session_id)
    asked = ask_for_passkey(ann.session, here, ann.account.id, now=now)
    said = json.loads(asked.options)
    assert said["rp"] == {"name": "PillWeb", "id": "localhost"}
    assert said["authenticatorSelection"]["residentKey"] == "required"
    assert said["authenticatorSelection"]["userVerification"] == "required"
    assert said["attestation"] == "none"
    assert len(base64url_to_bytes(said["challenge"])) == 32
    assert len(said["excludeCredentials"]) == 1
    handle = base64url_to_bytes(said["user"]["id"])
    assert handle == ann.account.passkey_handle == ann.device.keys[0].handle
    assert len(handle) == 32


def test_signing_in_names_nobody_and_lets_the_right_one_in(
    ann: Person, now: datetime
) -> None:
    """(36)"""
    asked = ask_to_enter(ann.session, Browser(""), now=now)
    assert json.loads(asked.options)["allowCredentials"] == []
    ann.now = now + SECOND
    verdict = ann.enter()
    assert verdict.passkey is kept(ann)
    assert verdict.is_proof
    assert (kept(ann).sign_count, kept(ann).last_used_at) == (1, now + SECOND)


def test_a_passkey_proves_once_more_who_it_is(ann: Person) -> None:
    """(42)"""
    verdict = ann.prove()
    assert verdict.passkey
    assert verdict.is_proof


FOREIGN: list[tuple[str, Callable[[Authenticator], Authenticator]]] = [
    ("the page of another site", lambda d: replace(d, origin="http://evil.example")),
    ("another port", lambda d: replace(d, origin="http://localhost:8001")),
    ("another scheme", lambda d: replace(d, origin="https://localhost:8000")),
    ("a key of another site", lambda d: replace(d, host="evil.example")),
    ("in a frame", lambda d: replace(d, framed=True)),
    ("nobody there", lambda d: replace(d, present=False)),
    ("it does not know its person", lambda d: replace(d, verifies=False)),
]


@pytest.mark.parametrize(
    "change", [change for _, change in FOREIGN], ids=[name for name, _ in FOREIGN]
)
def test_what_is_not_ours_is_refused_for_every_purpose(
    ann: Person, change: Callable[[Authenticator], Authenticator]
) -> None:
    """(36) Wrong origin, wrong relying party, no user verification."""
    wrong = change(ann.device)
    for verdict in (ann.enter(device=wrong), ann.prove(device=wrong)):
        assert verdict.passkey is None
        assert verdict.words
    assert ann.add(device=replace(wrong, keys=[])).passkey is None
    assert len(passkeys_of(ann.session, ann.account.id)) == 1
    # The honest device, the same one, is still good.
    assert ann.enter().passkey


def test_an_algorithm_that_was_not_asked_for_is_refused(ann: Person) -> None:
    """(36)"""
    for alg in (-65535, -47, 0):
        assert ann.add(device=Authenticator(alg=alg)).passkey is None


def test_a_challenge_works_once(ann: Person, now: datetime) -> None:
    """(36) What was sent once is worth nothing, also when it was refused."""
    for device in (ann.device, replace(ann.device, origin="http://evil.example")):
        asked = ask_to_enter(ann.session, Browser(""), now=now)
        here, answer = Browser(asked.secret), device.get(asked.options)
        enter_by_passkey(ann.session, here, answer=answer, now=now)
        again = ann.device.get(asked.options)
        verdict = enter_by_passkey(ann.session, here, answer=again, now=now)
        assert verdict.passkey is None


def test_a_challenge_works_for_five_minutes(ann: Person, now: datetime) -> None:
    """(36)"""
    for life, lets_in in ((CHALLENGE_LIFE - SECOND, True), (CHALLENGE_LIFE, False)):
        asked = ask_to_enter(ann.session, Browser(""), now=now)
        verdict = enter_by_passkey(
            ann.session,
            Browser(asked.secret),
            answer=ann.device.get(asked.options),
            now=now + life,
        )
        assert bool(verdict.passkey) is lets_in


def test_a_challenge_is_of_one_browser_and_purpose(ann: Person, now: datetime) -> None:
    """(36) Another browser's, an older one, and one that was for something else."""
    asked = ask_to_enter(ann.session, Browser(""), now=now)
    answer = ann.device.get(asked.options)
    theirs = ask_to_enter(ann.session, Browser(""), now=now)
    for wrong in (Browser(theirs.secret), Browser(""), Browser("made up")):
        verdict = enter_by_passkey(ann.session, wrong, answer=answer, now=now)
        assert verdict.passkey is None
    here = Browser(asked.secret, ann.session_id)
    proof = prove_by_passkey(ann.session, here, ann.account.id, answer=answer, now=now)
    assert proof.passkey is None
    # A newer one in the same browser ends the one before.
    ask_to_enter(ann.session, Browser(asked.secret), now=now)
    verdict = enter_by_passkey(
        ann.session, Browser(asked.secret), answer=answer, now=now
    )
    assert verdict.passkey is None


def test_a_proof_is_of_the_session_that_was_asked(ann: Person, now: datetime) -> None:
    """(36)"""
    here = Browser("", ann.session_id)
    asked = ask_to_prove(ann.session, here, ann.account.id, now=now)
    other = person(ann.session, "Eve", now=now)
    verdict = prove_by_passkey(
        ann.session,
        Browser(asked.secret, other.session_id),
        ann.account.id,
        answer=ann.device.get(asked.options),
        now=now,
    )
    assert verdict.passkey is None


def test_a_passkey_of_somebody_else_proves_nothing(ann: Person, now: datetime) -> None:
    """(36)"""
    eve = person(ann.session, "Eve", now=now)
    assert eve.add().passkey
    assert ann.prove(device=eve.device).passkey is None
    # Eve's key under the name of Ann's, and Ann's that says it is Eve's.
    eve.device.keys[0].credential_id = ann.device.keys[0].credential_id
    assert ann.prove(device=eve.device).passkey is None
    assert ann.enter(device=eve.device).passkey is None
    for handle in (eve.account.passkey_handle, b"", None):
        asked = ask_to_enter(ann.session, Browser(""), now=now)
        answer = ann.device.get(asked.options, userHandle=handle)
        here = Browser(asked.secret)
        verdict = enter_by_passkey(ann.session, here, answer=answer, now=now)
        assert verdict.passkey is None


def test_a_passkey_belongs_to_one_account(ann: Person, now: datetime) -> None:
    eve = person(ann.session, "Eve", now=now)
    here = Browser("", eve.session_id)
    asked = ask_for_passkey(ann.session, here, eve.account.id, now=now)
    device = Authenticator()
    answer = device.create(asked.options)
    kept(ann).credential_id = device.keys[0].credential_id
    verdict = add_passkey(
        ann.session,
        here._replace(secret=asked.secret),
        eve.account.id,
        answer=answer,
        name="Mine now",
        now=now,
    )
    assert verdict.passkey is None


@pytest.mark.parametrize("step", [0, -3])
def test_a_count_that_does_not_go_up_is_refused_and_told(
    ann: Person, now: datetime, step: int
) -> None:
    """(36) There may be a copy of the key."""
    for _ in range(5):
        assert ann.enter().passkey
    ann.now = now + SECOND
    assert ann.enter(device=replace(ann.device, step=step)).passkey is None
    assert (kept(ann).doubted_at, kept(ann).sign_count) == (now + SECOND, 5)


def test_a_device_that_does_not_count_is_good(ann: Person) -> None:
    """(36) Synced passkeys say 0 for ever."""
    ann.device.step = 0
    for _ in range(2):
        assert ann.enter().passkey
    assert kept(ann).doubted_at is None


def test_a_stranger_raises_no_alarm(ann: Person, now: datetime) -> None:
    assert ann.enter().passkey
    forged = Authenticator(step=0)
    forged.keys = [replace(ann.device.keys[0])]
    asked = ask_to_enter(ann.session, Browser(""), now=now)
    answer = forged.get(asked.options, signature=b"made up")
    here = Browser(asked.secret)
    verdict = enter_by_passkey(ann.session, here, answer=answer, now=now)
    assert verdict.passkey is None
    assert kept(ann).doubted_at is None


def test_who_takes_medicine_may_use_a_key_that_asks_for_nothing(
    session: Session, now: datetime
) -> None:
    """(36) It signs in; it proves nothing. Whoever runs the place needs more."""
    use_settings(PUBLIC_URL=ORIGIN)
    rosa = person(session, "Rosa", now=now, is_patient=True)
    rosa.device.verifies = False
    assert rosa.add().passkey
    verdict = rosa.enter()
    assert verdict.passkey
    assert not verdict.is_proof
    assert rosa.prove().passkey is None
    rosa.account.is_admin = True
    assert rosa.enter().passkey is None


def test_removed_passkeys_sign_nobody_in(ann: Person, now: datetime) -> None:
    eve = person(ann.session, "Eve", now=now)
    eve.add()
    assert ways_in(ann.session, ann.account) == [MAIL, PASSKEY]
    theirs = kept(eve).id
    assert remove_passkeys(ann.session, ann.account.id, [theirs]) == 0
    assert remove_passkeys(ann.session, ann.account.id) == 1
    assert ann.enter().passkey is None
    assert eve.enter().passkey
    assert ways_in(ann.session, ann.account) == [MAIL]


def test_what_nobody_answered_is_forgotten_after_a_day(
    ann: Person, now: datetime
) -> None:
    session, day = ann.session, timedelta(days=1)
    ask_to_enter(session, Browser(""), now=now)
    session.flush()
    over = now + CHALLENGE_LIFE + day
    assert oldest_sign_in(session, now=over - SECOND) is None
    assert forget_challenges(session, now=over - SECOND, limit=5) == 0
    assert oldest_sign_in(session, now=over) == over
    assert forget_challenges(session, now=over, limit=5) == 1
    assert session.scalar(sa.select(sa.func.count(PasskeyChallenge.id))) == 0


def test_a_usual_port_is_no_part_of_an_origin(session: Session, now: datetime) -> None:
    use_settings(PUBLIC_URL="https://pills.example:443/", SMTP_URL=MAIL_SERVER)
    ann = person(session, "Ann", now=now)
    ann.device = Authenticator("https://pills.example", "pills.example")
    assert ann.add().passkey
    assert ann.enter().passkey


def test_a_key_that_asks_for_nothing_opens_no_other_person_s_pages(
    session: Session, now: datetime
) -> None:
    use_settings(PUBLIC_URL=ORIGIN)
    rosa = person(session, "Rosa", now=now, is_patient=True)
    rosa.device.verifies = False
    assert rosa.add().passkey
    other = make_patient(session, name="Bruno", now=now)
    grant_access(
        session,
        account_id=rosa.account.id,
        patient_id=other.id,
        level=Level.MANAGE,
        role="caregiver",
        now=now,
    )
    assert rosa.enter().passkey is None
