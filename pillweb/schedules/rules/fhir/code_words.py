"""The codes of a dosage in plain words, for a person to compare with."""

from decimal import Decimal

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext, pgettext
from pillweb.base.words import weekday_name
from pillweb.schedules.rules.day_words import clauses
from pillweb.schedules.rules.fhir.bounds import Bounds
from pillweb.schedules.rules.fhir.dose_rate import HowMuch
from pillweb.schedules.rules.fhir.quantity import plain
from pillweb.schedules.rules.fhir.repeat import Repeat
from pillweb.schedules.rules.line import PrnLimit

_WHENS = {
    "MORN": gettext_noop("in the morning"),
    "NOON": gettext_noop("at noon"),
    "AFT": gettext_noop("in the afternoon"),
    "EVE": gettext_noop("in the evening"),
    "NIGHT": gettext_noop("at night"),
    "HS": gettext_noop("at bedtime"),
    "AC": gettext_noop("before meals"),
    "PC": gettext_noop("after meals"),
    "C": gettext_noop("with meals"),
}
_UNITS = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "a": "year",
}
_EVERY_ONE = {
    "second": gettext_noop("%(count)s a second"),
    "minute": gettext_noop("%(count)s a minute"),
    "hour": gettext_noop("%(count)s an hour"),
    "day": gettext_noop("%(count)s a day"),
    "week": gettext_noop("%(count)s a week"),
    "month": gettext_noop("%(count)s a month"),
    "year": gettext_noop("%(count)s a year"),
}


def code_words(
    repeat: Repeat,
    bounds: Bounds,
    how_much: HowMuch | None,
    limit: PrnLimit | None,
    most_often: int | None,
) -> str:
    """Return what the codes say: "60 mg, once a day, for 4 days"; empty for nothing.

    `most_often` is the frequency's upper end, where it is a range.
    """
    said = [how_much.dose.text if how_much else "", _often(repeat, most_often)]
    said += [_(_WHENS[code]) if code in _WHENS else code for code in repeat.when]
    said += [f"{at:%H:%M}" for at in repeat.times]
    said += [_("on %(weekday)s", weekday=weekday_name(day)) for day in repeat.weekdays]
    if bounds.length:
        length = _length(bounds.length.value, bounds.length.unit)
        said.append(_("for %(length)s", length=length))
    if repeat.count:
        doses = _length(Decimal(repeat.count), "dose")
        said.append(_("%(doses)s in all", doses=doses))
    if limit:
        doses = _length(Decimal(limit.doses or 0), "dose")
        most = limit.amount.text if limit.amount else doses
        hours = _length(limit.hours, "hour")
        said.append(_("at most %(most)s in %(length)s", most=most, length=hours))
    return clauses(said)


def _often(repeat: Repeat, most: int | None) -> str:
    unit = _UNITS.get(repeat.unit)
    if unit is None or repeat.period is None or repeat.period <= 0:
        return _count(repeat, most) if repeat.frequency else ""
    if repeat.period == 1 and not repeat.period_max:
        return _(_EVERY_ONE[unit], count=_count(repeat, most))
    length = _length(repeat.period_max or repeat.period, unit)
    if repeat.period_max:
        length = _("%(low)s to %(high)s", low=plain(repeat.period), high=length)
    if repeat.frequency in (None, 1) and not most:
        return _("every %(length)s", length=length)
    count = _count(repeat, most)
    return _("%(count)s every %(length)s", count=count, length=length)


def _count(repeat: Repeat, most: int | None) -> str:
    number = repeat.frequency or 1
    if most:
        return _("%(low)s to %(high)s times", low=number, high=most)
    if number == 1:
        return pgettext("how many times", "once")
    if number == 2:  # noqa: PLR2004 - a word of its own
        return pgettext("how many times", "twice")
    return ngettext("%(num)s time", "%(num)s times", number)


def _length(number: Decimal, unit: str) -> str:
    told = plain(number)
    match unit:
        case "second":
            said = ngettext("%(num)s second", "%(num)s seconds", number, num=told)
        case "minute":
            said = ngettext("%(num)s minute", "%(num)s minutes", number, num=told)
        case "hour":
            said = ngettext("%(num)s hour", "%(num)s hours", number, num=told)
        case "day":
            said = ngettext("%(num)s day", "%(num)s days", number, num=told)
        case "week":
            said = ngettext("%(num)s week", "%(num)s weeks", number, num=told)
        case "month":
            said = ngettext("%(num)s month", "%(num)s months", number, num=told)
        case "year":
            said = ngettext("%(num)s year", "%(num)s years", number, num=told)
        case "dose":
            said = ngettext("%(num)s dose", "%(num)s doses", number, num=told)
        case _:
            said = f"{told} {unit}"
    return said
