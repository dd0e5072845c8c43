"""Tables for a spreadsheet, in which no cell is ever a formula.

A spreadsheet runs what begins with = + - @, and some what begins with a tab or a line
end (OWASP, CSV Injection): an apostrophe before it makes it words.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from io import StringIO

BOM = "\ufeff"
# With their full-width twins, which some programs read alike.
FORMULA = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")


def csv_cell(value: object) -> str:
    """Return what a cell says; our own numbers may be below nought, words not.

    >>> csv_cell("=1+1"), csv_cell(-3), csv_cell(None), csv_cell(True)
    ("'=1+1", '-3', '', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Fraction):
        # A spreadsheet reads 1/2 as a day in January.
        value = float(value)
    if isinstance(value, list | Mapping):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if not isinstance(value, str):
        return str(value)
    words = value.replace("\0", "")
    return f"'{words}" if words.startswith(FORMULA) else words


def csv_line(values: Iterable[object]) -> str:
    """Return one row, every cell quoted."""
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(map(csv_cell, values))
    return line.getvalue()


def csv_lines(
    columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> Iterable[str]:
    """Yield a table: its columns, then its rows; spreadsheets see that it is UTF-8."""
    yield BOM + csv_line(columns)
    for row in rows:
        yield csv_line(row.get(name) for name in columns)
