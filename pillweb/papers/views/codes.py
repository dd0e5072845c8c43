"""The page behind a code on paper: what is due, one button, nobody signs in."""

from collections.abc import Iterable

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.tokens import token_hash
from pillweb.base.visits import note_answer
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.rules.days import LEAD, may_undo
from pillweb.papers.queries import (
    CHANNEL,
    Behind,
    behind_code,
    doses_behind,
    recorded_by_paper,
    unprinted,
)
from pillweb.papers.rules.scan import (
    Scanned,
    is_long_ago,
    scanned,
    taken_label,
    told_lines,
)
from pillweb.patients.queries import zone_at
from pillweb.web.htmx import fragment, go, is_htmx, page
from pillweb.web.numbers import row_number
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import csrf, is_miss, limiter
from pillweb.web.transaction import session

codes = Blueprint("codes", __name__)
# The secret in the address is the permission, so no cookie is needed or set.
csrf.exempt(codes)

GUESSES = "30 per 10 minutes"
PRESSES = "60 per hour"


def _code() -> str:
    """Return whom a limit counts: a code, from wherever it is pressed."""
    token = (request.view_args or {}).get("token", "")
    return "code:" + token_hash(token).hex()


# Whoever finds a sheet may press and undo, but not for ever.
_presses = limiter.shared_limit(PRESSES, scope="codes", key_func=_code)


def _found(behind: Behind) -> Scanned:
    place = zone_at(session(), behind.patient_id, at=now())
    doses = doses_behind(session(), behind, place=place, now=now())
    newer = unprinted(session(), doses, made_at=behind.made_at)
    return scanned(doses, now=now(), unprinted=newer)


def _undoable(found: Scanned) -> list[int]:
    """Return what a code recorded and can still be taken back."""
    fresh = [d.id for d in found.recorded if may_undo(d.recorded_at, now=now())]
    return recorded_by_paper(session(), fresh) if fresh else []


def _listed(dose_ids: Iterable[int]) -> list[int]:
    """Return those that the pressed page listed: it may be of yesterday, or older."""
    listed = set(request.form.getlist("dose", type=row_number))
    return [dose_id for dose_id in dose_ids if dose_id in listed]


def _answer(
    token: str, behind: Behind, found: Scanned, *, doubted: bool = False
) -> dict[str, object]:
    at = now()
    place = zone(zone_at(session(), behind.patient_id, at=at))
    due_at = found.due_at or at
    newest = max((d.recorded_at or at for d in found.recorded), default=at)
    return {
        "shown": shown_here(again=doubted),
        "stand": found.stand,
        "is_old": found.is_old,
        "take_url": f"/p/{token}",
        "take_ids": [dose.id for dose in found.due],
        "undo_url": f"/p/{token}/undo",
        "undo_ids": _undoable(found),
        "time_words": time_words(behind.clock),
        "date_words": date_words(local(due_at, place).date()),
        "now_words": time_words(local(at, place).time()),
        "opens_words": time_words(local(due_at - LEAD, place).time()),
        "recorded_words": _(
            "Recorded at %(time)s.", time=time_words(local(newest, place).time())
        ),
        "label": taken_label(len(found.due)),
        "long_ago": is_long_ago(found, now=at),
        "lines": told_lines(found.due, shows_names=behind.show_names),
        "recorded": len(found.recorded),
    }


def _respond(
    token: str, behind: Behind, *, doubted: bool = False
) -> ResponseReturnValue:
    if is_htmx():
        context = _answer(token, behind, _found(behind), doubted=doubted)
        return fragment("papers/_scan.html", swapped=True, **context)
    path = f"/p/{token}"
    return go(once_more(path) if doubted else path)


@codes.get("/p/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_code(token: str) -> ResponseReturnValue:
    """Show what is due at the time of this code; nothing is recorded by looking."""
    behind = behind_code(session(), token, now=now())
    return page("papers/scan.html", **_answer(token, behind, _found(behind)))


@codes.post("/p/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
@_presses
def post_code(token: str) -> ResponseReturnValue:
    """Record as taken what the page listed and is still due, and nothing else."""
    behind = behind_code(session(), token, now=now())
    if not is_pressed():
        return _respond(token, behind, doubted=True)
    note_answer(session(), behind.patient_id)
    mark_taken(
        session(),
        _listed(dose.id for dose in _found(behind).due),
        patient_id=behind.patient_id,
        account_id=None,
        channel=CHANNEL,
        now=now(),
    )
    return _respond(token, behind)


@codes.post("/p/<token>/undo")
@limiter.limit(GUESSES, deduct_when=is_miss)
@_presses
def post_undo(token: str) -> ResponseReturnValue:
    """Take back what codes recorded of the doses the page listed, nothing else."""
    behind = behind_code(session(), token, now=now())
    if not is_pressed():
        return _respond(token, behind, doubted=True)
    note_answer(session(), behind.patient_id)
    undo_marks(
        session(),
        _listed(_undoable(_found(behind))),
        patient_id=behind.patient_id,
        account_id=None,
        channel=CHANNEL,
        now=now(),
    )
    return _respond(token, behind)
