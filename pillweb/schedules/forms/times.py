"""At which times of a day a medicine is taken, and how much at each."""

from typing import Any

from wtforms import Field, RadioField, SelectField, SelectMultipleField

from pillweb.base.i18n import gettext, ngettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.words import number_words
from pillweb.schedules.forms.days_of_week import weekday_choices
from pillweb.schedules.forms.reading import read_time, typed_field
from pillweb.schedules.forms.rows import Read, Row, RowsForm
from pillweb.schedules.rules.draft import Json, Part
from pillweb.schedules.rules.line import MEALS, WEEKDAYS
from pillweb.web.forms import choices, said

MEAL_NAMES = {
    "wake": _("Getting up"),
    "breakfast": _("Breakfast"),
    "lunch": _("Lunch"),
    "dinner": _("Dinner"),
    "bedtime": _("Bedtime"),
}
OFFSETS = (-120, -60, -45, -30, -15, -10, -5, 0, 5, 10, 15, 30, 45, 60, 120)
ACTIONS = (("", _("Take it")), ("apply", _("Put it on")), ("remove", _("Take it off")))
PARITIES = (
    ("", _("Every one of the days")),
    ("0", _("The first of every 2 days")),
    ("1", _("The second of every 2 days")),
)
PARITY_OF = {"odd": 0, "even": 1}
EVERY_DAY, OTHER_DAYS = "every", "other"


class TimesForm(RowsForm):
    """At which times of a day, and how much at each."""

    columns = (
        "at",
        "meal",
        "offset",
        "amount",
        "action",
        "weekdays",
        "parity",
        "day_offset",
    )
    span = RadioField(
        _("On which days?"),
        choices=choices(
            (EVERY_DAY, _("Every day from today, until it is stopped")),
            (OTHER_DAYS, _("Other days, or with a first or last day")),
        ),
        default=EVERY_DAY,
    )

    @classmethod
    def fields_of(cls, number: int, row: Row, read: Read) -> dict[str, Field]:
        """Return the fields of one time of the day."""
        offsets = sorted({*OFFSETS, int(row.get("offset") or 0)})
        shifts = sorted({0, 1, int(row.get("day_offset") or 0)})
        actions = dict(ACTIONS)
        if row.get("action"):
            actions.setdefault(row["action"], row["action"].capitalize())
        which = number_words(number + 1)
        return {
            "at": typed_field(_("Time"), read_time),
            "meal": SelectField(
                _("When"),
                choices=choices(*MEAL_NAMES.items(), ("", _("At a clock time"))),
                default="",
            ),
            "offset": SelectField(
                gettext("Before or after the meal, time %(number)s", number=which),
                choices=choices(*((str(one), _offset_words(one)) for one in offsets)),
                default="0",
            ),
            "amount": typed_field(_("How much"), read),
            "action": SelectField(
                gettext("What is done, time %(number)s", number=which),
                choices=choices(*actions.items()),
                default="",
            ),
            "weekdays": SelectMultipleField(
                gettext("Only on some days of the week, time %(number)s", number=which),
                choices=weekday_choices,
            ),
            "parity": SelectField(
                gettext("On alternating days, time %(number)s", number=which),
                choices=choices(*PARITIES),
                default="",
            ),
            "day_offset": SelectField(
                gettext("The clock time is, time %(number)s", number=which),
                choices=choices(*((str(one), _day_words(one)) for one in shifts)),
                default="0",
            ),
        }

    def refuse_all(self) -> bool:
        """Want at least one time, an amount at each, and no two at once."""
        found = self._used()
        if not found:
            first = self.rows[0]
            meal = first["meal"].data
            sentence = (
                gettext("Write how much at one meal.")
                if meal
                else gettext("Write a time.")
            )
            self.refuse(first["amount"] if meal else first["at"], sentence)
            return False
        if not said(found[0]["amount"]):
            self.refuse(found[0]["amount"], gettext("Write how much is taken."))
        for place, row in enumerate(found):
            if not row["meal"].data and not said(row["at"]):
                self.refuse(row["at"], gettext("Write the time, or empty the amount."))
            if any(_clash(row, other) for other in found[:place]):
                self.refuse(
                    row["meal"] if row["meal"].data else row["at"],
                    gettext("This time is there already."),
                )
        return not any(field.errors for row in found for field in row.values())

    def _used(self) -> list[dict[str, Any]]:
        return [
            row
            for row in self.rows
            if said(row["amount"]) or (not row["meal"].data and said(row["at"]))
        ]

    def answer(self, part: Part) -> Json:
        """Return the part's line with the times that were typed."""
        times, amount = [], ""
        for row in self._used():
            typed = said(row["amount"])
            amount = self.read(typed) if typed else amount
            times.append(_entry(row, amount, part.line))
        times.sort(key=_order)
        return {**part.line, "times": times}


