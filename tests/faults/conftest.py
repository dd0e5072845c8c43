import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from pillweb.base.db import Database
from tests.conftest import use_settings
from tests.providers import Provider, fake_provider
from tests.running import Processes, processes
from tests.services import SmtpSink, Valkey

VAPID_KEY = base64.urlsafe_b64encode(bytes(range(7, 39))).decode()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider of push and SMS, which the app is told to use."""
    with fake_provider() as started:
        use_settings(
            VAPID_KEY=VAPID_KEY,
            PUSH_HOSTS=f"127.0.0.1:{started.port}",
            SMS_URL=f"http://AC0:token@127.0.0.1:{started.port}",
            SMS_FROM="+441632960001",
        )
        yield started
        use_settings(VAPID_KEY="", PUSH_HOSTS="", SMS_URL="", SMS_FROM="")


@pytest.fixture
def house(
    db: Database, valkey: Valkey, sink: SmtpSink, provider: Provider, tmp_path: Path
) -> Iterator[Processes]:
    """Processes on this test's database, Valkey, mail server and provider."""
    with processes(tmp_path) as made:
        yield made
