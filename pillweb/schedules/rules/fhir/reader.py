"""Read a FHIR file into lines, each with what a person must still choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.bounds import Setting
from pillweb.schedules.rules.fhir.document import (
    KINDS,
    Entry,
    References,
    entries_of,
    holds,
    read_document,
)
from pillweb.schedules.rules.fhir.dosage import Found
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    NOTHING,
    Element,
    object_in,
    objects_in,
)
from pillweb.schedules.rules.fhir.medicine import (
    Medicine,
    Resolve,
    Standing,
    medicine_of,
    standing_of,
)
from pillweb.schedules.rules.fhir.moments import moment_in
from pillweb.schedules.rules.fhir.overlaps import meeting
from pillweb.schedules.rules.fhir.sequences import number_of, read_in_sequence
from pillweb.schedules.rules.fhir.texts import (
    beside_of,
    check_words,
    compare_texts,
    notes_of,
    tell_texts,
    texts_of,
)
from pillweb.schedules.rules.line import MEALS, Line, Meals
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.occurrences import next_after

DOSAGES = {"MedicationRequest": "dosageInstruction", "MedicationStatement": "dosage"}
_MEALS_AT_NOON = Meals(tuple((meal, time(12)) for meal in MEALS))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one Dosage gives: a line where the codes say one, and what is in doubt.

    `texts` are the words beside the codes as they were written; nothing of them is
    lost. `index` is the place of the Dosage in its resource, 0 if there is none;
    `order` its number among those that follow each other, 0 if it has none.
    """

    resource: str
    medication: str
    status: str
    index: int
    line: Line | None
    missing: tuple[str, ...]
    reasons: tuple[str, ...]
    may_start_reminders: bool
    texts: tuple[str, ...] = ()
    order: int = 0

    @property
    def needs_checking(self) -> bool:
        """Return whether a person must look before this may become a plan."""
        return bool(self.missing)

    def as_json(self) -> dict[str, object]:
        """Return the reading as it is printed."""
        return {
            "resource": self.resource,
            "medication": self.medication,
            "status": self.status,
            "dosage": self.index,
            "line": line_to_json(self.line) if self.line else None,
            "needs_checking": self.needs_checking,
            "missing": list(self.missing),
            "reason": " ".join(self.reasons),
            "may_start_reminders": self.may_start_reminders,
        }


def read_fhir(text: str, today: date, zone: str | None = None) -> list[Reading]:
    """Return a reading for each dosage of each medicine in a FHIR file.

    `today` is the day of import, from which a medicine without any start is taken;
    `zone` is the patient's time zone where it is known.

    Raises:
        ValueError: the file is no FHIR that we read; a sentence says why.
    """
    return [one for read in read_entries(text, today, zone) for one in read.readings]


class ReadEntry(NamedTuple):
    """One resource with its readings; none where it says that no medicine is taken."""

    resource: Element
    readings: tuple[Reading, ...]
    setting: Setting
    resolve: Resolve


def read_entries(text: str, today: date, zone: str | None = None) -> list[ReadEntry]:
    """Return what `read_fhir` reads, resource by resource.

    Raises:
        ValueError: the file is no FHIR that we read; a sentence says why.
    """
    entries = entries_of(read_document(text))
    references = References(entries)
    setting = Setting(today, zone)
    found = [
        (entry, _read_entry(entry, references, setting))
        for entry in entries
        if entry.resource.get("resourceType") in KINDS
    ]
    checked = iter(_with_overlaps([one for _, some in found for one in some]))
    return [
        ReadEntry(
            entry.resource,
            tuple(islice(checked, len(some))),
            setting,
            partial(references.find, entry=entry),
        )
        for entry, some in found
    ]


class _Source(NamedTuple):
    resource: Element
    name: str
    medicine: Medicine
    standing: Standing
    setting: Setting
    doubts: Doubts


def _read_entry(
    entry: Entry, references: References, setting: Setting
) -> list[Reading]:
    try:
        return _read_resource(entry, references, setting)
    except (ValueError, ArithmeticError, TypeError, AttributeError, LookupError):
        resource = entry.resource  # its neighbours must not be lost with it
        return [
            Reading(
                _name(entry),
                "",
                str(resource.get("status", "")),
                0,
                None,
                ("medication", "timing", "dose"),
                (_("We cannot read this entry."),),
                may_start_reminders=False,
            )
        ]


def _name(entry: Entry) -> str:
    number = entry.resource.get("id") or entry.address.rpartition("/")[2]
    return f"{entry.resource['resourceType']}/{number}".rstrip("/")


