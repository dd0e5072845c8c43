"""What FHIR has no codes for, in words that no importer takes for codes.

They are English in every language: an importer reads them.
"""

from pillweb.schedules.rules.line import (
    EveryDays,
    InCycle,
    Line,
    OnWeekdays,
    groups_of_times,
)
from pillweb.schedules.rules.words import in_words, pause_words

_OWN = {
    "zone_policy": "its times stay on home time when travelling",
    "min_gap_hours_after_zone_change": "a least gap after a change of time zone",
    "window_min": "a time window of its own",
    "missed_after_min": "a time of its own after which a dose is missed",
    "alert_profile": "alerts of its own",
    "meals": "meal times of its own",
    "zone_changes": "journeys of its own",
    "action": "an action of its own",
}
_DEFAULTS = {"zone_policy": "follow", "zone_changes": ()}


def unsaid(line: Line) -> list[str]:
    """Return a sentence for each part of a line that codes cannot say."""
    found = [
        f"Also: {words}."
        for name, words in _OWN.items()
        if getattr(line, name) != _DEFAULTS.get(name)
    ]
    found += [f"Also: {pause_words(pause)}." for pause in line.pauses]
    return found + _shape(line) + _stray(line)


def _shape(line: Line) -> list[str]:
    """Return what is lost when a line becomes several Dosages."""
    times = [entry for group in groups_of_times(line) for entry in group]
    found = []
    if any(entry.action or entry.day_offset for entry in times):
        found.append("Also: some times have an action or a day of their own.")
    parts = isinstance(line.days, InCycle) or any(
        entry.day_parity is not None for entry in times
    )
    odd = line.steps and (
        line.count is not None
        or line.days != EveryDays()
        or line.sequence != 1
        or line.start_time
        or (line.end_date and line.steps)
    )
    if parts or odd:
        found.append(f"This is one part of: {in_words(line)}.")
    narrowed = any(entry.weekdays is not None for entry in times)
    if narrowed and (line.steps or isinstance(line.days, OnWeekdays)):
        found.append("Also: some times hold on some days of the week alone.")
    if line.count is not None and len(line.times) > 1:
        doses = {entry.dose and entry.dose.text for entry in line.times}
        kinds = {
            (entry.meal if entry.offset_min else entry.meal is None, entry.offset_min)
            for entry in line.times
        }
        if len(doses) > 1 or len(kinds) > 1 or narrowed:
            found.append("The number of doses is for all its parts together.")
    return found


def _stray(line: Line) -> list[str]:
    """Return the fields that stand on a line of a kind that does not use them."""
    if line.kind == "once" and (line.start_date or line.end_date or line.start_time):
        return ["Also: it has a period of its own."]
    if line.kind == "interval" and line.start_date:
        return ["Also: it has a first day of its own."]
    if line.kind == "prn" and line.start_time is not None:
        return ["Also: it has a start time of its own."]
    both = line.prn and line.prn.max and line.prn.max.doses and line.prn.max.amount
    return ["Also: it has two limits."] if both else []
