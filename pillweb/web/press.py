"""The press of a person: our own button, and no sooner than anybody reads.

Mail scanners open links; some run the page and send its form off, or press its button
(FusionAuth, Outlook SafeLinks). What may be a machine is doubted: nothing is done, and
the page asks for one more press.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.channels.marks import is_mark, mark_of
from pillweb.web.transaction import SAFE

READING_TIME = timedelta(seconds=3)
SHOWN, AGAIN, BUTTON = "shown", "again", "press"
LONGEST_STAMP = 14


class Shown(NamedTuple):
    """When a page was first shown, signed; `again` asks for one more press."""

    mark: str
    again: bool


def is_believable(
    first_shown_at: datetime | None, *, by_button: bool, now: datetime
) -> bool:
    """Say whether a person pressed: our button, 3 s or more after the page was shown.

    >>> is_believable(None, by_button=True, now=datetime(2026, 11, 20))
    False
    """
    if first_shown_at is None or not by_button:
        return False
    return now - first_shown_at >= READING_TIME


def _about() -> str:
    return str((request.view_args or {}).get("token", request.path))


def _signed(stamp: str) -> str:
    return f"{stamp}.{mark_of(f'shown:{_about()}:{stamp}')}"


def _first_shown(written: str) -> datetime | None:
    stamp, _, mark = written.partition(".")
    is_stamp = stamp.isascii() and stamp.isdecimal() and len(stamp) <= LONGEST_STAMP
    if not is_stamp or not is_mark(mark, f"shown:{_about()}:{stamp}"):
        return None
    return datetime.fromtimestamp(int(stamp) / 1000, UTC)


def is_pressed() -> bool:
    """Say whether this POST is the press of a person."""
    is_press = is_believable(
        _first_shown(request.form.get(SHOWN, "")),
        by_button=BUTTON in request.form,
        now=now(),
    )
    g.is_doubted = not is_press
    return is_press


def is_doubted() -> bool:
    """Say whether this request was taken for a machine's, so that nothing was done."""
    return bool(g.get("is_doubted"))


def shown_here(*, again: bool = False) -> Shown:
    """Return when this page was first shown, for its forms: it survives being redrawn.

    `again` is true where the press before was doubted.
    """
    again = again or AGAIN in request.args
    for known in (request.form.get(SHOWN, ""), request.args.get(AGAIN, "")):
        if _first_shown(known):
            return Shown(known, again)
    return Shown(_signed(str(int(now().timestamp() * 1000))), again)


def once_more(path: str) -> str:
    """Return the address of the page that asks to press once more."""
    return f"{path}?{AGAIN}={shown_here().mark}"


def _show_nothing_early() -> ResponseReturnValue | None:
    """Give a browser that only fetches ahead a page of a secret address without it."""
    asked = request.headers.get("sec-purpose", request.headers.get("purpose", ""))
    is_secret = "token" in (request.view_args or {})
    if request.method in SAFE and is_secret and asked.startswith("prefetch"):
        return render_template("errors/early.html", path=request.path)
    return None


def install_press(app: Flask) -> None:
    """Show nothing of what stands behind a link before somebody opens it."""
    app.before_request(_show_nothing_early)
