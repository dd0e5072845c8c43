"""Doses at clock times: domain T2 to T4, T7 to T9, T11."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise
from operator import itemgetter

from pillweb.base.zones import Zone, day_bounds, instant, steady_midnight
from pillweb.base.zones import zone as zone_of
from pillweb.schedules.rules.days import (
    is_paused,
    is_rarer_than_daily,
    last_of,
    planned_dates,
    start_of,
)
from pillweb.schedules.rules.line import Line, Meals
from pillweb.schedules.rules.occurrence import Occurrence, occurrence
from pillweb.schedules.rules.slots_of_day import DaySlot, day_slots
from pillweb.schedules.rules.travel import (
    LARGEST_MIN_GAP,
    Epoch,
    resolve,
)

ONE_DAY = timedelta(days=1)
A_MOMENT_AGO = timedelta(microseconds=-1)
CHUNK = timedelta(days=64)  # how far a counted line is walked at a time


class ClockLine:
    """The doses of one clock line over a life of one or more zones."""

    def __init__(
        self, line: Line, epochs: tuple[Epoch, ...], meals: Meals | None
    ) -> None:
        self._line = line
        self._epochs = epochs
        self._slots = day_slots(line, meals)
        self._once_each = len(epochs) > 1 and is_rarer_than_daily(line)
        self._gaps: dict[int, timedelta] = {}

    def counted(
        self, count: int, low: datetime, high: datetime
    ) -> tuple[Occurrence, ...]:
        """Return the doses of the window that are among the line's first `count`."""
        begin = start_of(self._line)
        at = datetime(begin.year, begin.month, begin.day, tzinfo=UTC) - 2 * ONE_DAY
        last = last_of(self._line)
        limit = high
        if last:
            end = datetime(last.year, last.month, last.day, tzinfo=UTC)
            limit = min(high, end + 5 * ONE_DAY)
        found: list[Occurrence] = []
        while at < limit and count > 0:
            upto = min(at + CHUNK, limit)
            some = self.between(at, upto)[:count]
            count -= len(some)
            found += (one for one in some if one.due_at >= low)
            at = upto
        return tuple(found)

    def between(self, low: datetime, high: datetime) -> list[Occurrence]:
        """Return the doses of [low, high), earliest first, pauses and counts aside."""
        if self._once_each:
            return self._kept(self._exactly_once(low, high))
        if len(self._epochs) == 1:
            return self._in_epoch(self._epochs[0], low, high)
        found: list[Occurrence] = []
        for epoch in self._epochs:
            if epoch.start < high and low < epoch.end:
                found += self._in_epoch(
                    epoch, max(low, epoch.start), min(high, epoch.end)
                )
        return self._kept(found)

    def _dates(self, place: Zone, low: datetime, high: datetime) -> Iterator[date]:
        """Return the nominal dates whose slots may fall in the window.

        A gap may push a slot to the next date, an overlap round midnight may pull one
        back, so there is a day to spare at both ends.
        """
        first = low.astimezone(place).toordinal() - self._slots.latest - 1
        last = high.astimezone(place).toordinal() - self._slots.earliest + 1
        line, dates = self._line, planned_dates(self._line, first, last)
        if not line.pauses:
            return dates
        return (day for day in dates if not is_paused(line, day))

    def _in_epoch(
        self, epoch: Epoch, low: datetime, high: datetime
    ) -> list[Occurrence]:
        place, number, name = epoch.place, epoch.number, epoch.place.key
        known = self._slots
        days, is_tidy = [], True
        for day in self._dates(place, low, high):
            begin, slots = steady_midnight(place, day), known.on(day)
            if begin is None or not known.is_plain:
                begin, slots = _timed(place, day, slots)
                is_tidy = is_tidy and _is_tidy(place, day, slots)
            if slots:
                days.append((day, begin, slots))
        is_tidy = is_tidy and known.is_plain
        if is_tidy and days and days[0][1] + days[0][2][-1].after < low:
            del days[0]
        if is_tidy and days and days[-1][1] + days[-1][2][0].after >= high:
            del days[-1]
        make = tuple.__new__  # half the time of a call
        found = [
            make(
                Occurrence,
                (begin + after, day, slot, number, name, label, amount, dose, action),
            )
            for day, begin, slots in days
            for _, _, slot, label, amount, dose, action, after in slots
        ]
        if not is_tidy:
            found = self._one_each(found)
        if found and low <= found[0].due_at and found[-1].due_at < high:
            return found
        return [one for one in found if low <= one.due_at < high]

    def _exactly_once(self, low: datetime, high: datetime) -> list[Occurrence]:
        """Return doses of a line rarer than daily, each exactly once (`resolve`)."""
        spare = 2 * ONE_DAY  # zones differ by up to 26 hours
        found = []
        for day in self._dates(self._epochs[0].place, low - spare, high + spare):
            for slot in self._slots.on(day):
                clock = time(slot.minute // 60, slot.minute % 60)
                due, epoch = resolve(self._epochs, day + ONE_DAY * slot.shift, clock)
                if low <= due < high:
                    found.append(occurrence(due, day, slot, epoch))
        return self._one_each(found)

    def _one_each(self, found: Sequence[Occurrence]) -> list[Occurrence]:
        """Return the doses in order, one for each instant (T4).

        The one whose wall time exists stays; of two that exist the first planned.
        """

        def is_real(one: Occurrence) -> bool:
            shown = one.due_at.astimezone(zone_of(one.zone))
            shifts = [
                slot.shift
                for slot in self._slots.on(one.nominal_date)
                if slot.slot == one.slot
            ]
            days = (shown.date() - one.nominal_date).days
            return f"{shown:%H:%M}" == one.local_label and days in shifts

        ordered = sorted(found, key=itemgetter(0))
        if all(one.due_at < other.due_at for one, other in pairwise(ordered)):
            return ordered
        at_once = groupby(ordered, itemgetter(0))
        return [max(same, key=is_real) for _, same in at_once]

    def _kept(self, found: list[Occurrence]) -> list[Occurrence]:
        """Leave out new-zone slots too close to the last dose of the old zone (T11).

        Decided here: the distance is to the last dose before the change, however many
        new slots follow; exactly the smallest gap is allowed.
        """
        for epoch in self._epochs[1:]:
            gap = self._min_gap(epoch)
            if any(epoch.start <= one.due_at < epoch.start + gap for one in found):
                last = self._last_before(epoch.start, gap)
                found = [
                    one
                    for one in found
                    if last is None
                    or one.zone_epoch < epoch.number
                    or one.due_at - last >= gap
                ]
        return found

    def _last_before(self, moment: datetime, reach: timedelta) -> datetime | None:
        before = self.between(moment - reach, moment)
        return before[-1].due_at if before else None

    def _min_gap(self, epoch: Epoch) -> timedelta:
        hours = self._line.min_gap_hours_after_zone_change
        if hours is not None:
            return timedelta(minutes=int(hours * 60))
        if epoch.number not in self._gaps:
            self._gaps[epoch.number] = self._planned_gap(epoch.start.date()) / 2
        return min(self._gaps[epoch.number], LARGEST_MIN_GAP)

    def _planned_gap(self, about: date) -> timedelta:
        """Return the shortest distance between wall times planned about a date."""
        middle, reach = about.toordinal(), 8
        walls = sorted(
            datetime.combine(day + ONE_DAY * slot.shift, time(0), UTC)
            + timedelta(minutes=slot.minute)
            for day in planned_dates(self._line, middle - reach, middle + reach)
            for slot in self._slots.on(day)
        )
        gaps = (b - a for a, b in pairwise(walls) if b > a)
        return min(gaps, default=2 * LARGEST_MIN_GAP)


def _timed(
    place: Zone, day: date, slots: Sequence[DaySlot]
) -> tuple[datetime, tuple[DaySlot, ...]]:
    """Return when a day begins, and its slots with the real time that goes before."""
    begin = instant(place, day, 0)
    return begin, tuple(
        slot._replace(
            after=instant(place, day + ONE_DAY * slot.shift, slot.minute) - begin
        )
        for slot in slots
    )


def _is_tidy(place: Zone, day: date, slots: Sequence[DaySlot]) -> bool:
    """Return whether timed slots stay in order, and all of them on their day."""
    begin, end = day_bounds(day, place)
    spans = [A_MOMENT_AGO, *(slot.after for slot in slots), end - begin]
    return all(one < other for one, other in pairwise(spans))
