"""What `pillweb.json` holds: each kind of rows, field by field.

One declaration writes it, reads it, and is its JSON Schema (docs/export.md). A change
of what a row says is a new VERSION; `read_file` goes on reading the versions before.
"""

import json
from collections.abc import Mapping

from pillweb.accounts.rules import SENTENCES, WAYS
from pillweb.doses.rules.days import (
    CANCELLED,
    HELD,
    NOT_TAKEN,
    OPEN,
    PART,
    SKIPPED,
    TAKEN,
)
from pillweb.medications.rules import FORMS
from pillweb.reminders.rules.ladder import read_ladder, write_ladder
from pillweb.schedules.rules.line_json import line_from_json, meals_from_json
from pillweb.schedules.rules.line_text import line_to_json, meals_to_json
from pillweb.supply.rules.ledger import (
    GONE,
    NOT_COUNTED,
    RECEIVED,
    RECOUNT,
    TAKEN_BACK,
)
from pillweb.transfers.rules import fields
from pillweb.transfers.rules.fields import Field, NotOursError

NAME, VERSION = "pillweb", 1
STATES = (OPEN, TAKEN, PART, SKIPPED, NOT_TAKEN, HELD, CANCELLED)
CLASSES = ("ordinary", "high_alert", "time_critical")
CROPS = ("whole", "middle", "closer")
A_LIFE_MIN = 366 * 24 * 60
MOST_UNITS = 10**12
MOST_SEQUENCE = 10**6
MOST_WORDS = 1000


def _line(value: object) -> object:
    if not isinstance(value, dict):
        raise NotOursError("expected a rule")
    return line_to_json(line_from_json(value))


def _meals(value: object) -> object:
    return meals_to_json(meals_from_json(value))


def _ladder(value: object) -> object:
    found = read_ladder(value)
    if found is None:
        raise NotOursError("expected who is told when")
    return write_ladder(found)


def _unwanted(value: object) -> object:
    """Return which channels are not wanted for which messages."""
    if not isinstance(value, dict) or not all(
        isinstance(some, list) and all(isinstance(one, str) for one in some)
        for some in value.values()
    ):
        raise NotOursError("expected lists of channels")
    return value


def _is_flat(value: object) -> bool:
    return isinstance(value, dict) and not any(
        isinstance(one, dict | list) for one in value.values()
    )


def _entries(name: str) -> Field:
    """Return a field whose column keeps a JSON list of objects as text."""

    def read(value: object) -> str:
        if not isinstance(value, list) or not all(map(_is_flat, value)):
            raise NotOursError("expected a list of plain objects")
        return json.dumps(value, ensure_ascii=False, default=str)

    found = fields.thing(name, read, may_lack=True)
    return Field(found.name, name, json.loads, found.read, {"type": "array"}, True)


