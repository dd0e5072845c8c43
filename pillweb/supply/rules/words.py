"""What is said of a supply."""

from datetime import date, timedelta
from fractions import Fraction

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext, pgettext, pgettext_noop
from pillweb.base.words import date_words, number_words, unit_name, units_name
from pillweb.supply.rules.ledger import RECOUNT, Row
from pillweb.supply.rules.packing import Packing
from pillweb.supply.rules.run_out import Lasting, Outlook
from pillweb.supply.rules.units import quantity_words

_CAUSE_WORDS = {
    "received": pgettext_noop("supply", "Received"),
    "taken": pgettext_noop("supply", "Taken"),
    "taken_back": pgettext_noop("supply", "Taken back: it was not taken"),
    "not_counted": pgettext_noop("supply", "Taken, not counted"),
    "recount": pgettext_noop("supply", "Counted"),
    "lost": pgettext_noop("supply", "Lost"),
    "thrown_away": pgettext_noop("supply", "Thrown away"),
    "given_back": pgettext_noop("supply", "Given back to the pharmacy"),
}
_LASTING_WORDS = {
    Lasting.PLAN_ENDS: gettext_noop("Enough until the plan ends."),
    Lasting.LONG: gettext_noop("Enough for more than a year."),
    Lasting.AS_NEEDED: gettext_noop(
        "Taken only when needed, so we cannot say how long it lasts."
    ),
    Lasting.UNKNOWN: gettext_noop("We cannot say how long it lasts."),
    Lasting.NOT_TAKEN: gettext_noop("It is not taken now."),
}


def change_words(row: Row, unit: str) -> str:
    """Return why and by how much a supply changed: "Received: +28 tablets"."""
    change = quantity_words(row.quantity, unit)
    if row.quantity > 0:
        change = pgettext("change", "+%(amount)s", amount=change)
    return pgettext(
        "supply",
        "%(cause)s: %(change)s",
        cause=pgettext("supply", _CAUSE_WORDS[row.cause]),
        change=change,
    )


def note_words(row: Row, unit: str) -> str:
    """Return what was written beside a change; a count says both of its numbers."""
    if row.cause != RECOUNT or row.note:
        return row.note
    before = row.balance - row.quantity
    said = [_("Counted %(amount)s.", amount=quantity_words(row.balance, unit))]
    if before and row.quantity:
        said.append(
            _("The record said %(amount)s.", amount=quantity_words(before, unit))
        )
    return " ".join(said)


def unclear_words(unit: str) -> str:
    """Return why doses are not counted, and what helps."""
    return _(
        "Doses are not counted, because we do not know how many %(units)s one dose is. "
        "Write the strength of one %(unit)s, such as 5 mg, or plan the doses in "
        "%(units)s.",
        unit=unit_name(unit),
        units=units_name(unit),
    )


def balance_words(balance: Fraction, unit: str) -> str:
    """Return what is there: "28 tablets"; below nothing, that it must be counted."""
    if balance < 0:
        return _("More was taken than we knew of. Please count what is there.")
    if balance == 0:
        return _("None left")
    return quantity_words(balance, unit)


def lasting_words(found: Outlook, *, today: date) -> str:
    """Return how long it lasts, in one sentence."""
    if found.runs_out_on is None:
        return _(_LASTING_WORDS[found.lasting])
    if found.lasting is Lasting.ESTIMATE:
        return _(
            "Taken when needed. As in the last weeks, it lasts until about %(day)s.",
            day=date_words(found.runs_out_on),
        )
    if found.runs_out_on <= today:
        return _("Not enough for today.")
    last = found.runs_out_on - timedelta(days=1)
    if last == today:
        return _("Enough for today, and not for tomorrow.")
    return _("Enough until the end of %(day)s.", day=date_words(last))


def order_words(*, repeats_left: int | None, lead_days: int) -> str:
    """Return what to do when a supply is low."""
    takes = number_words(lead_days)
    if repeats_left == 0:
        return ngettext(
            "No repeats are left. Ask the doctor now, who needs %(num)s day.",
            "No repeats are left. Ask the doctor now, who needs %(num)s days.",
            lead_days,
            num=takes,
        )
    said = [_("Get more now."), "", repeats_words(repeats_left)]
    if lead_days:
        said[1] = ngettext(
            "It takes %(num)s day.", "It takes %(num)s days.", lead_days, num=takes
        )
    return " ".join(filter(None, said))


def repeats_words(repeats_left: int | None) -> str:
    """Return how many repeats are left; nothing where nobody said."""
    if repeats_left is None:
        return ""
    if not repeats_left:
        return _("No repeats are left.")
    return ngettext(
        "%(num)s repeat is left.",
        "%(num)s repeats are left.",
        repeats_left,
        num=number_words(repeats_left),
    )


def pack_words(found: Packing, unit: str) -> str:
    """Return how much to pack."""
    if found.needed is None:
        return _("We cannot say how much: please ask your pharmacist.")
    if not found.needed:
        return _("None is due on these days.")
    much = quantity_words(Fraction(found.needed), unit)
    return _("Pack %(amount)s.", amount=much)


def enough_words(found: Packing, unit: str) -> str:
    """Return whether what is there is enough to go."""
    if not found.needed:
        return ""
    if found.balance is None:
        return _("You have not counted how many you have.")
    if found.balance < 0:
        return balance_words(found.balance, unit)
    have = quantity_words(found.balance, unit)
    said = [_("You have %(amount)s.", amount=have)]
    if not found.balance:
        said = [_("You have none.")]
    if found.before:
        uses = quantity_words(found.before, unit)
        said.append(_("You use %(amount)s before you go.", amount=uses))
    if found.missing:
        more = quantity_words(Fraction(found.missing), unit)
        said.append(_("Get %(amount)s more before you go.", amount=more))
    else:
        said.append(_("That is enough."))
    return " ".join(said)
