"""What is said of a supply."""

from datetime import date, timedelta
from fractions import Fraction

from pillweb.base.words import date_words
from pillweb.supply.rules.packing import Packing
from pillweb.supply.rules.run_out import Lasting, Outlook
from pillweb.supply.rules.units import quantity_words

CAUSE_WORDS = {
    "received": "Received",
    "taken": "Taken",
    "taken_back": "Taken back: it was not taken",
    "not_counted": "Taken, not counted",
    "recount": "Counted",
    "lost": "Lost",
    "thrown_away": "Thrown away",
    "given_back": "Given back to the pharmacy",
}
_LASTING_WORDS = {
    Lasting.PLAN_ENDS: "Enough until the plan ends.",
    Lasting.LONG: "Enough for more than a year.",
    Lasting.AS_NEEDED: "Taken only when needed, so we cannot say how long it lasts.",
    Lasting.UNKNOWN: "We cannot say how long it lasts.",
    Lasting.NOT_TAKEN: "It is not taken now.",
}
UNCLEAR = (
    "Doses are not counted, because we do not know how many {units} one dose is. "
    "Write the strength of one {unit}, such as 5 mg, or plan the doses in {units}."
)


def balance_words(balance: Fraction, unit: str) -> str:
    """Return what is there: "28 tablets"; below nothing, that it must be counted."""
    if balance < 0:
        return "More was taken than we knew of. Please count what is there."
    if balance == 0:
        return "None left"
    return quantity_words(balance, unit)


def lasting_words(found: Outlook, *, today: date) -> str:
    """Return how long it lasts, in one sentence."""
    if found.runs_out_on is None:
        return _LASTING_WORDS[found.lasting]
    if found.lasting is Lasting.ESTIMATE:
        day = date_words(found.runs_out_on)
        return f"Taken when needed. As in the last weeks, it lasts until about {day}."
    if found.runs_out_on <= today:
        return "Not enough for today."
    last = found.runs_out_on - timedelta(days=1)
    if last == today:
        return "Enough for today, and not for tomorrow."
    return f"Enough until the end of {date_words(last)}."


def days_words(days: int) -> str:
    """Return "1 day" or "3 days"."""
    return "1 day" if days == 1 else f"{days} days"


def order_words(*, repeats_left: int | None, lead_days: int) -> str:
    """Return what to do when a supply is low."""
    takes = days_words(lead_days)
    if repeats_left == 0:
        return f"No repeats are left. Ask the doctor now, who needs {takes}."
    wait = f"It takes {takes}." if lead_days else ""
    return f"Get more now. {wait} {repeats_words(repeats_left)}".strip().replace(
        "  ", " "
    )


def repeats_words(repeats_left: int | None) -> str:
    """Return how many repeats are left; nothing where nobody said."""
    if repeats_left is None:
        return ""
    if repeats_left == 1:
        return "1 repeat is left."
    return f"{repeats_left or 'No'} repeats are left."


def pack_words(found: Packing, unit: str) -> str:
    """Return how much to pack."""
    if found.needed is None:
        return "We cannot say how much: please ask your pharmacist."
    if not found.needed:
        return "None is due on these days."
    return f"Pack {quantity_words(Fraction(found.needed), unit)}."


def enough_words(found: Packing, unit: str) -> str:
    """Return whether what is there is enough to go."""
    if not found.needed:
        return ""
    if found.balance is None:
        return "You have not counted how many you have."
    if found.balance < 0:
        return balance_words(found.balance, unit)
    have = "none" if not found.balance else quantity_words(found.balance, unit)
    until = (
        f" You use {quantity_words(found.before, unit)} before you go."
        if found.before
        else ""
    )
    if found.missing:
        more = quantity_words(Fraction(found.missing), unit)
        return f"You have {have}.{until} Get {more} more before you go."
    return f"You have {have}.{until} That is enough."
