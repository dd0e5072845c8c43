"""What a line given as JSON comes to, as JSON: for support and for checking."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from pillweb.base.zones import UnknownZone, local, zone
from pillweb.schedules.rules import fields
from pillweb.schedules.rules.as_needed import Taken, next_allowed
from pillweb.schedules.rules.line import Line, Prn
from pillweb.schedules.rules.line_json import dose_from_json, line_from_json
from pillweb.schedules.rules.occurrences import Occurrence, Window, occurrences
from pillweb.schedules.rules.slots_of_day import TAKE

LONGEST_WINDOW = timedelta(days=36_525)
MOST_DOSES = 100_000
MOST_TAKEN = 10_000
A_STEP = timedelta(days=366)


def preview(
    given: Mapping[str, object], place: str, start: object, end: object
) -> object:
    """Return each dose of the window, or when an as-needed dose is next allowed.

    `given` is a line as `line_from_json` reads it; an as-needed one also says `taken`
    and `now` (or `start` is now), and needs no window. The nominal date of doses that
    count hours is "-", as in the worked examples: no day is theirs.

    Raises:
        ValueError: it cannot be read, or the answer would be too long; it says why.
    """
    try:
        zone(place)
    except UnknownZone as problem:
        raise ValueError(f"--zone: {problem}") from problem
    if given.get("kind") == "prn":
        return _as_needed(given, start)
    line = line_from_json(given)
    window = _window(start, end)
    dated = line.kind != "interval"
    return [_told(one, dated=dated) for one in _doses(line, place, window)]


def _window(start: object, end: object) -> Window:
    low, high = fields.an_instant(start, "--from"), fields.an_instant(end, "--to")
    if high < low:
        raise ValueError("--to: is before --from.")
    if high - low > LONGEST_WINDOW:
        raise ValueError("--to: choose a window of 100 years at most.")
    return low, high


def _doses(line: Line, place: str, window: Window) -> Iterator[Occurrence]:
    at, end = window
    step = A_STEP if line.count is None else LONGEST_WINDOW
    number = 0
    while at < end:
        upto = min(at + step, end)
        for one in occurrences(line, place, (at, upto)):
            number += 1
            if number > MOST_DOSES:
                raise ValueError(
                    f"--to: choose a shorter window; this one has more than "
                    f"{MOST_DOSES:,} doses."
                )
            yield one
        at = upto


def _told(one: Occurrence, *, dated: bool) -> dict[str, str | None]:
    shown = local(one.due_at, zone(one.zone))
    action = None if one.action == TAKE else one.action
    return {
        "due_utc": _instant(one.due_at),
        "local": f"{shown:%Y-%m-%dT%H:%M%z}",
        "nominal_date": one.nominal_date.isoformat() if dated else "-",
        "dose": one.dose or action,
    }


def _instant(moment: datetime) -> str:
    whole = not (moment.second or moment.microsecond)
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='minutes' if whole else 'auto')}Z"


def _as_needed(given: Mapping[str, object], start: object) -> object:
    rule = {key: value for key, value in given.items() if key not in ("taken", "now")}
    line = line_from_json(rule)
    now = fields.an_instant(start if given.get("now") is None else given["now"], "now")
    told = given.get("taken")
    taken = fields.a_list([] if told is None else told, "taken", empty=True)
    if len(taken) > MOST_TAKEN:
        raise ValueError(f"taken: give the last {MOST_TAKEN:,} doses at most.")
    doses = [_taken(one, f"taken[{place}]") for place, one in enumerate(taken)]
    allowed = next_allowed(line.prn or Prn(), doses, now, dose=line.dose)
    return {"next_allowed_utc": None if allowed is None else _instant(allowed)}


def _taken(value: object, field: str) -> Taken:
    if isinstance(value, str):
        return Taken(fields.an_instant(value, field))
    given = fields.an_object(value, field, ("at", "dose", "amount"))
    if "dose" in given and "amount" in given:
        raise ValueError(f"{field}: give either dose or amount.")
    at = fields.an_instant(given.get("at"), f"{field}.at")
    name = "amount" if "amount" in given else "dose"
    amount = given.get(name)
    dose = None if amount is None else dose_from_json(amount, f"{field}.{name}")
    return Taken(at, dose)
