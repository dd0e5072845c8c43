from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pillweb.channels.bounces import Bounce, bounce_in, is_dead, sender_of
from tests.conftest import use_settings

NOW = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)
NOTE = """\
From: MAILER-DAEMON@mail.example\r
To: {to}\r
Subject: Undelivered Mail Returned to Sender\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
I am sorry.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mail.example\r
Arrival-Date: Fri, 20 Nov 2026 08:05:00 +0000\r
\r
Final-Recipient: rfc822; rosa@family.example\r
Action: {action}\r
Status: {status}\r
Diagnostic-Code: {diagnostic}\r
\r
--b--\r
"""


@pytest.fixture(autouse=True)
def _bounce_address() -> Iterator[None]:
    use_settings(BOUNCE_ADDRESS="bounce@pills.example")
    yield
    use_settings(BOUNCE_ADDRESS="")


def note(to: str, status: str = "5.1.1", **facts: str) -> bytes:
    words = {"action": "failed", "diagnostic": "smtp; 550 no", **facts}
    return NOTE.format(to=to, status=status, **words).encode()


def test_a_dead_address_is_told_by_its_note() -> None:
    sender = sender_of(7, now=NOW)
    assert sender.startswith("bounce+7.")
    assert sender.endswith("@pills.example")
    assert len(sender.partition("@")[0]) <= 64
    later = NOW + timedelta(hours=3)
    assert bounce_in(note(sender), now=later) == Bounce(7, permanent=True, at=later)
    assert bounce_in(note(f"Rosa <{sender.upper()}>"), now=later) is not None


@pytest.mark.parametrize(
    ("status", "diagnostic", "permanent"),
    [
        ("5.1.1", "", True),
        ("5.1.2 (no such host)", "", True),
        ("5.2.1", "", True),
        ("5.0.0", "smtp; 550 5.1.1 no such user", True),
        ("5.0.0", "smtp; 550 5.7.1 refused", False),
        ("5.0.0", "x", False),
        ("5.1.8", "", False),
        ("5.2.2", "", False),
        ("5.4.4", "", False),
        ("5.7.1", "", False),
        ("4.4.1", "", False),
        ("nonsense", "", False),
    ],
)
def test_only_a_dead_address_is_for_good(
    status: str, diagnostic: str, *, permanent: bool
) -> None:
    raw = note(sender_of(7, now=NOW), status, diagnostic=diagnostic)
    assert bounce_in(raw, now=NOW) == Bounce(7, permanent=permanent, at=NOW)


def test_a_delay_is_no_bounce() -> None:
    assert bounce_in(note(sender_of(7, now=NOW), action="delayed"), now=NOW) is None


def test_a_note_that_is_forged_or_old_is_none() -> None:
    sender = sender_of(7, now=NOW)
    name, _, domain = sender.partition("@")
    another = name.replace("+7.", "+8.")
    younger = name.replace(name.split(".")[1], str(int(name.split(".")[1]) + 60))
    for forged in (another, younger, name[:-1] + "g", "bounce+7", "bounce+7.1.", "+"):
        assert bounce_in(note(f"{forged}@{domain}"), now=NOW) is None
    assert bounce_in(note(sender), now=NOW + timedelta(hours=47)) is not None
    assert bounce_in(note(sender), now=NOW + timedelta(hours=49)) is None
    assert bounce_in(note(sender), now=NOW - timedelta(hours=1)) is None
    use_settings(SECRET_KEY="another key that is long enough and only for tests")
    try:
        assert bounce_in(note(sender), now=NOW) is None
        old = "a test key that is long enough and only for tests"
        use_settings(SECRET_KEY_FALLBACKS=old)
        assert bounce_in(note(sender), now=NOW) is not None
    finally:
        use_settings(SECRET_KEY=old, SECRET_KEY_FALLBACKS="")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 500,
        b"Status: 5.1.1\r\n\r\n",
        b"x" * 2_000_000,
        b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
            for n in range(5000)
        ),
    ],
)
def test_nonsense_is_no_bounce(raw: bytes) -> None:
    assert bounce_in(raw, now=NOW) is None


def test_without_an_address_for_it_mail_comes_back_to_the_sender() -> None:
    use_settings(BOUNCE_ADDRESS="")
    assert sender_of(7, now=NOW) == "pillweb@localhost"


def test_only_codes_of_dead_addresses_say_so() -> None:
    assert [
        code
        for code in ("5.1.0", "5.1.7", "2.1.5", "", "5.1", "15.1.1")
        if is_dead(code)
    ] == ["5.1.0"]
