"""`pillweb.json` read from outside: whole and sound, or not at all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pillweb.doses.rules.days import CANCELLED, RECORDED
from pillweb.schedules.rules.strict_json import read_json
from pillweb.transfers.rules.archive import MEGABYTE, open_archive, read_entry
from pillweb.transfers.rules.fields import Field, NotOursError, instant
from pillweb.transfers.rules.rows import (
    ALONE,
    HORIZON,
    MOST,
    NAME,
    PATIENT,
    RECORD,
    ROWS,
    UNNUMBERED,
    VERSION,
    WISHES,
)

FILE = "pillweb.json"
MOST_JSON = 100 * MEGABYTE
# Counted before they are read: an empty list takes 2 letters there, and 60 bytes here.
MOST_THINGS, MOST_VALUES = 2_000_000, 12_000_000
MOST_PICTURE = 10 * MEGABYTE
NO_NUMBER = 0
# Where the photo of the patient stands, and by what it is known among the pictures.
PORTRAIT, PERSON = "pictures/patient.jpg", -1

Values = dict[str, Any]


class NewerFileError(ValueError):
    """The file was made by a PillWeb that says more than this one can read."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a file says of a patient: values by column, and numbers of the file.

    `rows` are (number, values) of each kind; a value that names a row is its number.
    `pictures` are the photos by the number of their medicine, the patient's as PERSON.
    """

    made_at: datetime
    patient: Values
    wishes: Values | None
    horizon: Values | None
    rows: Mapping[str, Sequence[tuple[int, Values]]]
    record: Sequence[Values]
    pictures: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def medicines(self) -> int:
        """How many medicines there are."""
        return len(self.rows["medicines"])

    @property
    def days(self) -> int:
        """How many days have something recorded."""
        said = {
            values["nominal_date"]
            for _, values in self.rows["doses"]
            if values["state"] in RECORDED
        }
        return len(said | {v["taken_at"].date() for _, v in self.rows["intakes"]})


def picture_file(number: int) -> str:
    """Return where the photo of a medicine stands in the file."""
    return f"pictures/{number}.jpg"


def read_archive(raw: bytes) -> Brought:
    """Return what a whole file says, its pictures as they are in it.

    Raises:
        ValueError: it is not one of ours, damaged, or contradicts itself.
        NewerFileError: a newer PillWeb made it.
    """
    archive = open_archive(raw)
    told = read_entry(archive, FILE, most=MOST_JSON).decode()
    if sum(map(told.count, "[{")) > MOST_THINGS or told.count(",") > MOST_VALUES:
        raise NotOursError("more things in it than such a file has")
    found = read_file(read_json(told, longest=MOST_JSON))
    numbers = [values["medication_id"] for _, values in found.rows["pictures"]]
    photos = {
        number: read_entry(archive, picture_file(number), most=MOST_PICTURE)
        for number in numbers
    }
    if PORTRAIT in archive.names:
        photos[PERSON] = read_entry(archive, PORTRAIT, most=MOST_PICTURE)
    return replace(found, pictures=photos)


def read_file(told: object) -> Brought:
    """Return what a file says, every value of it looked at.

    Raises:
        NotOursError: something is missing, unknown, or cannot be; it says where.
        NewerFileError: a newer PillWeb made it.
    """
    if not isinstance(told, dict) or told.get("format") != NAME:
        raise NotOursError("not a file of PillWeb")
    version = told.get("version")
    if type(version) is int and version > VERSION:
        raise NewerFileError
    known = {"format", "version", "made_at", "patient", "wishes", "horizon", "record"}
    if version != VERSION or told.keys() != known | ROWS.keys():
        raise NotOursError("something is missing, or nobody knows what it is")
    rows: dict[str, Sequence[tuple[int, Values]]] = {}
    for kind in ROWS:
        rows[kind] = _rows(kind, told[kind], rows)
    return Brought(
        made_at=_value(instant("made_at"), told["made_at"]),
        patient=_values("patient", PATIENT, told["patient"]),
        wishes=_maybe("wishes", WISHES, told["wishes"]),
        horizon=_maybe("horizon", HORIZON, told["horizon"]),
        rows=rows,
        record=[_values("record", RECORD, one) for one in _list(told["record"])],
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise NotOursError("expected a list")
    return value


def _maybe(name: str, row: Sequence[Field], value: object) -> Values | None:
    return None if value is None else _values(name, row, value)


def _value(one: Field, value: object) -> Any:  # noqa: ANN401 - of any type
    if value is None and one.may_lack:
        return None
    try:
        return one.read(value)
    except (ValueError, RecursionError) as problem:
        raise NotOursError(f"{one.name}: {problem}") from problem


def _values(name: str, row: Sequence[Field], value: object) -> Values:
    if not isinstance(value, dict) or value.keys() != {one.name for one in row}:
        raise NotOursError(f"{name}: something is missing, or nobody knows what it is")
    return {one.column: _value(one, value[one.name]) for one in row}


def _rows(
    kind: str, told: object, before: Mapping[str, Sequence[tuple[int, Values]]]
) -> Sequence[tuple[int, Values]]:
    known = {of: {number for number, _ in some} for of, some in before.items()}
    mine = known.setdefault(kind, set())
    found, last = [], -1
    given_rows = _list(told)
    if len(given_rows) > MOST.get(kind, len(given_rows)):
        raise NotOursError(f"{kind}: more than anybody has")
    for given in given_rows:
        number = NO_NUMBER
        if kind not in UNNUMBERED:
            number = given.pop("id", None) if isinstance(given, dict) else None  # type: ignore[assignment]
            if type(number) is not int or not last < number < 10**18:
                raise NotOursError(f"{kind}: rows are numbered upwards")
            last = number
        values = _values(kind, ROWS[kind], given)
        _check_names(kind, values, known)
        _check_dose(values) if kind == "doses" else None
        mine.add(number)
        found.append((number, values))
    _check_alone(kind, [values for _, values in found])
    return found


def _check_names(
    kind: str, values: Values, known: Mapping[str, Collection[int]]
) -> None:
    for one in ROWS[kind]:
        named = values[one.column]
        if one.of and named is not None and named not in known[one.of]:
            raise NotOursError(f"{kind}: {one.name} names nothing before it")


def _check_dose(values: Values) -> None:
    is_recorded = values["state"] in RECORDED
    if values["missed_at"] < values["due_at"] or (
        is_recorded and values["recorded_at"] is None
    ):
        raise NotOursError("doses: one contradicts itself")


def _check_alone(kind: str, rows: Sequence[Values]) -> None:
    for columns in ALONE.get(kind, ()):
        told = [tuple(values[one] for one in columns) for values in rows]
        told = [one for one in told if None not in one]
        if len(set(told)) < len(told):
            raise NotOursError(f"{kind}: two rows are one")
    if kind == "doses":
        standing = [
            (values["line_id"], values["due_at"])
            for values in rows
            if values["state"] != CANCELLED
        ]
        if len(set(standing)) < len(standing):
            raise NotOursError("doses: two stand at one time")
