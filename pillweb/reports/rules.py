"""What the doctor's page says, from the same numbers as the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo  # noqa: TID251 - the name of a type only

from pillweb.adherence.rules.outcome import COUNTED, Outcome, timing, verdict
from pillweb.adherence.rules.pattern import Pattern, patterns
from pillweb.adherence.rules.tally import Tally, by_medicine, tally
from pillweb.base.words import MONTH_NAMES, WEEKDAY_NAMES, long_date_words, time_words
from pillweb.base.zones import local

PERIOD = timedelta(days=28)
NEVER = "never"
WEEKLY = "week"
MONTHLY = "month"
SEND_HOUR = 8
MOST_PATTERNS = 2
DOT_MINUTES = 90
SUNDAY = 6
CHART_STATES = ("taken", "late", "part", "skipped", "not_taken", "no_record")
REASON_WORDS = {
    "clinician_said": "the doctor said so",
    "in_hospital": "in hospital",
    "not_needed": "not needed by the plan",
    "forgot": "forgot",
    "side_effects": "side effects",
    "ran_out": "ran out",
    "did_not_want": "did not want it",
    "unwell": "unwell",
    "away": "away from home",
    "other": "other",
}


@dataclass(frozen=True, slots=True)
class MedicineFacts:
    """What a report says of a medicine besides numbers."""

    name: str
    strength: str
    plan_words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    strength: str
    plan_words: str
    counted: int
    taken_words: str
    no_record: int
    not_taken: int
    on_time_words: str
    gap_words: str


@dataclass(frozen=True, slots=True)
class ChartDay:
    """One column of the chart."""

    index: int
    label: str
    week_start: bool
    month: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One dose in the chart: which day, which minute of it, what became of it."""

    day: int
    minute: int
    state: str


@dataclass(frozen=True, slots=True)
class Chart:
    """28 days across, 24 hours down."""

    title: str
    days: tuple[ChartDay, ...]
    dots: tuple[Dot, ...]
    legend: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Everything the one page says."""

    patient_name: str
    period_words: str
    zone_words: str
    made_words: str
    rows: tuple[Row, ...]
    pooled: Row | None
    chart: Chart
    patterns: tuple[str, ...]
    reasons: tuple[tuple[str, int], ...]
    birth_year: int | None = None
    as_needed: tuple[str, ...] = ()


def period_ending(last: date) -> tuple[date, date]:
    """Return the first and last day of the 28 that end with `last`.

    >>> [day.isoformat() for day in period_ending(date(2026, 11, 28))]
    ['2026-11-01', '2026-11-28']
    """
    return last - PERIOD + timedelta(days=1), last


def next_sending(every: str, *, after: date) -> date | None:
    """Return the next day a regular report leaves: a Monday, or the first of a month.

    >>> next_sending("week", after=date(2026, 11, 20)).isoformat()
    '2026-11-23'
    >>> next_sending("month", after=date(2026, 12, 1)).isoformat()
    '2027-01-01'
    """
    if every == WEEKLY:
        return after + timedelta(days=7 - after.weekday())
    if every == MONTHLY:
        return (after.replace(day=1) + timedelta(days=32)).replace(day=1)
    return None


def _percent_words(counts: Tally, part: int, share: object) -> str:
    if share is None:
        return "not enough information"
    return f"{part} of {counts.counted} ({share}%)"


def make_row(facts: MedicineFacts, counts: Tally) -> Row:
    """Return one medicine's line of the table."""
    longest = max(counts.gaps_of_3_or_more, default=0)
    no_gap = "none" if counts.taken == counts.counted else "under 3 days"
    on_time = "" if counts.on_time_pct is None else f"{counts.on_time_pct}%"
    return Row(
        name=facts.name,
        strength=facts.strength,
        plan_words=facts.plan_words,
        counted=counts.counted,
        taken_words=_percent_words(counts, counts.taken, counts.taken_pct),
        no_record=counts.no_record,
        not_taken=counts.not_taken,
        on_time_words=on_time,
        gap_words=f"{longest} days" if longest else no_gap,
    )


