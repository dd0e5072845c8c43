"""Settings: all of them written down, and the unsafe ones refused in plain words."""

import ast
import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pillweb.base.config import read_settings, settings, settings_page
from pillweb.base.errors import UnsafeSettingsError
from tests.house.source import CODE, name_of, python_files, tree_of
from tests.services import ROOT

RANDOM = "wq8Zf1mVxY3rKcT0nJb7LhGs5DpEa2Uo"
FIELD_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
EMBEDDED = {"SECRET_KEY": RANDOM, "FIELD_KEYS": FIELD_KEY}
PUBLIC = {
    **EMBEDDED,
    "PUBLIC_URL": "https://pills.example",
    "SMTP_URL": "smtp://user:word@mail.example:587",
    "DATABASE_URL": "postgresql://pillweb:word@db.example/pillweb",
    "REDIS_URL": "rediss://cache.example",
}
# Names the code asks the environment for that are no settings of PillWeb, and why.
NOT_OURS = {
    "FONTCONFIG_FILE": "fontconfig's own: where the PDF's fonts are",
    "WEB_CONCURRENCY": "gunicorn's own: how many web processes",
    "MAKELEVEL": "make's own: whether make started us",
    "PATH_INFO": "WSGI's own: which page is asked for",
    "PLAYWRIGHT_NODEJS_PATH": "playwright's own: with what its driver runs",
}
UNSAFE = {
    "no secret": ({"SECRET_KEY": ""}, "SECRET_KEY must hold at least 32"),
    "a short secret": ({"SECRET_KEY": RANDOM[:31]}, "SECRET_KEY must hold at least 32"),
    "one letter 32 times": ({"SECRET_KEY": "a" * 32}, "SECRET_KEY is too easy"),
    "four letters": ({"SECRET_KEY": "abcd" * 16}, "SECRET_KEY is too easy"),
    "a short earlier secret": (
        {"SECRET_KEY_FALLBACKS": f"{RANDOM},old"},
        "SECRET_KEY_FALLBACKS must hold at least 32",
    ),
    "a weak earlier secret": (
        {"SECRET_KEY_FALLBACKS": "ab" * 32},
        "SECRET_KEY_FALLBACKS is too easy",
    ),
    "a backup kept for a year": (
        {"BACKUP_DAYS": "365"},
        "BACKUP_DAYS must be a number from 0 to 186.",
    ),
    **{
        f"{name} kept for {days} days": (
            {f"KEEP_{name}_DAYS": days},
            f"KEEP_{name}_DAYS must be a number from 1 to 36500.",
        )
        for name in ("MESSAGES", "WORDS", "SESSIONS")
        for days in ("-5", "0", "36501", "99999999999")
    },
    "a secret key as recipient": (
        {"BACKUP_RECIPIENT": "AGE-SECRET-KEY-1QQQQ"},
        "BACKUP_RECIPIENT must hold public keys of age",
    ),
    "a backup of another database": (
        {"BACKUP_DATABASE_URL": "sqlite:///other.db"},
        "BACKUP_DATABASE_URL must name the database of DATABASE_URL.",
    ),
    "a watcher without https": (
        {"DEAD_MAN_URL": "http://watch.example/ping"},
        "DEAD_MAN_URL must begin with https://",
    ),
    "a topic that is no address": (
        {"CANARY_NTFY": "ntfy.sh/topic"},
        "CANARY_NTFY must begin with https://",
    ),
    "a watched mailbox in the clear": (
        {"CANARY_IMAP_URL": "imap://user:word@mail.example/INBOX"},
        "CANARY_IMAP_URL must look like",
    ),
    "a short token of a monitor": (
        {"METRICS_TOKEN": "short"},
        "METRICS_TOKEN must hold at least 32",
    ),
    "no field key": ({"FIELD_KEYS": ""}, "FIELD_KEYS must hold at least one key"),
    "no base64": ({"FIELD_KEYS": "not base64!"}, "FIELD_KEYS must hold"),
    "a field key of 31 bytes": (
        {"FIELD_KEYS": base64.urlsafe_b64encode(bytes(range(31))).decode()},
        "FIELD_KEYS must hold",
    ),
    "one field key of two is bad": (
        {"FIELD_KEYS": f"{FIELD_KEY},AAAA"},
        "FIELD_KEYS must hold",
    ),
    "a field key that is no secret": (
        {"FIELD_KEYS": base64.urlsafe_b64encode(bytes(32)).decode()},
        "FIELD_KEYS is too easy",
    ),
    "a push key of 3 bytes": ({"VAPID_KEY": "AAAA"}, "VAPID_KEY must hold 32"),
    "a push key that is no secret": (
        {"VAPID_KEY": base64.urlsafe_b64encode(bytes(32)).decode()},
        "VAPID_KEY must hold 32",
    ),
    "a push service elsewhere": (
        {"PUSH_HOSTS": "127.0.0.1:9000,push.example:9000"},
        "PUSH_HOSTS may name only this machine",
    ),
    "its own push service for others": (
        {**PUBLIC, "PUSH_HOSTS": "127.0.0.1:9000"},
        "PUSH_HOSTS may name only this machine",
    ),
    "SMS without a password": (
        {"SMS_URL": "https://api.twilio.com", "SMS_FROM": "+441632960001"},
        "SMS_URL must look like",
    ),
    "SMS in clear": (
        {"SMS_URL": "http://AC1:word@api.twilio.com", "SMS_FROM": "+441632960001"},
        "SMS_URL must look like",
    ),
    "SMS from nobody": (
        {"SMS_URL": "https://AC1:word@api.twilio.com"},
        "SMS_FROM or VOICE_FROM is missing",
    ),
    "a provider in clear": (
        {"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "x"},
        "OIDC_ISSUER must begin with https://",
    ),
    "a provider that does not know us": (
        {"OIDC_ISSUER": "https://id.example"},
        "OIDC_CLIENT_ID is missing",
    ),
    "two secrets of a provider": (
        {
            "OIDC_ISSUER": "https://id.example",
            "OIDC_CLIENT_ID": "x",
            "OIDC_CLIENT_SECRET": "y",
            "OIDC_CLIENT_SECRET_FILE": __file__,
        },
        "Set OIDC_CLIENT_SECRET or",
    ),
    "no file of a secret": (
        {
            "OIDC_ISSUER": "https://id.example",
            "OIDC_CLIENT_ID": "x",
            "OIDC_CLIENT_SECRET_FILE": "/nowhere/secret",
        },
        "OIDC_CLIENT_SECRET_FILE cannot be read",
    ),
    "ntfy in clear": ({"NTFY_HOSTS": "http://ntfy.example"}, "NTFY_HOSTS must hold"),
    "a country in words": ({"PHONE_COUNTRY": "Spain"}, "PHONE_COUNTRY must be two"),
    "no bounce address": ({"BOUNCE_ADDRESS": "pills.example"}, "BOUNCE_ADDRESS must"),
    "http for others": (
        {"PUBLIC_URL": "http://pills.example"},
        "PUBLIC_URL must begin with https://",
    ),
    "all interfaces with a loopback address": (
        {"PUBLIC_URL": "http://127.0.0.1:8000", "HOST": "0.0.0.0"},  # noqa: S104 - it is refused
        "PUBLIC_URL must begin with https://",
    ),
    "all IPv6 interfaces": (
        {"PUBLIC_URL": "http://localhost:8000", "HOST": "::"},
        "PUBLIC_URL must begin with https://",
    ),
    "no full address": ({"PUBLIC_URL": "pills.example"}, "PUBLIC_URL must be a full"),
    "another scheme": (
        {"PUBLIC_URL": "ftp://pills.example"},
        "PUBLIC_URL must be a full",
    ),
    "a path": ({"PUBLIC_URL": "https://pills.example/app"}, "PUBLIC_URL must not hold"),
    "no mail server": ({"SMTP_URL": ""}, "SMTP_URL is missing"),
    "mail in clear text": (
        {"SMTP_URL": "smtp://mail.example:25?tls=off"},
        "SMTP_URL may say tls=off only",
    ),
    "no mail address": ({"SMTP_URL": "mail.example"}, "SMTP_URL must look like"),
    "a word as port": ({"PORT": "eight"}, "PORT must be of the kind 8000"),
    "a port too high": ({"PORT": "65536"}, "PORT must be a number from 1 to 65535"),
    "no port": ({"PORT": "0"}, "PORT must be a number from 1 to 65535"),
    "hops below none": ({"PROXY_HOPS": "-1"}, "PROXY_HOPS must be 0 or more"),
    "hops in words": ({"PROXY_HOPS": "two"}, "PROXY_HOPS must be of the kind 0"),
    "a level nobody knows": ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be DEBUG"),
    "another database": (
        {"DATABASE_URL": "mysql://db.example/pillweb"},
        "DATABASE_URL must begin with sqlite:/// or postgresql://",
    ),
    "no database": ({"DATABASE_URL": "pillweb.db"}, "DATABASE_URL must begin with"),
    "a login for pages of another database": (
        {
            "DATABASE_URL": "sqlite:////srv/pillweb.db",
            "WEB_DATABASE_URL": "postgresql://pages:word@db.example/pillweb",
        },
        "WEB_DATABASE_URL must name the same Postgres as DATABASE_URL",
    ),
    "another doorbell": (
        {"REDIS_URL": "http://cache.example"},
        "REDIS_URL must begin with redis://, rediss:// or unix://",
    ),
    "neither yes nor no": ({"SIGN_UP": "perhaps"}, "SIGN_UP must be of the kind True"),
}
DOCUMENTED = {name.upper() for name in settings().__dataclass_fields__}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting is given."""
    for name in DOCUMENTED:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def start_with(given: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        given.setenv(name, value)
    read_settings()


@pytest.mark.parametrize(("values", "words"), UNSAFE.values(), ids=UNSAFE)
def test_an_unsafe_setting_is_refused_in_a_plain_sentence(
    values: dict[str, str], words: str, environment: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnsafeSettingsError) as refused:
        start_with(environment, {**PUBLIC, **values})
    sentences = str(refused.value).splitlines()
    assert any(sentence.startswith(words) for sentence in sentences), sentences


def test_a_refusal_repeats_no_secret(environment: pytest.MonkeyPatch) -> None:
    secret = "hunter2"
    given = {**PUBLIC, "SECRET_KEY": secret, "SMTP_URL": f"ftp://u:{secret}@h"}
    with pytest.raises(UnsafeSettingsError) as refused:
        start_with(environment, given)
    assert secret not in str(refused.value)


def test_every_fault_is_told_at_once(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsafeSettingsError) as refused:
        start_with(environment, {"PORT": "x", "PROXY_HOPS": "y"})
    assert len(str(refused.value).splitlines()) == 4


@pytest.mark.parametrize("given", [EMBEDDED, PUBLIC], ids=["embedded", "public"])
def test_good_settings_are_accepted(
    given: dict[str, str], environment: pytest.MonkeyPatch
) -> None:
    start_with(environment, given)


def test_the_app_itself_refuses_to_start(tmp_path: object) -> None:
    given = {"PATH": os.defpath, **PUBLIC, "PUBLIC_URL": "http://pills.example"}
    done = subprocess.run(
        [sys.executable, "-c", "import app"],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "PUBLIC_URL must begin with https://" in done.stderr


def test_the_page_of_settings_is_the_code_s() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == settings_page(), "run `make docs`"


def asked_names() -> Iterator[tuple[str, str]]:
    """Yield each name that the code asks the environment for, and where."""
    for file in [*CODE, *python_files("migrations")]:
        for node in ast.walk(tree_of(file)):
            written = ast.unparse(node) if isinstance(node, ast.expr) else ""
            found = re.match(
                r"(?:os\.)?(?:environ(?:\.get|\.setdefault|\.pop)?[\[(]|getenv\()"
                r"'(\w+)'",
                written,
            ) or re.match(r"'(\w+)' (?:not )?in os\.environ$", written)
            if found:
                yield found[1], name_of(file)


def test_every_name_asked_of_the_environment_is_written_down() -> None:
    asked = dict(asked_names())
    assert set(NOT_OURS) <= set(asked), "these are asked no more"
    assert set(asked) - DOCUMENTED - set(NOT_OURS) == set(), asked


def test_the_environment_is_asked_by_its_name_only() -> None:
    """A name made at run time could not be found by the test above."""
    dynamic = [
        name_of(file)
        for file in CODE
        if re.search(
            r"(environ(\.get|\.setdefault)?[\[(]|getenv\()[^\"'\s)]", file.read_text()
        )
    ]
    assert dynamic == []
