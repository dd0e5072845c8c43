"""Passwords and paths: what is accepted, and what is said otherwise."""

import pytest

from pillweb.accounts.rules import check_password, safe_path
from pillweb.base.errors import InvalidError

EASY = "This password is easy to guess. Three unrelated words make a good one."
LONG = "kettle violet ocean " * 7


@pytest.mark.parametrize(
    "password",
    [
        "three unrelated words",
        "kettle-violet-ocean",
        " spaces at both ends ",
        "\u043f\u044f\u0442\u044c \u0441\u043b\u043e\u043d\u043e\u0432",
        "\U0001f418\U0001f98a\U0001f344\U0001f3b9\U0001f9ed\U0001f512\U0001f36f\U0001f680",
        LONG[:128],
    ],
)
def test_a_good_password_is_accepted_in_any_script(password: str) -> None:
    check_password(password)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Use at least 8 characters."),
        ("kettle7", "Use at least 8 characters."),
        (LONG[:129], "Use at most 128 characters."),
        ("password", EASY),
        ("12345678", EASY),
        ("qwertyuiop", EASY),
        ("aaaaaaaaaaaa", EASY),
        ("        ", EASY),
    ],
)
def test_a_weak_password_is_refused_in_plain_words(
    password: str, sentence: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        check_password(password)
    assert str(refused.value) == sentence


def test_a_password_made_of_what_is_known_of_the_person_is_refused() -> None:
    personal = ("Rosamunde Alvarez", "rosamunde@alvarez-family.example")
    check_password("rosamunde1")
    with pytest.raises(InvalidError):
        check_password("Rosamunde Alvarez", personal=personal)


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/patients/1/today", "/patients/1/today"),
        ("/patients/1/calendar?month=2026-11", "/patients/1/calendar?month=2026-11"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("patients/1", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/a\x00b", "/"),
        ("/sign-out", "/"),
        ("/sign-in?next=/sign-in", "/"),
    ],
)
def test_only_a_page_of_this_site_follows_a_sign_in(asked: str, path: str) -> None:
    assert safe_path(asked) == path