def chart_state(outcome: Outcome, as_of: datetime) -> str | None:
    """Return which shape a dose gets; none while it is open or not counted."""
    found = verdict(outcome, as_of)
    if found == "taken" and timing(outcome) == "late":
        return "late"
    if found == "excused":
        return "skipped"
    return found if found in COUNTED else None


def _planned(outcome: Outcome) -> tuple[date, time]:
    return outcome.nominal_date, outcome.local_time or time()


def make_chart(
    outcomes: Sequence[Outcome], *, first: date, last: date, as_of: datetime
) -> Chart:
    """Return the dots of the period, each at its planned wall time.

    Doses within 90 minutes are one dot, the worst of them, so that no shapes touch.
    """
    length = (last - first).days + 1
    days = [first + timedelta(days=number) for number in range(length)]
    columns = tuple(
        ChartDay(
            index=index,
            label=str(day.day),
            week_start=day.weekday() == 0,
            month=MONTH_NAMES[day.month - 1] if index == 0 or day.day == 1 else "",
        )
        for index, day in enumerate(days)
    )
    dots: list[Dot] = []
    for one in sorted(outcomes, key=_planned):
        state = chart_state(one, as_of)
        if state is None or one.local_time is None:
            continue
        minute = one.local_time.hour * 60 + one.local_time.minute
        dot = Dot((one.nominal_date - first).days, minute, state)
        near = dots[-1] if dots else None
        if near and near.day == dot.day and minute - near.minute < DOT_MINUTES:
            worst = max(near.state, state, key=CHART_STATES.index)
            dots[-1] = replace(near, state=worst)
        else:
            dots.append(dot)
    present = {dot.state for dot in dots}
    return Chart(
        title=f"Each dose from {long_date_words(first)} to {long_date_words(last)}: "
        "days across, hours of the day down",
        days=columns,
        dots=tuple(dots),
        legend=tuple(state for state in CHART_STATES if state in present),
    )


def telling(found: Sequence[Pattern]) -> list[Pattern]:
    """Return the patterns worth saying: a whole time of day or weekday first.

    A weekday's time of day is left out where the day or the time says it already.
    """
    whole = [one for one in found if one.band is None or one.weekday is None]
    bands = {one.band for one in whole} - {None}
    days = {one.weekday for one in whole} - {None}
    parts = [
        one
        for one in found
        if one not in whole and one.band not in bands and one.weekday not in days
    ]
    return [*whole, *parts][:MOST_PATTERNS]


def pattern_words(found: Pattern) -> str:
    """Return a pattern as one sentence, without blame."""
    day = "" if found.weekday is None else f"on {WEEKDAY_NAMES[found.weekday]}s"
    band = {None: "", "bedtime": "at bedtime", "midday": "at midday"}.get(
        found.band, f"in the {found.band}"
    )
    when = " ".join(part for part in (day, band) if part)
    here, rest = round(found.not_taken * 100), round(found.elsewhere * 100)
    return (
        f"Doses {when} were not recorded as taken more often "
        f"({here}% against {rest}% of the others)."
    )


def report_page(
    outcomes: Sequence[Outcome],
    medicines: Mapping[int, MedicineFacts],
    *,
    patient_name: str,
    place: ZoneInfo,
    first: date,
    last: date,
    as_of: datetime,
) -> ReportPage:
    """Return the page: medicines with the most gaps first, then what stands out."""
    rows = [
        make_row(medicines[key], counts)
        for key, counts in by_medicine(outcomes, as_of)
        if isinstance(key, int)
    ]
    together = tally(outcomes, as_of)
    everything = MedicineFacts("All together", "", "")
    made = local(as_of, place)
    return ReportPage(
        patient_name=patient_name,
        period_words=f"{long_date_words(first)} to {long_date_words(last)}",
        zone_words=place.key.replace("_", " "),
        made_words=f"{long_date_words(made.date())} at {time_words(made.time())}",
        rows=tuple(rows),
        pooled=make_row(everything, together) if len(rows) > 1 else None,
        chart=make_chart(outcomes, first=first, last=last, as_of=as_of),
        patterns=tuple(
            pattern_words(found) for found in telling(patterns(outcomes, as_of))
        ),
        reasons=tuple(
            (REASON_WORDS.get(reason, reason), count)
            for reason, count in together.reasons
        ),
    )
