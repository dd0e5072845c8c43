"""The medicines of a file as answers that a person goes through one by one."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from pillweb.base.clean import clean_text
from pillweb.base.i18n import gettext as _
from pillweb.medications.rules import ORDINARY
from pillweb.schedules.rules.draft import Answers, Part, Question, answers_of
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import Element, objects_in
from pillweb.schedules.rules.fhir.facts import medicine_facts
from pillweb.schedules.rules.fhir.joined import joined
from pillweb.schedules.rules.fhir.known import Known, known_of
from pillweb.schedules.rules.fhir.medicine import standing_of
from pillweb.schedules.rules.fhir.reader import (
    DOSAGES,
    ReadEntry,
    Reading,
    effective,
    read_entries,
)
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.offered_class import offered_class

MOST_MEDICINES = 200
_BROKEN = (ValueError, ArithmeticError, TypeError, AttributeError, LookupError)
_LONGEST_TEXT = 2000
# Asked by a tick of its own before the plan starts.
_TICKED = {"status"}
# What does not keep parts that follow each other from being steps.
_IN_STEPS = {"times", "start_date", "text"}


class Imported(NamedTuple):
    """One medicine of a file: its answers, and the text by which it is known again."""

    answers: Answers
    content: str


class ReadFile(NamedTuple):
    """What a file holds; `says_none` where it says that no medicine is taken."""

    readings: tuple[Reading, ...]
    medicines: tuple[Imported, ...]
    says_none: bool


def read_file(text: str, today: date, zone: str) -> ReadFile:
    """Return the medicines of a FHIR file for a patient in a zone, one per resource.

    Raises:
        ValueError: the file is no FHIR that we read; a sentence says why.
    """
    entries = read_entries(text, today, zone)
    taken = [entry for entry in entries if entry.readings]
    if len(taken) > MOST_MEDICINES:
        raise ValueError(
            _("The file holds more than %(most)s medicines.", most=MOST_MEDICINES)
        )
    return ReadFile(
        tuple(one for entry in taken for one in entry.readings),
        tuple(_imported(entry) for entry in taken),
        says_none=bool(entries) and not taken,
    )


def _imported(entry: ReadEntry) -> Imported:
    known = _known(entry)
    unit = _unit_in(known)
    facts = {"name": clean_text(entry.readings[0].medication)}
    with suppress(*_BROKEN):  # what cannot be read is asked about, not lost
        facts = medicine_facts(entry.resource, entry.resolve, unit)
    standing = _standing(entry.resource)
    told = [reason for one in entry.readings for reason in one.reasons]
    reasons = dict.fromkeys(
        clean_text(one) for one in told if one and one not in standing
    )
    answers = replace(
        _answers(entry.readings, known, facts),
        reasons=tuple(reasons),
        standing=standing,
    )
    if not answers.open and not facts.get("form"):
        answers = replace(answers, open=("medicine",))
    elif not answers.open and offered_class(facts["name"]) != ORDINARY:
        answers = replace(answers, open=("more",))
    return Imported(answers, _content(entry.resource, facts))


def _content(resource: Element, facts: dict[str, str]) -> str:
    try:
        told = json.dumps(
            [resource, facts], sort_keys=True, default=str, ensure_ascii=False
        )
        told.encode()
    except UnicodeEncodeError:
        raise ValueError(_("The file holds characters that nobody can read.")) from None
    return told


def _standing(resource: Element) -> str:
    """Return why the file does not count it as taken now, nothing where it does."""
    doubts = Doubts()
    found = standing_of(resource, doubts)
    return "" if found.is_taken else found.sentence or " ".join(doubts.reasons)


def _known(entry: ReadEntry) -> tuple[Known, ...]:
    """Return what each reading's dosage says for certain, its line where it has one."""
    resource, doubts = entry.resource, Doubts()
    dosages: Sequence[Element] = ()
    setting = entry.setting
    with suppress(*_BROKEN):
        dosages = objects_in(
            resource, DOSAGES[str(resource["resourceType"])], doubts, ""
        )
        setting = effective(resource, setting, doubts)
    found = []
    for place, reading in enumerate(entry.readings):
        one = Known({})
        with suppress(*_BROKEN):
            one = known_of(dosages[place], setting)
        found.append(_completed(one, reading, setting.today))
    return tuple(found)


def _completed(known: Known, reading: Reading, today: date) -> Known:
    """Return the line where there is one; else a start, where none has to be told."""
    if reading.line is not None:
        return Known(dict(line_to_json(reading.line)))
    daily = known.line.get("kind") in ("clock", "prn")
    if daily and "start_date" not in (*reading.missing, *known.line):
        line = {"start_date": today.isoformat(), **known.line}
        return known._replace(line=line)
    return known


def _unit_in(known: Sequence[Known]) -> str:
    """Return the one unit of every dose, nothing where they have several."""
    units = {str(one.line.get("dose", "")).rpartition(" ")[2] for one in known}
    return units.pop() if len(units) == 1 else ""


def _answers(
    readings: Sequence[Reading], known: Sequence[Known], facts: dict[str, str]
) -> Answers:
    missing = [_asked(one, more) for one, more in zip(readings, known, strict=True)]
    texts = [_text([one], [more]) for one, more in zip(readings, known, strict=True)]
    together = _text(readings, known)
    lines = [one.line for one in readings if one.line is not None]
    if len(lines) == len(readings):
        if len(whole := joined(lines)) < len(lines):
            missing = [set().union(*missing)] * len(whole)
            texts = [together] * len(whole)
        told = [line_to_json(line) for line in whole]
        return answers_of(told, facts, missing=missing, texts=texts)
    everything: set[str] = set().union(*missing)
    if everything <= _IN_STEPS and (steps := _steps(readings, known)):
        asked: tuple[Question, ...] = ("steps", "text")
        part = Part("steps", steps, asked, together)
        return replace(answers_of([], facts), parts=(part,))
    return answers_of(
        [one.line or None for one in known], facts, missing=missing, texts=texts
    )


def _asked(reading: Reading, known: Known) -> set[str]:
    """Return what to ask: codes that are no line are compared with the plan at last."""
    compared = {"text"} if known.words else set()
    return {*reading.missing, *known.missing, *compared} - _TICKED


def _steps(readings: Sequence[Reading], known: Sequence[Known]) -> dict[str, Any]:
    """Return daily parts that follow each other as steps to be timed, else nothing."""
    orders = [one.order for one in readings]
    in_order = len(known) > 1 and orders == sorted(set(orders))
    plain = all(
        set(one.line) <= {"kind", "dose", "start_date", "end_date"}
        and {"kind", "dose"} <= set(one.line)
        and one.line["kind"] == "clock"
        for one in known
    )
    if not (in_order and plain and all(one.length for one in known[:-1])):
        return {}
    steps = [
        {"days": one.length, "times": [{"dose": one.line["dose"]}]} for one in known
    ]
    start = known[0].line.get("start_date")
    return {"steps": steps, **({"start_date": start} if start else {})}


def _text(readings: Sequence[Reading], known: Sequence[Known]) -> str:
    """Return what was written, and what the codes say where they are not a line."""
    told = dict.fromkeys(text for one in readings for text in one.texts)
    codes = "; ".join(one.words for one in known if one.words)
    said = [*told, _("The codes say: %(codes)s.", codes=codes) if codes else ""]
    text: str = clean_text(" ".join(one for one in said if one))
    return text[:_LONGEST_TEXT]
