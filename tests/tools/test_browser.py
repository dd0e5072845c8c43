from pathlib import Path

import pytest

from tools import browser, setup


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with neither a browser nor apt, and a checkout of its own."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, kept in (("PLACE", ""), ("OWN", "chromium"), ("DRIVER", "node")):
        monkeypatch.setattr(browser, name, tmp_path / "browser" / kept)
    return tmp_path


def test_without_a_browser_and_apt_it_fails_and_says_so(
    bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bare.exists()
    assert browser.main() == 1
    assert "there is no Chromium" in capsys.readouterr().out


def test_the_machines_own_browser_comes_first(bare: Path) -> None:
    assert browser.find_browser() is None
    for place in (bare / "browser" / "chromium", bare / "chromium"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("#!/bin/sh\n")
        place.chmod(0o755)
        assert browser.find_browser() == str(place)


def test_an_unpacked_browser_has_the_letters_of_a_machine_that_has_them(
    tmp_path: Path,
) -> None:
    """What is installed is not fetched: without any font Chromium ends itself."""
    setup.keep_libraries(tmp_path / "unpacked", tmp_path / "browser")
    assert not (tmp_path / "browser" / "fonts").exists()
    told = (tmp_path / "browser" / "fonts.conf").read_text()
    assert "<dir>/usr/share/fonts</dir>" in told
