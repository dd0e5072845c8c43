"""A question whose answer has as many rows as wanted."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from flask_wtf import FlaskForm
from wtforms import Field

from pillweb.web.forms import Form

MOST_ROWS = 24
Row = dict[str, Any]
Read = Callable[[str], str]


class RowsForm(Form):
    """A form whose fields are numbered: each row has one of every kind."""

    columns: tuple[str, ...] = ()
    count = 0
    read: Read = staticmethod(str)

    def __init__(
        self, data: Mapping[str, object] | None = None, *, bind: bool = True
    ) -> None:
        if bind:
            super().__init__(data)
        else:
            FlaskForm.__init__(self, formdata=None, data=data)

    @classmethod
    def fields_of(cls, number: int, row: Row, read: Read) -> dict[str, Field]:
        """Return the fields of a row by column; `read` reads an amount."""
        raise NotImplementedError

    @classmethod
    def of(
        cls, rows: Sequence[Row], read: Read, *, bind: bool = True, **more: object
    ) -> Self:
        """Return the form of these rows, or of what was posted where it binds."""
        fields, data = {}, dict(more)
        for number, row in enumerate(rows):
            for column, field in cls.fields_of(number, row, read).items():
                fields[f"{column}_{number}"] = field
                if row.get(column) is not None:
                    data[f"{column}_{number}"] = row[column]
        own = {"count": len(rows), "read": staticmethod(read)}
        made = type(cls.__name__, (cls,), {**fields, **own})
        form: Self = made(data, bind=bind)
        return form

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The fields of each row, by column."""
        return [
            {
                column: self[f"{column}_{number}"]
                for column in self.columns
                if f"{column}_{number}" in self
            }
            for number in range(self.count)
        ]

    def refuse(self, field: Any, sentence: str) -> None:  # noqa: ANN401 - any field
        """Say beside a field what is wrong with it, if nothing is said yet."""
        field.errors = list(field.errors) or [sentence]

    def refuse_all(self) -> bool:
        """Look at the rows together; say whether every one is fine."""
        raise NotImplementedError

    def validate(self, extra_validators: Any = None) -> bool:  # noqa: ANN401
        """Check every field, and then the rows together."""
        fine = bool(super().validate(extra_validators))
        return self.refuse_all() and fine


def typed_rows(
    columns: Iterable[str], posted: Mapping[str, Any], lists: Mapping[str, list[str]]
) -> list[Row]:
    """Return the rows that were posted, as they were typed."""
    numbers = [
        int(found[1])
        for name in posted
        if (found := re.fullmatch(r"amount_(\d{1,2})", name))
    ]
    count = min(max(numbers, default=-1) + 1, MOST_ROWS)
    return [
        {
            column: lists.get(f"{column}_{number}", [])
            if column == "weekdays"
            else posted.get(f"{column}_{number}")
            for column in columns
        }
        for number in range(count)
    ]