def _read_resource(
    entry: Entry, references: References, setting: Setting
) -> list[Reading]:
    resource = entry.resource
    medicine = medicine_of(resource, lambda name: references.find(name, entry))
    if medicine.is_none:
        return []
    doubts = Doubts()
    standing = standing_of(resource, doubts)
    _check_resource(resource, medicine, doubts)
    setting = effective(resource, setting, doubts)
    source = _Source(resource, _name(entry), medicine, standing, setting, doubts)
    key = DOSAGES[str(resource["resourceType"])]
    given = resource.get(key)
    if isinstance(given, Mapping):
        doubts.add("timing", _("%(key)s should be a list.", key=key))
        dosages: tuple[Element, ...] = (given,)
    else:
        dosages = objects_in(resource, key, doubts, "timing")
    if not dosages:
        doubts.add("timing", _("It does not say when to take it."))
        doubts.add("dose", _("It does not say how much to take."))
        return [_reading(source, 0, NOTHING, None)]
    read = read_in_sequence(dosages, setting)
    return [
        _reading(source, index, dosage, one)
        for index, (dosage, one) in enumerate(zip(dosages, read, strict=True))
    ]


def _check_resource(resource: Element, medicine: Medicine, doubts: Doubts) -> None:
    if not medicine.name:
        doubts.add("medication", _("The name of the medicine is not told."))
    if "medicationCodeableConcept" in resource and "medicationReference" in resource:
        doubts.add("medication", _("It names the medicine in two ways."))
    if "medication" in resource:
        doubts.add("medication", _("This is not FHIR R4: check every part of it."))
    if holds(resource, "modifierExtension") or "implicitRules" in resource:
        doubts.add("timing", _("It has an extension that changes its meaning."))
    other = {"dosageInstruction", "dosage"} - {DOSAGES[str(resource["resourceType"])]}
    if other & set(resource):
        doubts.add("timing", _("Its dosage does not stand where FHIR R4 has it."))


def effective(resource: Element, setting: Setting, doubts: Doubts) -> Setting:
    """Return the setting of a resource: a statement may have a period."""
    if resource.get("resourceType") != "MedicationStatement":
        return setting
    period = object_in(resource, "effectivePeriod", doubts, "start_date")
    start = moment_in(period, "start", setting.zone, doubts, "start_date")
    end = moment_in(period, "end", setting.zone, doubts, "end_date")
    at = moment_in(resource, "effectiveDateTime", setting.zone, doubts, "start_date")
    return setting._replace(start=start or at, end=end)


def _reading(
    source: _Source, index: int, dosage: Element, found: Found | None
) -> Reading:
    doubts = Doubts()
    line = _sound(found.line, doubts) if found and found.line else None
    check_words(source.resource, dosage, doubts)
    texts = (*texts_of(dosage), *notes_of(source.resource))
    doubts.take(source.doubts)
    if found:
        doubts.take(found.doubts)
        doubts.take(found.soft)
    if line:
        beside = beside_of(source.resource, dosage)
        compare_texts(texts, line, source.medicine.words, beside, doubts)
    else:
        tell_texts(texts, doubts, timed="timing" in dosage)
    over = line is not None and is_over(line, source.setting.today)
    reasons = [*doubts.reasons, source.standing.sentence]
    reasons.append(_("Its doses are over.") if over else "")
    status = source.resource.get("status")
    return Reading(
        source.name,
        source.medicine.name,
        status if isinstance(status, str) else "",
        index,
        line,
        doubts.missing,
        tuple(reason for reason in reasons if reason),
        not doubts and source.standing.is_taken and not over,
        texts,
        number_of(dosage) or 0,
    )


def _sound(line: Line, doubts: Doubts) -> Line | None:
    """Return the line, None with a doubt if our own rules refuse it."""
    try:
        return line_from_json(line_to_json(line))
    except ValueError as problem:
        told = _("We cannot keep this as a plan: %(problem)s", problem=problem)
        doubts.add("timing", told)
        return None


def is_over(line: Line, today: date) -> bool:
    """Say whether the last dose of a line was before a day."""
    if line.end_date is not None and line.end_date < today:
        return True
    begin = (line.first or line.at).date() if line.first or line.at else line.start_date  # type: ignore[union-attr]
    ends = line.kind == "once" or line.count is not None
    if not ends or begin is None or begin >= today:
        return False
    midnight = datetime.combine(today, time(0), UTC) - timedelta(microseconds=1)
    return next_after(line, "UTC", midnight, meals=_MEALS_AT_NOON) is None


def _with_overlaps(readings: Sequence[Reading]) -> list[Reading]:
    """Doubt lines of one medicine that meet: in one resource, or both being taken."""
    marked: set[int] = set()
    groups: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(readings):
        groups.setdefault(("in", one.resource), []).append(place)
        if one.may_start_reminders:
            groups.setdefault(("of", one.medication.lower()), []).append(place)
    for places in groups.values():
        met = meeting([readings[place].line for place in places])
        marked |= {places[one] for one in met}
    return [
        _doubted(one) if place in marked else one for place, one in enumerate(readings)
    ]


def _doubted(reading: Reading) -> Reading:
    told = _("Two entries of this medicine give a dose at the same time.")
    return replace(
        reading,
        missing=tuple(dict.fromkeys((*reading.missing, "times"))),
        reasons=tuple(dict.fromkeys((*reading.reasons, told))),
        may_start_reminders=False,
    )
