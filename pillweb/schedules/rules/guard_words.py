"""What the limits of a plan say of one more dose, in plain words: domain 4.2."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import safety
from pillweb.base.words import date_words, join_words, time_words
from pillweb.schedules.rules.guard import (
    Medicine,
    Taking,
    Verdict,
    guard,
    is_sudden,
)
from pillweb.schedules.rules.line import Dose, Line, Prn
from pillweb.schedules.rules.words import dose_words

When = Callable[[datetime], str]
Others = Iterable[tuple[Prn, Medicine]]
A_DAY = timedelta(days=1)


class Allowance(NamedTuple):
    """When it was taken last, when it may be taken again, and what is not counted."""

    last: str
    next: str
    not_counted: str


def moment_words(moment: datetime, here: datetime) -> str:
    """Return a local instant as told at the local time `here`.

    "2.10pm", "8pm tomorrow", "11pm yesterday", "8pm on Friday 20 November". A time that
    the clocks show twice says which: "1.30am (the second time)" (T3).
    """
    shown, apart = _clock_words(moment), moment.date() - here.date()
    if not apart:
        return shown
    if apart == A_DAY:
        return _("%(time)s tomorrow", time=shown)
    if apart == -A_DAY:
        return _("%(time)s yesterday", time=shown)
    return _("%(time)s on %(day)s", time=shown, day=date_words(moment.date()))


def _clock_words(moment: datetime) -> str:
    shown = time_words(moment.time())
    if moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset():
        return shown
    if moment.fold:
        return _("%(time)s (the second time)", time=shown)
    return _("%(time)s (the first time)", time=shown)


def allowance(
    line: Line,
    medicine: Medicine,
    taken: Sequence[Taking],
    *,
    now: datetime,
    when: When,
    others: Others = (),
) -> Allowance:
    """Say of a medicine taken as needed when it was taken, and when it may be again."""
    others = tuple(others)
    prn = line.prn or Prn()
    verdict = guard(prn, medicine, taken, at=now, dose=line.dose, others=others)
    own = [one for one in taken if one.medicine.id == medicine.id]
    last = max(own, key=lambda one: one.at, default=None)
    if verdict.allowed_at is None:
        allowed = safety("One dose is more than the plan allows. Ask your pharmacist.")
    elif verdict.allowed_at > now:
        again = when(verdict.allowed_at)
        allowed = safety("You can take it again from %(time)s.", time=again)
    else:
        more = [*taken, Taking(medicine, now, line.dose)]
        allowed = _last_one(
            guard(
                replace(prn, min_interval_minutes=None),
                medicine,
                more,
                at=now,
                dose=line.dose,
                others=others,
            ),
            now=now,
            when=when,
        )
    return Allowance(
        _("Last taken %(time)s.", time=when(last.at)) if last else "",
        allowed,
        not_counted_words(verdict),
    )


def _last_one(after: Verdict, *, now: datetime, when: When) -> str:
    """Warn where one more dose is the last that is allowed for a time."""
    if after.allowed_at is None:
        return safety("You can take it now. It is the last one allowed.")
    if after.allowed_at <= now:
        return safety("You can take it now.")
    return safety(
        "You can take it now. It is the last one allowed until %(time)s.",
        time=when(after.allowed_at),
    )


def not_counted_words(verdict: Verdict) -> str:
    """Name the medicines that a limit could not count; never pass them in silence."""
    if not verdict.uncounted:
        return ""
    return safety(
        "Not counted: %(medicines)s. We do not know how much one dose holds.",
        medicines=join_words(verdict.uncounted),
    )


def question(
    line: Line,
    medicine: Medicine,
    taken: Sequence[Taking],
    *,
    at: datetime,
    dose: Dose | None,
    when: When,
    others: Others = (),
) -> str:
    """Return what to ask before one more dose is recorded; empty where all is well.

    Too soon, over a limit, above the plan's own amount, or a second record within
    minutes.
    """
    prn = line.prn or Prn()
    verdict = guard(prn, medicine, taken, at=at, dose=dose, others=others)
    last, allowed = verdict.last, verdict.allowed_at
    if last and (allowed != at or is_sudden(medicine, taken, at=at)):
        until = when(allowed) if allowed and allowed > at else ""
        return _recorded(last, medicine, when(last.at), until)
    planned = line.dose
    if above(dose, planned) and planned:
        return safety(
            "The plan says %(amount)s. Do not take more.",
            amount=dose_words(planned, medicine.unit),
        )
    if allowed == at:
        return ""
    return safety("This is more than the plan allows. Do not take it.")


def _recorded(last: Taking, medicine: Medicine, at: str, until: str) -> str:
    """Return that it was recorded `at`, and `until` when not to take it again."""
    if last.medicine.id != medicine.id:
        return _recorded_other(last.medicine.name, at, until)
    if not until:
        return safety(
            "You already recorded this at %(time)s. Do not take it again.", time=at
        )
    return safety(
        "You already recorded this at %(time)s. Do not take it again before %(until)s.",
        time=at,
        until=until,
    )


def _recorded_other(name: str, at: str, until: str) -> str:
    if not until:
        return safety(
            "You already recorded %(medicine)s, which holds the same ingredient, at "
            "%(time)s. Do not take it again.",
            medicine=name,
            time=at,
        )
    return safety(
        "You already recorded %(medicine)s, which holds the same ingredient, at "
        "%(time)s. Do not take it again before %(until)s.",
        medicine=name,
        time=at,
        until=until,
    )


def above(dose: Dose | None, planned: Dose | None) -> bool:
    """Say whether an amount is above the plan's; one that is not known is not."""
    if dose is None or planned is None:
        return False
    if dose.fraction is None or planned.fraction is None:
        return False
    return dose.fraction > planned.fraction
