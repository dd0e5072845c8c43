import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from tests.services import (
    ROOT,
    Answer,
    SmtpSink,
    Valkey,
    postgres_server,
    smtp_sink,
    valkey_server,
)


def message(subject: str = "08:00 ☀") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@pills.test", "b@pills.test", subject
    mail.set_content("Grüße")
    return mail


def send(sink: SmtpSink, subject: str = "08:00 ☀") -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
        client.send_message(message(subject))


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with smtp_sink() as started:
        yield started


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    with valkey_server() as started:
        yield started


def test_postgres_is_real_and_makes_databases() -> None:
    with postgres_server() as url:
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            version = connection.scalar(sa.text("show server_version_num"))
            connection.execute(sa.text("drop database if exists services_proof"))
            connection.execute(sa.text("create database services_proof"))
            connection.execute(sa.text("set time zone 'Asia/Kathmandu'"))
        engine.dispose()
        other = sa.create_engine(sa.make_url(url).set(database="services_proof"))
        with other.begin() as connection:
            connection.execute(sa.text("create table pill (id int, name text)"))
            connection.execute(sa.text("insert into pill values (1, 'Grüße')"))
            locked = sa.text("select name from pill for update skip locked")
            assert connection.scalar(locked) == "Grüße"
        other.dispose()
    assert int(str(version)) >= 150000


def test_postgres_url_of_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://elsewhere/db")
    with postgres_server() as url:
        assert url == "postgresql://elsewhere/db"


def test_valkey_is_private_flushed_killed_and_started_again(valkey: Valkey) -> None:
    with valkey.client() as client:
        client.set("pill", "1")
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {
            "maxmemory-policy": "noeviction"
        }
        valkey.flush()
        assert client.get("pill") is None
    valkey.kill()
    with valkey.client() as client, pytest.raises(redis.ConnectionError):
        client.ping()
    valkey.start()
    with valkey.client() as client:
        assert client.ping()


def test_hung_valkey_accepts_and_does_not_answer(valkey: Valkey) -> None:
    valkey.hang()
    with (
        redis.Redis.from_url(
            valkey.url,
            socket_timeout=0.2,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        ) as client,
        pytest.raises(redis.TimeoutError),
    ):
        client.ping()
    valkey.resume()
    with valkey.client() as client:
        assert client.ping()


def test_redis_url_of_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_REDIS_URL", "redis://elsewhere/1")
    with valkey_server() as server:
        assert server.url == "redis://elsewhere/1"
        assert server.process is None


def test_smtp_sink_keeps_mails(sink: SmtpSink) -> None:
    send(sink)
    [mail] = sink.wait_for(1)
    assert mail.recipients == ("b@pills.test",)
    assert mail.sender == "a@pills.test"
    assert mail.message["Subject"] == "08:00 ☀"
    assert mail.message.get_content() == "Grüße\n"


def test_smtp_sink_says_how_many_came(sink: SmtpSink) -> None:
    send(sink)
    with pytest.raises(TimeoutError, match="1 of 2"):
        sink.wait_for(2, timeout=0.05)
    sink.clear()
    assert sink.mails == []


def test_smtp_sink_fails_as_often_as_told(sink: SmtpSink) -> None:
    sink.fail_next(2)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError) as caught:
            send(sink)
        assert caught.value.smtp_code == 451
    send(sink)
    assert len(sink.wait_for(1)) == 1


def test_smtp_sink_refuses_a_recipient(sink: SmtpSink) -> None:
    sink.script(Answer("550 5.1.1 No such mailbox", at="RCPT"))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(sink)
    assert sink.mails == []


def test_smtp_sink_waits_before_it_answers(sink: SmtpSink) -> None:
    sink.script(Answer(after=0.3))
    begun = time.monotonic()
    send(sink)
    assert time.monotonic() - begun >= 0.3
    assert len(sink.mails) == 1


def test_smtp_sink_keeps_a_mail_whose_reply_gets_lost(sink: SmtpSink) -> None:
    sink.script(Answer(hang_up=True))
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(sink)
    assert len(sink.wait_for(1)) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.skipif(
    bool(os.environ.get("TEST_DATABASE_URL") or os.environ.get("TEST_REDIS_URL")),
    reason="the servers are not ours",
)
def test_killed_test_run_leaves_no_server_behind() -> None:
    script = (
        "import time\n"
        "from tests.services import *\n"
        "with postgres_server() as pg, valkey_server() as valkey:\n"
        "    print(pg.rpartition('=')[2], valkey.url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        folder, url = process.stdout.readline().split()
        valkey_folder = url.removeprefix("unix://").partition("/valkey.sock")[0]
        assert servers_of(folder, valkey_folder)
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while servers_of(folder, valkey_folder) and time.monotonic() < until:
        time.sleep(0.05)
    assert servers_of(folder, valkey_folder) == []


def servers_of(*folders: str) -> list[str]:
    """Give the command lines that name one of the folders."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if any(folder in line for folder in folders):
            found.append(line)
    return found