def _offset_words(minutes: int) -> str:
    if not minutes:
        return gettext("With it, or at that time")
    minutes, is_before = abs(minutes), minutes < 0
    if minutes % 60:
        if is_before:
            return ngettext("%(num)s minute before", "%(num)s minutes before", minutes)
        return ngettext("%(num)s minute after", "%(num)s minutes after", minutes)
    hours = minutes // 60
    if is_before:
        return ngettext("%(num)s hour before", "%(num)s hours before", hours)
    return ngettext("%(num)s hour after", "%(num)s hours after", hours)


def _day_words(shift: int) -> str:
    if shift in (0, 1):
        return (
            gettext("After midnight, on the next date")
            if shift
            else gettext("On the day itself")
        )
    if shift > 0:
        return ngettext("%(num)s day later", "%(num)s days later", shift)
    return ngettext("%(num)s day earlier", "%(num)s days earlier", -shift)


def _wall(row: dict[str, Any]) -> tuple[object, ...]:
    if row["meal"].data:
        return row["meal"].data, row["offset"].data or "0"
    return read_time(said(row["at"])), row["day_offset"].data


def _clash(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether two rows ask for something at one moment of one day."""
    if row["at"].errors or other["at"].errors:
        return False
    if not all(one["meal"].data or said(one["at"]) for one in (row, other)):
        return False
    days = [set(one["weekdays"].data or WEEKDAYS) for one in (row, other)]
    parities = {one["parity"].data or "" for one in (row, other)}
    apart = not days[0] & days[1] or parities == {"0", "1"}
    return _wall(row) == _wall(other) and not apart


def _entry(row: dict[str, Any], amount: str, line: Json) -> Json:
    """Return one time as JSON: only what differs from the line it stands in."""
    entry: Json = {}
    if row["meal"].data:
        entry["meal"] = row["meal"].data
        if offset := int(row["offset"].data or 0):
            entry["offset_min"] = offset
    else:
        entry["at"] = f"{read_time(said(row['at'])):%H:%M}"
    if amount != line.get("dose"):
        entry["dose"] = amount
    if row["action"].data and row["action"].data != line.get("action"):
        entry["action"] = row["action"].data
    if 0 < len(row["weekdays"].data or ()) < len(WEEKDAYS):
        entry["weekdays"] = row["weekdays"].data
    if row["parity"].data:
        entry["day_parity"] = int(row["parity"].data)
    if shift := int(row["day_offset"].data):
        entry["day_offset"] = shift
    return entry


def _order(entry: Json) -> tuple[object, ...]:
    meal = entry.get("meal")
    place = MEALS.index(meal) if meal else -1
    return place, entry.get("day_offset", 0), entry.get("at", "")


def row_of(entry: Any, line: Json) -> Row:  # noqa: ANN401 - a time is text or an object
    """Return the row that shows one time of a line's JSON."""
    entry = {"at": entry} if isinstance(entry, str) else entry
    parity = entry.get("day_parity")
    return {
        "at": entry.get("at", ""),
        "meal": entry.get("meal", ""),
        "offset": str(entry.get("offset_min", 0)),
        "amount": entry.get("dose") or line.get("dose", ""),
        "action": entry.get("action") or line.get("action", ""),
        "weekdays": entry.get("weekdays", []),
        "parity": ""
        if parity is None
        else str({"odd": 0, "even": 1}.get(parity, parity)),
        "day_offset": str(entry.get("day_offset", 0)),
    }
