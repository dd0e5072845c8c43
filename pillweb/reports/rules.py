"""What the doctor's page says, from the same numbers as the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo  # noqa: TID251 - the name of a type only

from pillweb.adherence.rules.outcome import Outcome, timing, verdict
from pillweb.adherence.rules.pattern import Pattern, patterns
from pillweb.adherence.rules.tally import Tally, by_medicine, tally
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext, pgettext, pgettext_noop, speech
from pillweb.base.words import (
    digits,
    long_date_words,
    month_name,
    number_words,
    time_words,
)
from pillweb.base.zones import local

PERIOD = timedelta(days=28)
NEVER = "never"
WEEKLY = "week"
MONTHLY = "month"
SEND_HOUR = 8
MOST_PATTERNS = 2
DOT_MINUTES = 90
SUNDAY = 6
# The printer sets the words of a picture letter by letter, and these join theirs.
JOINED = ("ar", "hi", "km")
CHART_HOURS = (0, 6, 12, 18)
CHART_STATES = (
    "taken",
    "late",
    "part",
    "not_reminded",
    "skipped",
    "not_taken",
    "no_record",
)
_DAYS = (
    pgettext_noop("doses", "on Mondays"),
    pgettext_noop("doses", "on Tuesdays"),
    pgettext_noop("doses", "on Wednesdays"),
    pgettext_noop("doses", "on Thursdays"),
    pgettext_noop("doses", "on Fridays"),
    pgettext_noop("doses", "on Saturdays"),
    pgettext_noop("doses", "on Sundays"),
)
_BANDS = {
    "morning": pgettext_noop("doses", "in the morning"),
    "midday": pgettext_noop("doses", "at midday"),
    "evening": pgettext_noop("doses", "in the evening"),
    "bedtime": pgettext_noop("doses", "at bedtime"),
}
REASON_WORDS = {
    "clinician_said": gettext_noop("the doctor said so"),
    "in_hospital": gettext_noop("in hospital"),
    "not_needed": gettext_noop("not needed by the plan"),
    "forgot": gettext_noop("forgot"),
    "side_effects": gettext_noop("side effects"),
    "ran_out": gettext_noop("ran out"),
    "did_not_want": gettext_noop("did not want it"),
    "unwell": gettext_noop("unwell"),
    "away": gettext_noop("away from home"),
    "other": gettext_noop("other"),
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
    counted: str
    taken_words: str
    no_record: str
    not_taken: str
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
    hours: tuple[tuple[int, str], ...]
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
    reasons: tuple[str, ...]
    not_reminded: str = ""
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


def _percent_words(counts: Tally, part: int, share: Decimal | None) -> str:
    if share is None:
        return _("not enough information")
    return _(
        "%(part)s of %(all)s (%(share)s%%)",
        part=number_words(part),
        all=number_words(counts.counted),
        share=_share_words(share),
    )


def _share_words(share: Decimal) -> str:
    """Return a share with its one decimal; other languages leave out one of nought."""
    return str(share) if speech().language == "en" else number_words(share)


def make_row(facts: MedicineFacts, counts: Tally) -> Row:
    """Return one medicine's line of the table."""
    share = counts.on_time_pct
    on_time = "" if share is None else _("%(share)s%%", share=_share_words(share))
    return Row(
        name=facts.name,
        strength=facts.strength,
        plan_words=facts.plan_words,
        counted=number_words(counts.counted),
        taken_words=_percent_words(counts, counts.taken, counts.taken_pct),
        no_record=number_words(counts.no_record),
        not_taken=number_words(counts.not_taken),
        on_time_words=on_time,
        gap_words=_gap_words(counts),
    )


def _gap_words(counts: Tally) -> str:
    longest = max(counts.gaps_of_3_or_more, default=0)
    if longest:
        said = number_words(longest)
        return ngettext("%(num)s day", "%(num)s days", longest, num=said)
    if counts.taken == counts.counted:
        return pgettext("gap", "none")
    return _("under 3 days")


def chart_state(outcome: Outcome, as_of: datetime) -> str | None:
    """Return which shape a dose gets; none while it is open or not counted."""
    found = verdict(outcome, as_of)
    if found == "taken" and timing(outcome) == "late":
        return "late"
    if found == "excused":
        return "skipped"
    return found if found in CHART_STATES else None


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
            label=digits(str(day.day)),
            week_start=day.weekday() == 0,
            month=_month_label(day) if index == 0 or day.day == 1 else "",
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
        title=_(
            "Each dose from %(first)s to %(last)s: days across, hours of the day down",
            first=long_date_words(first),
            last=long_date_words(last),
        ),
        hours=tuple((hour, _hour_label(hour)) for hour in CHART_HOURS),
        days=columns,
        dots=tuple(dots),
        legend=tuple(state for state in CHART_STATES if state in present),
    )


def _hour_label(hour: int) -> str:
    """Return an hour in words in English; in other languages they do not fit."""
    if speech().language == "en":
        return time_words(time(hour))
    return digits(f"{hour:02d}:00")


def _month_label(day: date) -> str:
    if speech().language in JOINED:
        return digits(f"{day.month}/{day.year}")
    return month_name(day.month)


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
    return _(
        "Doses %(when)s were not recorded as taken more often "
        "(%(here)s%% against %(rest)s%% of the others).",
        when=_when(found),
        here=number_words(round(found.not_taken * 100)),
        rest=number_words(round(found.elsewhere * 100)),
    )


def _when(found: Pattern) -> str:
    day = "" if found.weekday is None else pgettext("doses", _DAYS[found.weekday])
    band = "" if found.band is None else pgettext("doses", _BANDS[found.band])
    if day and band:
        return pgettext("doses", "%(day)s %(band)s", day=day, band=band)
    return day or band


def _reason_words(reason: str, count: int) -> str:
    return pgettext(
        "reason",
        "%(reason)s %(count)s",
        reason=_(REASON_WORDS[reason]) if reason in REASON_WORDS else reason,
        count=number_words(count),
    )


def _not_reminded_words(count: int) -> str:
    """Return of how many doses nobody was reminded because we were down, if any."""
    if not count:
        return ""
    return ngettext(
        "Not reminded, our fault: %(num)s dose without record. It is not counted.",
        "Not reminded, our fault: %(num)s doses without record. They are not counted.",
        count,
        num=number_words(count),
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
    everything = MedicineFacts(_("All together"), "", "")
    made = local(as_of, place)
    return ReportPage(
        patient_name=patient_name,
        period_words=_(
            "%(first)s to %(last)s",
            first=long_date_words(first),
            last=long_date_words(last),
        ),
        zone_words=place.key.replace("_", " "),
        made_words=_(
            "%(date)s at %(time)s",
            date=long_date_words(made.date()),
            time=time_words(made.time()),
        ),
        rows=tuple(rows),
        pooled=make_row(everything, together) if len(rows) > 1 else None,
        chart=make_chart(outcomes, first=first, last=last, as_of=as_of),
        patterns=tuple(
            pattern_words(found) for found in telling(patterns(outcomes, as_of))
        ),
        reasons=tuple(_reason_words(*one) for one in together.reasons),
        not_reminded=_not_reminded_words(together.not_reminded),
    )
