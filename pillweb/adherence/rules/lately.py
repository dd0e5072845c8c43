"""How it went lately, in words that one slip does not spoil: domain 3.2."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from pillweb.adherence.rules.outcome import Outcome
from pillweb.adherence.rules.tally import Tally, tally
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import ngettext
from pillweb.base.words import number_words

LATELY = timedelta(days=30)
# Who took everything for longer hears that it is at least so many days.
LOOK_BACK = timedelta(days=100)
A_ROW = 2


def summary_words(counts: Tally) -> str:
    """Return "All was taken on 5 of 7 days."; nothing where no day is over."""
    if not counts.due_days:
        return ""
    return ngettext(
        "All was taken on %(full)s of %(num)s day.",
        "All was taken on %(full)s of %(num)s days.",
        counts.due_days,
        full=number_words(counts.full_days),
    )


def lately_words(outcomes: Iterable[Outcome], today: date, as_of: datetime) -> str:
    """Return "25 of the last 30 days", and the days in a row where there are some.

    `outcomes` reach back as far as `LOOK_BACK`. Today is in neither while a dose of it
    is open; the days in a row count it once all of it was taken.
    """
    found = list(outcomes)
    month = [one for one in found if today - LATELY <= one.nominal_date < today]
    counts = tally(month, as_of)
    if not counts.due_days:
        return ""
    run = tally(found, as_of).current_run
    said = _full_days(counts.full_days, counts.due_days)
    return f"{said} {row_words(run)}" if run >= A_ROW else said


def _full_days(full: int, due: int) -> str:
    if due == LATELY.days:
        return _(
            "All was taken on %(full)s of the last %(num)s days.",
            full=number_words(full),
            num=number_words(due),
        )
    return ngettext(
        "In the last 30 days, all was taken on %(full)s of %(num)s day.",
        "In the last 30 days, all was taken on %(full)s of %(num)s days.",
        due,
        full=number_words(full),
    )


def row_words(run: int) -> str:
    """Return "12 days in a row."; at most so many as are looked back."""
    if run >= LOOK_BACK.days:
        most = number_words(LOOK_BACK.days)
        return _("That is %(num)s days in a row or more.", num=most)
    return ngettext("%(num)s day in a row.", "%(num)s days in a row.", run)
