"""A ladder in sentences, and as a person chooses it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import ngettext
from pillweb.base.words import time_words
from pillweb.reminders.rules.ladder import (
    A_MINUTE,
    BUZZING,
    HELPER1,
    HELPER2,
    PATIENT,
    Ladder,
    helper_rungs,
    patient_rungs,
)

# What may be chosen, in minutes after the due time; none is "not".
AGAIN = (5, 10, 15, 20, 30)
LAST = (20, 30, 45)
HELPERS_AFTER = (30, 60, 90, 120)
# From here on a time of day says more than minutes.
LONG = timedelta(hours=3)


def chosen_ladder(again: int, last: int, helpers: int) -> Ladder:
    """Return the ladder somebody chose, in minutes; 0 leaves that rung out."""
    minutes = [0, *(minute for minute in (again, last) if minute)]
    rungs = patient_rungs(minutes)
    if not helpers:
        return rungs
    return (*rungs, *helper_rungs([helpers * A_MINUTE], loudest=BUZZING))


def choice_of(ladder: Ladder) -> tuple[int, int, int]:
    """Return what was chosen in a ladder, as near as `chosen_ladder` can tell it."""
    told = [rung.after // A_MINUTE for rung in ladder if rung.to == PATIENT][1:]
    helpers = [rung.after // A_MINUTE for rung in ladder if rung.to == HELPER1]
    again = told[0] if len(told) > 1 else 0
    last = told[-1] if told else 0
    return again, last, helpers[0] if helpers else 0


def ladder_sentences(ladder: Ladder, due: datetime, *, is_usual: bool) -> list[str]:
    """Return who is told when, of a dose due at a local time, in order of time."""
    found = [_("When it is due, we send a quiet message.")]
    told = [rung for rung in ladder if rung.to == PATIENT][1:]
    found += [_again(rung.after) for rung in told[:-1]]
    found += [_loudest(rung.after) for rung in told[-1:]]
    for rung in ladder:
        if rung.to == HELPER1:
            found.append(_first(rung.after, due))
        elif rung.to == HELPER2:
            found.append(
                _("If nobody sees to it for half an hour, we tell the second helper.")
            )
    if not _has_helpers(ladder):
        found.append(
            _("We tell the first helper when two in a row, or a day, have no record.")
            if is_usual
            else _("We tell no helper of a single dose.")
        )
    return found


def _has_helpers(ladder: Ladder) -> bool:
    return any(rung.to == HELPER1 for rung in ladder)


def _again(after: timedelta) -> str:
    return ngettext(
        "If there is no record after %(num)s minute, we remind again.",
        "If there is no record after %(num)s minutes, we remind again.",
        after // A_MINUTE,
    )


def _loudest(after: timedelta) -> str:
    return ngettext(
        "After %(num)s minute we use every way there is, also the phone.",
        "After %(num)s minutes we use every way there is, also the phone.",
        after // A_MINUTE,
    )


def _first(after: timedelta, due: datetime) -> str:
    if after < LONG:
        return ngettext(
            "After %(num)s minute without a record we tell the first helper.",
            "After %(num)s minutes without a record we tell the first helper.",
            after // A_MINUTE,
        )
    at = due + after
    if at.date() == due.date():
        return _(
            "At %(time)s the same day we tell the first helper.",
            time=time_words(at.time()),
        )
    return _(
        "At %(time)s the next day we tell the first helper.", time=time_words(at.time())
    )


def wait_words(minutes: int) -> str:
    """Return a choice of minutes in words; 0 is "no"."""
    if not minutes:
        return _("No")
    return ngettext("After %(num)s minute", "After %(num)s minutes", minutes)


def with_kept(offered: Sequence[int], kept: int) -> list[int]:
    """Return what may be chosen, "not" first, and among it what is kept now."""
    return sorted({0, kept, *offered})
