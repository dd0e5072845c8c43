"""What digests say: plain sentences, no blame, no praise that is not earned."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from pillweb.adherence.rules.lately import row_words, summary_words
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext
from pillweb.base.words import (
    PartOfDay,
    date_words,
    join_words,
    long_date_words,
    number_words,
    time_words,
    weekday_name,
)
from pillweb.base.zones import Zone, local
from pillweb.digests.rules.day import Counts, Gap, Health
from pillweb.digests.rules.week import MANY_TIMES, Habit, Week

IN_PART: dict[PartOfDay, str] = {
    "morning": gettext_noop("in the morning"),
    "midday": gettext_noop("around midday"),
    "evening": gettext_noop("in the evening"),
    "bedtime": gettext_noop("at bedtime"),
}
A_DAY = timedelta(days=1)


def _clock_words(on: date, clock: time, *, today: date) -> str:
    if on == today:
        return time_words(clock)
    return _("%(time)s on %(date)s", time=time_words(clock), date=date_words(on))


def gap_words(gap: Gap, *, today: date, patient: str, with_names: bool) -> list[str]:
    """Return what is said of one time, first what is known of it."""
    facts = {
        "time": _clock_words(gap.on, gap.clock, today=today),
        "names": join_words(gap.names),
    }
    if gap.is_recorded:
        what = (
            _("%(time)s: %(names)s recorded as not taken.", **facts)
            if with_names
            else _("%(time)s: recorded as not taken.", **facts)
        )
    else:
        what = (
            _("%(time)s: no record of %(names)s.", **facts)
            if with_names
            else _("%(time)s: no record.", **facts)
        )
    said = [what]
    if gap.is_our_fault:
        said.append(
            _("We could not remind %(name)s then. That was our fault.", name=patient)
        )
    if gap.is_alerted:
        said.append(_("Somebody was told of it at once."))
    return said


def gaps_in_short(gaps: Sequence[Gap], *, today: date, patient: str) -> str:
    """Return the times in one sentence, for a screen or a voice."""
    open_ones = [gap for gap in gaps if not gap.is_recorded]
    clocks = [
        _clock_words(gap.on, gap.clock, today=today) for gap in (open_ones or gaps)
    ]
    times = join_words([*dict.fromkeys(clocks)])
    if open_ones:
        return _(
            "There is no record for %(name)s at %(times)s.", name=patient, times=times
        )
    return _(
        "For %(name)s, this is recorded as not taken: %(times)s.",
        name=patient,
        times=times,
    )


def counts_words(counts: Counts, *, until: time) -> list[str]:
    """Return "4 of 4 medicines are recorded.", and what is still to come."""
    said = []
    if counts.over:
        said.append(
            ngettext(
                "%(recorded)s of %(num)s medicine is recorded.",
                "%(recorded)s of %(num)s medicines are recorded.",
                counts.over,
                recorded=number_words(counts.recorded),
            )
        )
    else:
        said.append(_("Nothing had to be taken by %(time)s.", time=time_words(until)))
    if counts.to_come:
        said.append(
            ngettext(
                "%(num)s more is still to come.",
                "%(num)s more are still to come.",
                counts.to_come,
            )
        )
    return said


def health_words(
    health: Health, *, patient: str, place: Zone, now: datetime
) -> list[str]:
    """Return since when reminders have worked, or what is wrong with them."""
    wrong = []
    if health.is_disturbed:
        wrong.append(_("Reminders may come late now, or not at all."))
    if health.is_unreachable:
        wrong.append(_("No reminder can reach %(name)s now.", name=patient))
    if health.has_failed:
        wrong.append(_("The last reminder for %(name)s did not arrive.", name=patient))
    if wrong or health.since is None:
        return wrong
    at = local(health.since, place)
    since = (
        _(
            "%(time)s on %(date)s",
            time=time_words(at.time()),
            date=date_words(at.date()),
        )
        if now - health.since < A_DAY
        else long_date_words(at.date())
    )
    return [_("Reminders have worked since %(since)s.", since=since)]


def week_words(week: Week) -> list[str]:
    """Return how the week went, as its calendar says it, and the praise it deserves."""
    summary = summary_words(week.counts) if week.counts.full_days else ""
    return [one for one in (summary, *_praise_words(week)) if one]


def _praise_words(week: Week) -> list[str]:
    match week.praise:
        case "all_taken":
            return [_("Nothing was left out. Well done.")]
        case "in_a_row":
            return [row_words(week.number), _("Well done.")]
        case "more_taken":
            before, of_before = week.before
            return [
                _(
                    "Taken %(now)s of %(of)s times, after %(before)s of %(was)s in "
                    "the week before. That is more.",
                    now=number_words(week.number),
                    of=number_words(week.of),
                    before=number_words(before),
                    was=number_words(of_before),
                )
            ]
        case "on_time":
            return [
                ngettext(
                    "%(times)s of %(num)s was taken on time. Well done.",
                    "%(times)s of %(num)s were taken on time. Well done.",
                    week.of,
                    times=number_words(week.number),
                )
            ]
        case None:
            return []


def habit_words(habit: Habit) -> list[str]:
    """Return where most has no record, and one thing to try.

    It is about times, never about the medicine.
    """
    facts = {
        "times": number_words(habit.unrecorded),
        "of": number_words(habit.counted),
    }
    if habit.weekday is None:
        band: PartOfDay = habit.band or "morning"
        when = _(IN_PART[band])
    elif habit.band is None:
        when = weekday_name(habit.weekday)
    else:
        when = _(
            "%(weekday)s %(part)s",
            weekday=weekday_name(habit.weekday),
            part=_(IN_PART[habit.band]),
        )
    return [
        _(
            "Most often without a record: %(when)s, %(times)s of %(of)s.",
            when=when,
            **facts,
        ),
        _("Fewer times a day may be easier. Ask a pharmacist if that is possible.")
        if habit.times_a_day >= MANY_TIMES
        else _("Another time of day may be easier. Ask a pharmacist about moving it."),
    ]
