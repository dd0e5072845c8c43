"""What no page shows: changed keys, jobs, papers, packages, what is not served."""

import json
import re
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from pillweb.accounts.models import Account
from pillweb.base.crypto import blind_index
from pillweb.base.log import log, start_logging
from pillweb.base.passwords import hash_password
from pillweb.base.pdf import load_printer, to_pdf
from pillweb.base.queue import redis_client, wake
from pillweb.base.tokens import token_hash
from pillweb.factory import create_app
from tests.conftest import use_settings
from tests.services import ROOT, Valkey
from tests.world import World, csrf_of, signed_in

OLD, NEW = "o" * 20 + "KGdiuQ4_zB7pWx2mT9", "n" * 20 + "YbE81hVn-wC3sRk6uA"


@pytest.fixture
def client(valkey: Valkey) -> Iterator[Redis]:
    use_settings(REDIS_URL=valkey.url)
    yield redis_client()
    redis_client.cache_clear()


def test_a_job_is_json_and_says_nothing_but_its_name(client: Redis) -> None:
    """Points 5 and 58."""
    assert wake("deliver")
    (key,) = client.keys("rq:job:*")
    kept = client.hgetall(key)[b"data"]
    assert isinstance(kept, bytes)
    assert json.loads(zlib.decompress(kept)) == [
        "jobs.bell.answer",
        None,
        ["deliver"],
        {},
    ]


def test_a_paper_reads_no_file_and_no_address() -> None:
    """Point 7."""
    for found in ("file:///etc/hostname", "http://127.0.0.1:9/x", "ftp://x/y"):
        with pytest.raises(load_printer().urls.FatalURLFetchingError):
            to_pdf(f'<link rel="attachment" href="{found}"><p>a</p>', css="")


def test_a_browser_stays_signed_in_while_its_old_key_is_named(
    world: World, now: datetime
) -> None:
    """Point 47."""
    use_settings(SECRET_KEY=OLD)
    app = create_app()
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = signed_in(app, world.rosa, now=now).get_cookie(name)
    assert cookie
    for fallbacks, status in ((OLD, 200), ("", 303)):
        use_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=fallbacks)
        browser = create_app().test_client()
        browser.set_cookie(name, cookie.value)
        assert browser.get("/people").status_code == status


def test_what_was_signed_for_a_form_is_no_session(
    web_app: Flask, world: World, now: datetime
) -> None:
    """Point 47."""
    token = csrf_of(signed_in(web_app, world.rosa, now=now), "/people")
    browser = web_app.test_client()
    browser.set_cookie(web_app.config["SESSION_COOKIE_NAME"], token)
    assert browser.get("/people").status_code == 303


def test_signing_out_leaves_nothing_behind_in_the_browser(
    web_app: Flask, world: World, now: datetime
) -> None:
    """Point 56."""
    browser = signed_in(web_app, world.rosa, now=now)
    page = browser.get(f"/patients/{world.patient}/today")
    assert page.headers["Cache-Control"] == "no-store"
    answer = browser.post("/sign-out", data={"csrf_token": csrf_of(browser, "/people")})
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    back = browser.get(f"/patients/{world.patient}/today")
    assert (back.status_code, back.location.partition("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static",
        "/.git/config",
        "/app.py",
        "/static/../app.py",
        "/var/",
        "/.env",
    ],
)
def test_nothing_but_listed_files_is_served(web_app: Flask, path: str) -> None:
    """Point 54."""
    assert web_app.test_client().get(path).status_code == 404


def test_every_package_is_locked_by_its_hash() -> None:
    """Point 60."""
    locks = sorted(ROOT.glob("requirements*.txt"))
    assert len(locks) >= 3
    for lock in locks:
        for entry in _entries(lock):
            assert re.match(r"[\w.-]+(\[[\w,]+\])?==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry


def _entries(lock: Path) -> list[str]:
    text = re.sub(r"(?m)^\s*#.*\n", "", lock.read_text()).replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("-")]


def test_passwords_may_be_pasted_and_kept_by_a_manager(web_app: Flask) -> None:
    """Point 29."""
    page = web_app.test_client().get("/sign-in/password").text
    assert re.search(r'type="password"[^>]*autocomplete="current-password"', page) or (
        re.search(r'autocomplete="current-password"[^>]*type="password"', page)
    )
    scripts = (ROOT / "pillweb/static").rglob("*.js")
    ours = [one.read_text() for one in scripts if "vendor" not in str(one)]
    assert not any('"paste"' in one or "onpaste" in one for one in ours)


def test_every_password_is_typed_unseen() -> None:
    """Each field of one is `type=password`."""
    code = (ROOT / "pillweb/accounts/forms.py").read_text("utf-8")
    fields = r"^    (?:password|known) = (\w+)\(|_password\(.*\) -> (\w+):"
    made_by = {one or other for one, other in re.findall(fields, code, re.MULTILINE)}
    assert made_by == {"PasswordField", "_new_password", "_known_password"}


def test_passwords_are_hashed_as_owasp_says() -> None:
    """Argon2id of 19 MiB, two rounds, one lane; no lighter one is ever written."""
    assert hash_password("any").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_nobody_has_to_change_a_password() -> None:
    """When it was set is not known, so nothing can ask for another one."""
    known = {one for one in Account.__table__.columns.keys() if "password" in one}  # noqa: SIM118
    assert known == {"password_hash"}


def test_a_log_line_is_told_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("INFO")
    log.info("a_line")
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert datetime.fromisoformat(told["timestamp"]).utcoffset() == timedelta(0)


def test_record_and_marks_are_sha_256() -> None:
    """Digests that anything rests on have 256 bits."""
    assert len(token_hash("any")) == len(blind_index("any", purpose="x")) == 32
