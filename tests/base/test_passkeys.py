"""What browsers send of passkeys is read with care, whoever made it up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.base.db import Database
from pillweb.base.passkeys import (
    ask_for_key,
    check_claim,
    new_challenge,
    passkeys_work,
    read_claim,
    read_new_key,
)
from tests.authenticator import Authenticator
from tests.conftest import use_settings

MAIL_SERVER = "smtp://127.0.0.1:9?tls=off"


@pytest.mark.parametrize(
    ("url", "works"),
    [
        ("https://pills.example", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_browsers_make_no_passkeys_for_a_bare_address(
    db: Database, url: str, works: bool
) -> None:
    use_settings(PUBLIC_URL=url, SMTP_URL=MAIL_SERVER)
    assert passkeys_work() is works


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_an_answer_that_is_made_up_is_no_crash(answer: str) -> None:
    assert read_claim(answer) is None
    assert read_new_key(answer, b"x", verified=True) is None


@given(
    at=st.integers(0, 500),
    new=st.sampled_from(["", "A", "_", "=", "é", "AAAA"]),
    name=st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData"]),
)
def test_a_damaged_answer_is_no_crash(at: int, new: str, name: str) -> None:
    """Honest answers, changed at one place."""
    device = Authenticator("http://127.0.0.1:8000", "127.0.0.1")
    challenge = new_challenge()
    options = json.loads(ask_for_key(challenge, verified=True))
    options["user"] = {"id": "AAAA"}
    made, signed = device.create(json.dumps(options)), device.get(json.dumps(options))
    whole = read_new_key(made, challenge, verified=True)
    assert whole
    damaged = [json.loads(one) for one in (made, signed)]
    for answer in damaged:
        value = answer["response"].get(name, "")
        here = at % len(value) if value else 0
        answer["response"][name] = value[:here] + new + value[here + 1 :]
    read_new_key(json.dumps(damaged[0]), challenge, verified=True)
    claim = read_claim(json.dumps(damaged[1]))
    if claim is not None:
        check_claim(claim, challenge, public_key=whole.public_key)
