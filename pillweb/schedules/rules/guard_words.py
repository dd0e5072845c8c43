"""What the limits of a plan say of one more dose, in plain words: domain 4.2."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

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
    days = {A_DAY: " tomorrow", timedelta(0): "", -A_DAY: " yesterday"}
    day = days.get(moment.date() - here.date(), f" on {date_words(moment.date())}")
    return time_words(moment.time()) + _which_of_two(moment) + day


def _which_of_two(moment: datetime) -> str:
    if moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset():
        return ""
    return " (the second time)" if moment.fold else " (the first time)"


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
        allowed = "One dose is more than the plan allows. Ask your pharmacist."
    elif verdict.allowed_at > now:
        allowed = f"You can take it again from {when(verdict.allowed_at)}."
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
        f"Last taken {when(last.at)}." if last else "",
        allowed,
        not_counted_words(verdict),
    )


def _last_one(after: Verdict, *, now: datetime, when: When) -> str:
    """Warn where one more dose is the last that is allowed for a time."""
    if after.allowed_at is None or after.allowed_at > now:
        until = f" until {when(after.allowed_at)}" if after.allowed_at else ""
        return f"You can take it now. One more is allowed{until}."
    return "You can take it now."


def not_counted_words(verdict: Verdict) -> str:
    """Name the medicines that a limit could not count; never pass them in silence."""
    if not verdict.uncounted:
        return ""
    names = join_words(verdict.uncounted)
    return f"Not counted: {names}. We do not know how much one dose holds."


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
    if is_sudden(medicine, taken, at=at) or (last and allowed != at):
        which = _which(last, medicine)
        until = f" before {when(allowed)}" if allowed and allowed > at else ""
        told = f" at {when(last.at)}" if last else ""
        return f"You already recorded {which}{told}. Do not take it again{until}."
    planned = line.dose
    if above(dose, planned) and planned:
        amount = dose_words(planned, medicine.unit)
        return f"The plan says {amount}. Do not take more."
    return "" if allowed == at else "This is more than the plan allows. Do not take it."


def _which(last: Taking | None, medicine: Medicine) -> str:
    if last is None or last.medicine.id == medicine.id:
        return "this"
    return f"{last.medicine.name}, which holds the same ingredient,"


def above(dose: Dose | None, planned: Dose | None) -> bool:
    """Say whether an amount is above the plan's; one that is not known is not."""
    if dose is None or planned is None:
        return False
    if dose.fraction is None or planned.fraction is None:
        return False
    return dose.fraction > planned.fraction
