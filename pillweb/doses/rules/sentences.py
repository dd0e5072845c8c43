"""What is said of doses: how one is told, and the sentences of today's page."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext
from pillweb.base.words import PartOfDay, amount_words, time_words
from pillweb.doses.rules.days import (
    CANCELLED,
    HELD,
    NOT_TAKEN,
    OPEN,
    PART,
    RECORDED,
    SKIPPED,
    TAKEN,
    DoseFacts,
    is_deed,
    is_due,
)
from pillweb.schedules.rules.words import intake_words

_WORDS = {
    TAKEN: gettext_noop("Taken"),
    PART: gettext_noop("Part taken"),
    "done": gettext_noop("Done"),
    SKIPPED: gettext_noop("Skipped"),
    NOT_TAKEN: gettext_noop("Not taken"),
    HELD: gettext_noop("Paused"),
    CANCELLED: gettext_noop("Moved by travel"),
    "no_record": gettext_noop("No record"),
    "not_reminded": gettext_noop("Not reminded"),
}
_SKIPPED = {
    "unwell": gettext_noop("Skipped: unwell"),
    "ran_out": gettext_noop("Skipped: none left"),
    "clinician_said": gettext_noop("Skipped: the doctor said so"),
    "side_effects": gettext_noop("Skipped: side effects"),
    "forgot": gettext_noop("Skipped: forgotten"),
    "away": gettext_noop("Skipped: away"),
    "in_hospital": gettext_noop("Skipped: in hospital"),
    "not_needed": gettext_noop("Skipped: not needed"),
}
_WORDS_AT = {
    TAKEN: gettext_noop("Taken at %(time)s"),
    PART: gettext_noop("Part taken at %(time)s"),
    "done": gettext_noop("Done at %(time)s"),
    "due": gettext_noop("Due at %(time)s"),
    "to_come": gettext_noop("Later, at %(time)s"),
}
_SAID = {
    TAKEN: gettext_noop("%(medicine)s is recorded as taken."),
    PART: gettext_noop("%(medicine)s is recorded as taken in part."),
    "done": gettext_noop("%(medicine)s is recorded as done."),
    SKIPPED: gettext_noop("%(medicine)s is recorded as skipped."),
    NOT_TAKEN: gettext_noop("%(medicine)s is recorded as not taken."),
    OPEN: gettext_noop("Undone. %(medicine)s has no record now."),
}
PART_NAMES: dict[PartOfDay, str] = {
    "morning": gettext_noop("Morning"),
    "midday": gettext_noop("Midday"),
    "evening": gettext_noop("Evening"),
    "bedtime": gettext_noop("Bedtime"),
}


def state_words(
    dose: DoseFacts, state: str, *, clock: Callable[[datetime], str]
) -> str:
    """Return what became of a dose, in a few words: "Taken at 8.04am"."""
    due = time_words(dose.clock)
    if state in {TAKEN, PART}:
        done = "done" if state == TAKEN and is_deed(dose) else state
        if dose.taken_at is None:
            return _(_WORDS[done])
        return _(_WORDS_AT[done], time=clock(dose.taken_at))
    if state in _WORDS_AT:
        return _(_WORDS_AT[state], time=due)
    if state == SKIPPED:
        return _(_SKIPPED.get(dose.skip_reason or "", _WORDS[SKIPPED]))
    return _(_WORDS[state])


def amount_of(dose: DoseFacts) -> str:
    """Return how much, in words: by the plan's unit, else by the medicine's."""
    if dose.dose_text or dose.action:
        action = dose.action if is_deed(dose) else ""
        return intake_words(dose.dose_text or "", action or "", dose.unit)
    return amount_words(dose.amount, dose.unit) if dose.amount else ""


def headline(doses: Sequence[DoseFacts], *, who: str, now: datetime) -> str:
    """Return the one sentence of the page; `who` is a name, or empty for "you"."""
    doses = [dose for dose in doses if dose.state != HELD]
    due = [dose for dose in doses if is_due(dose, now=now)]
    if due:
        return _to_take_now(len(due), who=who)
    later = [d for d in doses if d.state == OPEN and d.due_at > now]
    if later:
        first = min(later, key=lambda dose: dose.due_at)
        clock = time_words(first.clock)
        if any(d.state in RECORDED for d in doses):
            return _("All done for now. Next: %(time)s.", time=clock)
        return _("Nothing to take now. Next: %(time)s.", time=clock)
    if not doses:
        return _("Nothing to take today.")
    unrecorded = [d for d in doses if d.state == OPEN]
    if unrecorded:
        return _("Nothing to take now. Some medicines have no record.")
    return _("All done for today.")


def _to_take_now(count: int, *, who: str) -> str:
    if not who:
        return ngettext(
            "You have %(num)s medicine to take now.",
            "You have %(num)s medicines to take now.",
            count,
        )
    return ngettext(
        "%(name)s has %(num)s medicine to take now.",
        "%(name)s has %(num)s medicines to take now.",
        count,
        name=who,
    )


def answer(
    doses: Sequence[DoseFacts],
    *,
    who: str,
    now: datetime,
    clock: Callable[[datetime], str],
) -> str:
    """Return whether the newest moment's medicines were taken; empty before the first.

    `doses` are those of a day in order; what is to be taken now is no answer yet.
    """
    told = [
        dose
        for dose in doses
        if dose.state in RECORDED
        or (dose.state == OPEN and dose.due_at <= now and not is_due(dose, now=now))
    ]
    if not told:
        return ""
    newest = [dose for dose in told if dose.due_at == told[-1].due_at]
    about = {"time": time_words(newest[0].clock)}
    unrecorded = sum(dose.state == OPEN for dose in newest)
    if unrecorded:
        return _no_record(about, unrecorded, len(newest))
    if any(dose.state != TAKEN or is_deed(dose) for dose in newest):
        return ngettext(
            "The %(time)s medicine is recorded.",
            "The %(time)s medicines are recorded.",
            len(newest),
            **about,
        )
    times = [dose.taken_at for dose in newest if dose.taken_at]
    at = clock(max(times)) if len(times) == len(newest) else ""
    return _took(about, len(newest), who=who, at=at)


def _no_record(about: dict[str, str], unrecorded: int, count: int) -> str:
    if unrecorded < count:
        return _("Some of the %(time)s medicines have no record.", **about)
    return ngettext(
        "There is no record for the %(time)s medicine.",
        "There is no record for the %(time)s medicines.",
        count,
        **about,
    )


def _took(about: dict[str, str], count: int, *, who: str, at: str) -> str:
    if who and at:
        return ngettext(
            "%(name)s took the %(time)s medicine at %(at)s.",
            "%(name)s took the %(time)s medicines at %(at)s.",
            count,
            **about,
            name=who,
            at=at,
        )
    if who:
        return ngettext(
            "%(name)s took the %(time)s medicine.",
            "%(name)s took the %(time)s medicines.",
            count,
            **about,
            name=who,
        )
    if at:
        return ngettext(
            "You took your %(time)s medicine at %(at)s.",
            "You took your %(time)s medicines at %(at)s.",
            count,
            **about,
            at=at,
        )
    return ngettext(
        "You took your %(time)s medicine.",
        "You took your %(time)s medicines.",
        count,
        **about,
    )


def later_words(
    doses: Iterable[DoseFacts],
    *,
    who: str,
    now: datetime,
    clock: Callable[[datetime], str],
) -> str:
    """Return when we speak again of what is due now; empty where nobody put it off."""
    times = [
        dose.later_until
        for dose in doses
        if dose.later_until and dose.later_until > now and is_due(dose, now=now)
    ]
    if not times:
        return ""
    if who:
        return _(
            "We remind %(name)s again at %(time)s.", name=who, time=clock(max(times))
        )
    return _("We remind you again at %(time)s.", time=clock(max(times)))


def said_words(doses: Sequence[DoseFacts], *, clock: Callable[[datetime], str]) -> str:
    """Return what a press recorded or took back of these doses; empty for none."""
    if len(doses) != 1:
        return _said_of_several(doses) if doses else ""
    dose = doses[0]
    about = {"medicine": f"{dose.name} {dose.strength}".strip()}
    if dose.state == TAKEN and dose.taken_at and not is_deed(dose):
        at = clock(dose.taken_at)
        return _("%(medicine)s is recorded as taken at %(time)s.", **about, time=at)
    state = "done" if dose.state == TAKEN and is_deed(dose) else dose.state
    return _(_SAID[state], **about) if state in _SAID else ""


def _said_of_several(doses: Sequence[DoseFacts]) -> str:
    if all(dose.state == OPEN for dose in doses):
        return ngettext(
            "Undone. %(num)s medicine has no record now.",
            "Undone. %(num)s medicines have no record now.",
            len(doses),
        )
    recorded = sum(dose.state in RECORDED for dose in doses)
    return ngettext(
        "%(num)s medicine is recorded.", "%(num)s medicines are recorded.", recorded
    )


def take_all_label(due: int) -> str | None:
    """Return the words of the one large button; a single dose has its own.

    >>> take_all_label(1), take_all_label(2), take_all_label(3)
    (None, 'I have taken both', 'I have taken all 3')
    """
    if due < 2:  # noqa: PLR2004 - one needs no button for all
        return None
    if due == 2:  # noqa: PLR2004
        return _("I have taken both")
    return ngettext("I have taken all %(num)s", "I have taken all %(num)s", due)
