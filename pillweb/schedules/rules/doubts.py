"""What a person is asked once more before a plan goes live: domain 4.2."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import safety
from pillweb.schedules.rules.compare import is_daily, much_more
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.words import dose_words


class Doubt(NamedTuple):
    """A question that must be answered with yes; `key` names it in the form."""

    key: str
    question: str
    yes: str


def doubts_about(
    old: Sequence[Line],
    new: Sequence[Line],
    *,
    unit: str,
    twins: Iterable[tuple[int, str]],
    has_doses: bool,
    is_outdated: bool,
    standing: str = "",
) -> list[Doubt]:
    """Return what to ask about a plan before it starts.

    Args:
        old: The plan that stands, empty for a new medicine.
        new: The plan to come.
        unit: The medicine's unit in the singular.
        twins: Ids and names of other medicines that may be the same one.
        has_doses: Whether any dose is still to come; true for as needed.
        is_outdated: Whether the plan was changed since these answers began.
        standing: Why an imported file does not count the medicine as taken, or nothing.
    """
    found = [
        Doubt(
            f"twin_{number}",
            _(
                "You already have %(medicine)s. Is this the same medicine?",
                medicine=name,
            ),
            _("No, it is another medicine."),
        )
        for number, name in twins
    ]
    if standing:
        said = _("%(standing)s Is it taken all the same?", standing=standing)
        yes = _("Yes, it is taken. Start reminders.")
        found.append(Doubt("standing", said, yes))
    if more := much_more(old, new, unit):
        was, now = (dose_words(dose, unit) for dose in more)
        said = safety(
            "The most at one time was %(was)s. Now it is %(now)s. Is this right?",
            was=was,
            now=now,
        )
        found.append(Doubt("more", said, _("Yes, %(amount)s is right.", amount=now)))
    if old and is_daily(old) != is_daily(new):
        said = _days_question(was_daily=is_daily(old))
        found.append(Doubt("days", said, _("Yes, the days are right.")))
    if not has_doses:
        said = _("This plan has no dose to come. Is this right?")
        found.append(Doubt("none", said, _("Yes, nothing is to be taken.")))
    if is_outdated:
        said = _("Somebody changed this plan since you began. Is yours still right?")
        found.append(Doubt("outdated", said, _("Yes, use mine instead.")))
    return found


def _days_question(*, was_daily: bool) -> str:
    if was_daily:
        return _("Until now it was every day. Now it is not every day. Is this right?")
    return _("Until now it was not every day. Now it is every day. Is this right?")
