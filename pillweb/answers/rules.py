"""What an answer to a reminder means, and how it is told back."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, safety
from pillweb.base.words import join_words, time_words
from pillweb.base.zones import Zone, local
from pillweb.doses.rules.days import NOT_TAKEN, OPEN, RECORDED, SKIPPED, DoseFacts
from pillweb.reminders.rules.lateness import is_too_late

TAKEN, LATER, SKIP, UNDO = "taken", "later", "skip", "undo"
VERBS = (TAKEN, LATER, SKIP)
TEN_MINUTES = timedelta(minutes=10)
# What became of an answer.
DONE, ALREADY, PUT_OFF, CANNOT_WAIT = "recorded", "already", "later", "cannot_wait"
SKIPPED_NOW, LATE, NOTHING, UNDONE = "skipped", "late", "nothing", "undone"
# By whom something was recorded, beside a name.
YOU, SHEET, SOMEBODY, NAMED = "you", "sheet", "somebody", "named"
PAPER = "paper"
# Channels by which only the patient can have answered.
OWN_CHANNELS = frozenset({"link", "ntfy", "webpush", "sms", "voice", "live"})

_TAKEN_BY = {
    YOU: gettext_noop("Recorded at %(time)s by you."),
    NAMED: gettext_noop("Recorded at %(time)s by %(name)s."),
    SHEET: gettext_noop("Recorded at %(time)s from the printed sheet."),
    SOMEBODY: gettext_noop("Recorded at %(time)s."),
}
_SKIPPED_BY = {
    YOU: gettext_noop("Recorded as skipped at %(time)s by you."),
    NAMED: gettext_noop("Recorded as skipped at %(time)s by %(name)s."),
    SHEET: gettext_noop("Recorded as skipped at %(time)s from the printed sheet."),
    SOMEBODY: gettext_noop("Recorded as skipped at %(time)s."),
}
_ALREADY_BY = {
    YOU: gettext_noop("Already recorded at %(time)s by you."),
    NAMED: gettext_noop("Already recorded at %(time)s by %(name)s."),
    SHEET: gettext_noop("Already recorded at %(time)s from the printed sheet."),
    SOMEBODY: gettext_noop("Already recorded at %(time)s."),
}


class Said(NamedTuple):
    """Who recorded something last, and by which way; `is_self` is the patient."""

    account_id: int | None
    name: str
    channel: str
    is_self: bool


class Outcome(NamedTuple):
    """What became of an answer: of what is due at `moments`; `until` is told again."""

    kind: str
    moments: Sequence[datetime]
    recorded_at: datetime | None = None
    until: datetime | None = None
    said: Said | None = None


def is_late(doses: Iterable[DoseFacts], *, now: datetime) -> bool:
    """Say whether "taken" may no longer mean "now": a window is over, or an hour."""
    return any(
        is_too_late(dose.due_at, now=now) or now > dose.due_at + dose.window
        for dose in doses
        if dose.state == OPEN
    )


def times_words(moments: Iterable[datetime], place: Zone) -> str:
    """Return the times of day of these moments, each once: "8am and 8.05am"."""
    clocks = (time_words(local(moment, place).time()) for moment in sorted(moments))
    return join_words([*dict.fromkeys(clocks)])


def who_said(said: Said | None) -> str:
    """Return by whom something was recorded, as its reader, the patient, has it."""
    if said is None:
        return SOMEBODY
    if said.channel == PAPER:
        return SHEET
    if said.is_self or (said.account_id is None and said.channel in OWN_CHANNELS):
        return YOU
    return NAMED if said.name else SOMEBODY


def recorded_words(doses: Sequence[DoseFacts], said: Said | None, place: Zone) -> str:
    """Return when these doses were recorded and by whom, in one sentence."""
    done = [dose for dose in doses if dose.state in RECORDED]
    at = max(dose.recorded_at for dose in done if dose.recorded_at)
    words = _SKIPPED_BY if left_out(done) else _TAKEN_BY
    return _by(words[who_said(said)], at, said, place)


def left_out(done: Sequence[DoseFacts]) -> bool:
    """Say whether nothing of what was recorded was taken."""
    return all(dose.state in (SKIPPED, NOT_TAKEN) for dose in done)


def _by(words: str, at: datetime, said: Said | None, place: Zone) -> str:
    clock = time_words(local(at, place).time())
    return _(words, time=clock, name=said.name if said else "")


def outcome_words(outcome: Outcome, *, name: str, place: Zone, now: datetime) -> str:
    """Return what became of an answer, in one sentence for a small screen or a voice.

    `name` is the patient's own, to thank.
    """
    due, here = times_words(outcome.moments, place), times_words([now], place)
    if outcome.kind == ALREADY and outcome.recorded_at:
        words = _ALREADY_BY[who_said(outcome.said)]
        return _by(words, outcome.recorded_at, outcome.said, place)
    if outcome.kind == PUT_OFF and outcome.until:
        until = time_words(local(outcome.until, place).time())
        return _("We remind you again at %(time)s.", time=until)
    if outcome.kind == LATE:
        return safety(
            "It is now %(now)s. Nothing is recorded yet for %(time)s.",
            now=here,
            time=due,
        )
    if outcome.kind == DONE:
        return _("Recorded at %(time)s. Thank you, %(name)s.", time=here, name=name)
    return {
        SKIPPED_NOW: _("Recorded as skipped at %(time)s.", time=here),
        CANNOT_WAIT: _(
            "The medicines of %(times)s cannot wait much longer.", times=due
        ),
        UNDONE: _("You took this back at %(time)s.", time=here),
    }.get(
        outcome.kind,
        _("There is nothing to record for %(time)s any more.", time=due),
    )
