"""What a person is asked once more before a plan goes live: domain 4.2."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

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
            f"You already have {name}. Is this the same medicine?",
            "No, it is another medicine.",
        )
        for number, name in twins
    ]
    if standing:
        said = f"{standing} Is it taken all the same?"
        found.append(Doubt("standing", said, "Yes, it is taken. Start reminders."))
    if more := much_more(old, new, unit):
        was, now = (dose_words(dose, unit) for dose in more)
        said = f"The most at one time was {was}. Now it is {now}. Is this right?"
        found.append(Doubt("more", said, f"Yes, {now} is right."))
    if old and is_daily(old) != is_daily(new):
        was, now = ("", "not ") if is_daily(old) else ("not ", "")
        said = f"Until now it was {was}every day. Now it is {now}every day."
        said += " Is this right?"
        found.append(Doubt("days", said, "Yes, the days are right."))
    if not has_doses:
        said = "This plan has no dose to come. Is this right?"
        found.append(Doubt("none", said, "Yes, nothing is to be taken."))
    if is_outdated:
        said = "Somebody changed this plan since you began. Is yours still right?"
        found.append(Doubt("outdated", said, "Yes, use mine instead."))
    return found