PATIENT = (
    fields.named("name"),
    fields.zone("zone"),
    fields.instant("created_at"),
    fields.year("born"),
    fields.language("language"),
    fields.thing("meals", _meals, may_lack=True),
)
WISHES = (
    fields.thing("unwanted", _unwanted),
    fields.clock("quiet_from", may_be_empty=True),
    fields.clock("quiet_until", may_be_empty=True),
    fields.yes("urgent_passes"),
    fields.yes("shows_names"),
)
HORIZON = (
    fields.text("tzdata_version", 12),
    fields.instant("planned_at"),
    fields.instant("planned_until"),
    fields.yes("is_current"),
)
# In this order: a row names only rows of kinds before its own, or earlier ones of it.
ROWS: Mapping[str, tuple[Field, ...]] = {
    "zone_changes": (
        fields.instant("at"),
        fields.zone("zone"),
        fields.zone("before"),
        fields.yes("is_travel"),
        fields.person("said_by", "account_id"),
        fields.instant("created_at"),
    ),
    "consents": (
        fields.choice("about", SENTENCES),
        fields.word("version", 10),
        fields.choice("how", WAYS),
        fields.text("note", may_lack=True),
        fields.person("said_by", "account_id"),
        fields.instant("given_at"),
    ),
    "medicines": (
        fields.named("name"),
        fields.text("strength", fields.LONGEST_NAME),
        fields.choice("form", FORMS),
        fields.text("reason"),
        fields.text("instruction"),
        fields.choice("category", CLASSES),
        _entries("codes"),
        _entries("ingredients"),
        fields.text("missed_text", may_lack=True),
        fields.text("looks", may_lack=True),
        fields.thing("ladder", _ladder, may_lack=True),
        fields.instant("created_at"),
        fields.instant("stopped_at", may_lack=True),
    ),
    "pictures": (
        fields.names("medicine", "medication_id", "medicines"),
        fields.choice("crop", CROPS),
        fields.instant("made_at"),
    ),
    "plans": (
        fields.names("medicine", "medication_id", "medicines"),
        fields.whole("version", 1, MOST_SEQUENCE),
        fields.instant("valid_from"),
        fields.instant("valid_to", may_lack=True),
        fields.names("replaces", "replaces_id", "plans", may_lack=True),
        fields.person("said_by", "author_id"),
        fields.text("reason"),
        fields.choice("source", ("patient", "prescription", "import")),
        fields.yes("urgent"),
        fields.instant("created_at"),
        fields.person("ended_by", "ended_by_id"),
        fields.text("end_reason", may_lack=True),
    ),
    "lines": (
        fields.names("plan", "plan_id", "plans"),
        fields.names("origin", "origin_id", "lines", may_lack=True),
        fields.whole("sequence", 0, MOST_SEQUENCE),
        fields.thing("rule", _line),
    ),
    "doses": (
        fields.names("medicine", "medication_id", "medicines"),
        fields.names("line", "line_id", "lines"),
        fields.names("plan", "plan_id", "plans"),
        fields.day("nominal_date"),
        fields.whole("slot", 0, MOST_SEQUENCE),
        fields.whole("zone_epoch", 0, MOST_SEQUENCE),
        fields.instant("due_at"),
        fields.clock("local_label"),
        fields.zone("zone"),
        fields.text("tzdata_version", 12),
        fields.number("amount", may_lack=True),
        fields.text("dose_text", fields.LONGEST_NAME, may_lack=True),
        fields.text("action", fields.LONGEST_NAME, may_lack=True),
        fields.whole("window_min", 0, A_LIFE_MIN),
        fields.instant("missed_at"),
        fields.choice("state", STATES),
        fields.instant("recorded_at", may_lack=True),
        fields.instant("taken_at", may_lack=True),
        fields.number("taken_amount", may_lack=True),
        fields.word("skip_reason", 20, may_lack=True),
        fields.yes("system_fault"),
    ),
    "events": (
        fields.names("dose", "dose_id", "doses"),
        fields.choice("what", (TAKEN, PART, SKIPPED, NOT_TAKEN, "undone", "note")),
        fields.number("amount", may_lack=True),
        fields.instant("at"),
        fields.instant("entered_at"),
        fields.person("said_by", "account_id"),
        fields.word("channel", 12),
        fields.word("reason", 20, may_lack=True),
        fields.text("note", may_lack=True),
    ),
    "intakes": (
        fields.names("medicine", "medication_id", "medicines"),
        fields.names("line", "line_id", "lines", may_lack=True),
        fields.names("dose", "dose_id", "doses", may_lack=True),
        fields.instant("taken_at"),
        fields.number("amount", may_lack=True),
        fields.text("dose_text", fields.LONGEST_NAME, may_lack=True),
        fields.yes("was_asked"),
        fields.text("why", may_lack=True),
        fields.instant("entered_at"),
        fields.person("said_by", "account_id"),
        fields.word("channel", 12),
        fields.instant("undone_at", may_lack=True),
        fields.person("undone_by", "undone_by_id"),
    ),
    "stocks": (
        fields.names("medicine", "medication_id", "medicines"),
        fields.instant("since"),
        fields.names("after_event", "after_event_id", "events", may_lack=True),
        fields.names("after_intake", "after_intake_id", "intakes", may_lack=True),
        fields.number("pack_size", may_lack=True),
        fields.whole("repeats_left", 0, MOST_SEQUENCE, may_lack=True),
        fields.whole("lead_days", 0, 366),
        fields.person("fetched_by", "fetcher_id"),
    ),
    "supply": (
        fields.names("medicine", "medication_id", "medicines"),
        fields.whole("numerator", -MOST_UNITS, MOST_UNITS),
        fields.whole("denominator", 1, MOST_UNITS),
        fields.choice(
            "cause", (RECEIVED, TAKEN, TAKEN_BACK, NOT_COUNTED, RECOUNT, *GONE)
        ),
        fields.names("event", "dose_event_id", "events", may_lack=True),
        fields.names("intake", "intake_id", "intakes", may_lack=True),
        fields.instant("at"),
        fields.instant("entered_at"),
        fields.person("said_by", "account_id"),
        fields.text("note", may_lack=True),
    ),
}
# So many at most, where much work follows from each.
MOST: Mapping[str, int] = {
    "zone_changes": 5000,
    "consents": 5000,
    "medicines": 1000,
    "pictures": 500,
    "plans": 20_000,
    "lines": 40_000,
}
# What no two rows of a kind have alike; where nothing is said, nothing is alike.
ALONE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "zone_changes": (("at",),),
    "pictures": (("medication_id",),),
    "plans": (("medication_id", "version"),),
    "doses": (("line_id", "zone_epoch", "nominal_date", "slot"),),
    "stocks": (("medication_id",),),
    "supply": (("dose_event_id",), ("intake_id", "cause")),
}
# The record of who looked and who changed, in words; a list, and no chain any more.
RECORD = (fields.instant("at"), fields.text("words", MOST_WORDS))
# Kinds whose rows are named by the row they belong to, and have no number of their own.
UNNUMBERED = frozenset({"zone_changes", "consents", "pictures", "stocks"})


def schema() -> dict[str, object]:
    """Return the JSON Schema of `pillweb.json`."""
    kinds = {
        kind: {"type": "array", "items": _object(row, numbered=kind not in UNNUMBERED)}
        for kind, row in ROWS.items()
    }
    singles = {
        "format": {"const": NAME},
        "version": {"const": VERSION},
        "made_at": {"type": "string", "format": "date-time"},
        "patient": _object(PATIENT),
        "wishes": {"anyOf": [_object(WISHES), {"type": "null"}]},
        "horizon": {"anyOf": [_object(HORIZON), {"type": "null"}]},
    }
    record = {"type": "array", "items": _object(RECORD)}
    whole = {**singles, **kinds, "record": record}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everything of one patient, as PillWeb gives it out",
        "type": "object",
        "required": list(whole),
        "properties": whole,
        "additionalProperties": False,
    }


def _object(row: tuple[Field, ...], *, numbered: bool = False) -> dict[str, object]:
    told: dict[str, object] = {"id": {"type": "integer"}} if numbered else {}
    for one in row:
        own = dict(one.schema)
        told[one.name] = {"anyOf": [own, {"type": "null"}]} if one.may_lack else own
    return {
        "type": "object",
        "required": list(told),
        "properties": told,
        "additionalProperties": False,
    }
