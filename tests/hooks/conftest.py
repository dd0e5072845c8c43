"""Rosa with a phone number, and a provider that signs what it posts."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact
from pillweb.hooks.rules import signature_of
from tests.conftest import use_settings
from tests.world import World

NUMBER, SECRET = "+447700900123", "a provider's secret"
Post = Callable[..., TestResponse]


@pytest.fixture
def _provider() -> Iterator[None]:
    use_settings(
        SMS_URL="https://AC1:a%20provider's%20secret@api.twilio.com",
        SMS_FROM="+447700900000",
    )
    yield
    use_settings(SMS_URL="", SMS_FROM="")


@pytest.fixture
def phone_id(db: Database, world: World, now: datetime, _provider: None) -> int:
    """Rosa's phone, proven; the id of the contact point."""
    with db.transaction() as session:
        return add_contact(
            session,
            channel="sms",
            address=NUMBER,
            patient_id=world.patient,
            is_proven=True,
            now=now,
        ).id


@pytest.fixture
def post(app: Flask, _provider: None) -> Post:
    """Post a form to a hook as the provider does, signed for our public address."""

    def send(path: str, *, signed: bool = True, **form: str) -> TestResponse:
        url = f"http://127.0.0.1:8000{path}"
        signature = signature_of(url, form.items(), SECRET if signed else "other")
        headers = {"X-Twilio-Signature": signature, "Host": "127.0.0.1"}
        return app.test_client(use_cookies=False).post(path, data=form, headers=headers)

    return send
