"""What is secret stands nowhere in clear: not in a row, not in a log."""

import io
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from gunicorn.config import Config

from jobs.timetable import JOBS
from pillweb.base.db import Database
from pillweb.base.log import log, mask, start_logging
from pillweb.base.tokens import new_token
from pillweb.patients.models import Patient
from pillweb.web import server
from pillweb.web.transaction import session
from tests.house.cast import Cast
from tests.house.good_forms import FORMS
from tests.house.policy import PERSON
from tests.house.rows import all_rows, record_rows
from tests.house.things import CANARIES
from tests.jobs.conftest import Moment, moment
from tests.services import ROOT
from tests.world import World

__all__ = ["moment"]

MEDICINE = "Kanarimycin"


def dump(db: Database) -> bytes:
    """Return every value of every row, as bytes."""
    return b"\n".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for rows in (all_rows(db) | record_rows(db)).values()
        for row in rows
        for value in row
    )


def test_no_row_holds_a_secret_in_clear(
    app: Flask, db: Database, cast: Cast, world: World, moment: Moment
) -> None:
    route = f"POST {PERSON}/medicines/new"
    path = cast.url(route.split()[1], {"patient_id": "rosa"})
    cast.open(app, "rosa", "POST", path, {**FORMS[route], "name": MEDICINE})
    cast.open(
        app, "nobody", "POST", "/sign-up", {"name": "Kim", "email": "kim@new.example"}
    )
    cast.open(app, "nobody", "POST", "/forgotten", {"email": "marta@family.example"})
    cast.open(app, "nobody", "POST", "/sign-in", {"email": "luis@family.example"})
    asked = dump(db)
    for job in ("account_requests", "plan_doses", "fire_reminders"):
        JOBS[job].run()
    held = asked + dump(db)
    assert len(all_rows(db)["delivery"]) >= 2
    forbidden = [
        *cast.tokens.values(),
        world.other_link_token,
        *CANARIES.values(),
        MEDICINE,
        "family.example",
        "clinic.example",
        "new.example",
        "Marta",
        "Luis",
        "%PDF",
        "/t/",
        "/a/",
        "/e/",
        "/p/",
    ]
    assert [word for word in forbidden if word.encode() in held] == []


@pytest.mark.parametrize("kind", ["t", "s", "a", "e", "p", "m", "i"])
@pytest.mark.parametrize(
    "text", ["/{}/{}", "http://x/{}/{}?a=1", "GET /{}/{} HTTP/1.1", "'/{}/{}/undo'"]
)
def test_a_token_in_a_link_is_masked(kind: str, text: str) -> None:
    token = new_token()
    masked = mask(text.format(kind, token))
    assert token not in masked
    assert f"/{kind}/***" in masked


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    start_logging("INFO")
    capfd.readouterr()
    return capfd


def test_no_log_line_holds_a_token(written: pytest.CaptureFixture[str]) -> None:
    token = new_token()
    path = f"/t/{token}"
    error = RuntimeError(path)
    log.error("planned", path=path, inside={"deep": [path]}, exc_info=error)
    out, err = written.readouterr()
    assert "planned" in out + err
    assert token not in out + err
    assert (out + err).count("/t/***") == 3


def test_no_line_of_another_logger_holds_a_token() -> None:
    token = new_token()
    said = (
        "import logging\n"
        "from pillweb.base.log import start_logging\n"
        "start_logging('INFO')\n"
        f"path = '/t/{token}'\n"
        "logging.getLogger('x').warning('GET %s', path)\n"
        "logging.getLogger('x').warning('asked', exc_info=ValueError(path))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", said],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout + done.stderr
    assert token not in lines
    assert lines.count("/t/***") == 2


def test_the_web_server_s_own_lines_hold_no_token(
    written: pytest.CaptureFixture[str],
) -> None:
    config = Config()
    config.set("logger_class", server.logger_class)
    lines = config.logger_class(config)
    token = new_token()
    raised = RuntimeError(f"/a/{token}")
    lines.exception("Error handling request %s", f"/t/{token}", exc_info=raised)
    out, err = written.readouterr()
    assert token not in out + err
    assert "Error handling request /t/***" in out + err
    assert server.accesslog is None


def test_a_failing_page_logs_no_name_and_no_token(
    app: Flask,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    written: pytest.CaptureFixture[str],
    now: datetime,
) -> None:
    def fail(token: str) -> str:
        row = {"name": CANARIES["rosa"], "created_at": now.replace(tzinfo=None)}
        session().execute(sa.insert(Patient), [row])
        return token

    monkeypatch.setitem(app.view_functions, "answers.post_link", fail)
    answer = cast.open(app, "nobody", "POST", f"/t/{cast.tokens['t']}")
    assert answer.status_code == 500
    out, err = written.readouterr()
    assert "page_failed" in out + err
    for word in (CANARIES["rosa"], cast.tokens["t"]):
        assert word not in out + err
        assert word not in answer.text


def test_a_row_shown_in_a_log_is_only_its_key(db: Database, world: World) -> None:
    with db.reading() as session:
        shown = repr(session.get_one(Patient, world.patient))
    assert shown == f"Patient(id={world.patient})"


def test_a_whole_day_of_use_logs_no_secret(app: Flask, cast: Cast) -> None:
    lines = io.StringIO()
    with redirect_stdout(lines):
        for kind, token in cast.tokens.items():
            cast.open(app, "nobody", "POST", f"/{kind}/{token}")
        cast.open(app, "rosa", "GET", f"/t/{'x' * 43}")
    for word in (*cast.tokens.values(), *CANARIES.values()):
        assert word not in lines.getvalue()
