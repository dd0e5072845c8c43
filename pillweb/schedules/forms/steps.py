"""A plan that changes step by step: a taper or a titration."""

from typing import Any

from wtforms import Field, HiddenField

from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.schedules.forms.reading import (
    read_times,
    read_whole,
    typed_field,
)
from pillweb.schedules.forms.rows import Read, Row, RowsForm
from pillweb.schedules.forms.times import row_of
from pillweb.schedules.rules.draft import Json, Part
from pillweb.web.forms import day_field, said

LONGEST_STEP = 3660


class StepsForm(RowsForm):
    """A plan that changes step by step: how much, for how many days, and when."""

    columns = ("amount", "days", "at", "keep")
    start_on = day_field(_("First day"), missing=_("Choose the first day."))

    @classmethod
    def fields_of(cls, number: int, row: Row, read: Read) -> dict[str, Field]:
        """Return the fields of one step; one too rich for them is kept as it is."""
        del number, row  # every step has the same
        return {
            "amount": typed_field(_("How much"), read),
            "days": typed_field(
                _("For how many days"),
                lambda text: read_whole(text, 1, LONGEST_STEP),
                inputmode="numeric",
            ),
            "at": typed_field(_("At what times"), read_times),
            "keep": HiddenField(),
        }

    def _used(self) -> list[dict[str, Any]]:
        names = ("amount", "days", "at", "keep")
        return [row for row in self.rows if any(said(row[one]) for one in names)]

    def refuse_all(self) -> bool:
        """Want steps, an amount and a length for each, and times from the first on."""
        found = self._used()
        if not found:
            self.refuse(self.rows[0]["amount"], gettext("Write the first step."))
            return False
        has_times = False
        for place, row in enumerate(found):
            if not said(row["days"]) and place < len(found) - 1:
                self.refuse(
                    row["days"],
                    gettext("Write how many days. Only the last step may go on."),
                )
            if said(row["keep"]):
                continue
            if not said(row["amount"]):
                self.refuse(
                    row["amount"], gettext("Write how much is taken in this step.")
                )
            has_times = has_times or bool(said(row["at"]))
            if not has_times:
                self.refuse(row["at"], gettext("Write at what times, such as 8am."))
        return not any(field.errors for row in found for field in row.values())

    def answer(self, part: Part) -> Json:
        """Return the part's line with the steps that were typed."""
        earlier = part.line.get("steps", [])
        steps, clocks = [], ""
        for row in self._used():
            days = said(row["days"])
            keep = said(row["keep"])
            clocks = said(row["at"]) or clocks
            if keep.isdecimal() and int(keep) < len(earlier):
                times = earlier[int(keep)]["times"]
            else:
                amount = self.read(said(row["amount"]))
                own = {} if amount == part.line.get("dose") else {"dose": amount}
                times = [{"at": f"{at:%H:%M}", **own} for at in read_times(clocks)]
            length = read_whole(days, 1, LONGEST_STEP) if days else None
            steps.append({"days": length, "times": times})
        start = self.start_on.data
        return {**part.line, "steps": steps, "start_date": f"{start:%Y-%m-%d}"}


def step_row(step: Json, place: int, line: Json) -> Row:
    """Return the row that shows one step of a line's JSON."""
    rows = [row_of(entry, line) for entry in step["times"]]
    days = {"days": "" if step.get("days") is None else str(step["days"])}
    amounts = {row["amount"] for row in rows}
    plain = row_of({"at": "", "dose": next(iter(amounts))}, {})
    clocks = [row["at"] for row in rows if row["at"]]
    is_plain = len(amounts) == 1 and all({**row, "at": ""} == plain for row in rows)
    is_plain = is_plain and len(clocks) in (0, len(rows))
    if not is_plain:
        return {**days, "keep": str(place)}
    return {
        **days,
        "amount": rows[0]["amount"],
        "at": ", ".join(clocks),
    }
