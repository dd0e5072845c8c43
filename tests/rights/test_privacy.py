"""What docs/privacy.md says is what the database and the settings are."""

import hashlib
import re

import pytest

from migrations.tables import metadata
from pillweb.accounts.rules import SENTENCES
from pillweb.base.known_settings import Settings
from pillweb.base.retention import MESSAGES, all_kept, kept_for
from tests.conftest import use_settings
from tests.services import ROOT

PAGE = (ROOT / "docs" / "privacy.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)`: .*? \| (\d+) days? \| (?:`(\w+)`)? ?\|$", re.MULTILINE)


def test_every_table_is_named() -> None:
    kept = PAGE.partition("## How long")[0]
    assert set(re.findall(r"`([a-z_]+)`", kept)) == {*metadata.tables}


def test_it_is_kept_as_long_as_the_page_says() -> None:
    said = {name: int(days) for name, days, _setting in ROW.findall(PAGE)}
    assert said == {what: lasts.days for what, lasts in all_kept().items()}
    for name, days, setting in ROW.findall(PAGE):
        if setting:
            assert getattr(Settings(), setting.lower()) == int(days), name


@pytest.mark.parametrize(("typed", "days"), [("7", 7), ("1", 1), ("36500", 36_500)])
def test_whoever_runs_it_may_keep_less(db: object, typed: str, days: int) -> None:
    use_settings(KEEP_MESSAGES_DAYS=typed)
    assert kept_for(MESSAGES).days == days


def test_a_changed_sentence_is_a_new_version() -> None:
    """Whoever changes what people agree to gives it another day, and changes this."""
    known = {
        about: (version, hashlib.sha256(words.encode()).hexdigest()[:12])
        for about, (version, words) in SENTENCES.items()
    }
    assert known == {
        "storing": ("2026-11-21", "2dedecdf8b4e"),
        "for_other": ("2026-11-21", "f2a0a522cb22"),
    }
