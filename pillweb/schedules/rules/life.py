"""By which clocks and around which meals a patient lives: domain T7, T11."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal

from pillweb.base.zones import local, zone
from pillweb.schedules.rules.days import is_paused
from pillweb.schedules.rules.line import Line, Meals, ZoneChange
from pillweb.schedules.rules.occurrences import Occurrence, Window, occurrences
from pillweb.schedules.rules.occurrences import next_after as next_of_rule
from pillweb.schedules.rules.travel import LARGEST_MIN_GAP

# Until a patient says otherwise: shown as such, to be confirmed.
USUAL_MEALS = Meals(
    usual=(
        ("wake", time(7, 30)),
        ("breakfast", time(8)),
        ("lunch", time(12, 30)),
        ("dinner", time(18)),
        ("bedtime", time(22)),
    )
)
NO_GAP = Decimal(0)


@dataclass(frozen=True, slots=True)
class Life:
    """The clocks and meals of one patient.

    `zone` is the zone they lived by before the first of `changes`, `home` the one that
    was home before the first of `moves`. A plan on home times knows the moves only.
    """

    zone: str
    home: str
    changes: tuple[ZoneChange, ...] = ()
    moves: tuple[ZoneChange, ...] = ()
    meals: Meals = USUAL_MEALS

    def zone_at(self, moment: datetime) -> str:
        """Return the zone in force at an instant."""
        return _newest(self.zone, self.changes, moment)

    def home_at(self, moment: datetime) -> str:
        """Return the home zone at an instant."""
        return _newest(self.home, self.moves, moment)

    def occurrences(self, line: Line, window: Window) -> tuple[Occurrence, ...]:
        """Return the doses of a line in a window, told by the clock then in force."""
        if not self.changes:
            return occurrences(line, self.zone, window, meals=self.meals)
        if line.zone_policy == "follow":
            found = occurrences(
                line, self.zone, window, meals=self.meals, zone_changes=self.changes
            )
            if line.kind == "interval":
                # No instant moves, but a journey west shows one wall time twice.
                return tuple(self._in_stretch(one) for one in found)
            return found
        at_home = replace(line, zone_policy="follow") if self.moves else line
        found = occurrences(
            at_home, self.home, window, meals=self.meals, zone_changes=self.moves
        )
        return tuple(self._told_here(one) for one in found)

    def next_after(self, line: Line, after: datetime) -> Occurrence | None:
        """Return the line's first dose later than an instant, None within two years."""
        follows = line.zone_policy == "follow"
        at_home = line if follows else replace(line, zone_policy="follow")
        found = next_of_rule(
            at_home,
            self.zone if follows else self.home,
            after,
            meals=self.meals,
            zone_changes=self.changes if follows else self.moves,
        )
        return found if found is None or follows else self._told_here(found)

    def held(self, line: Line, window: Window) -> list[Occurrence]:
        """Return the doses of a window that pauses hold.

        Decided here: a count is not used up by them (`occurrences`), so after its last
        real dose nothing is held.
        """
        if not line.pauses:
            return []
        bare = replace(line, pauses=(), count=None)
        found = [
            one
            for one in self.occurrences(bare, window)
            if is_paused(line, one.nominal_date)
        ]
        if line.count is None or not found:
            return found
        return [one for one in found if self.next_after(line, one.due_at) is not None]

    def moved_by_travel(self, line: Line, window: Window) -> list[Occurrence]:
        """Return the doses that are left out because a journey brought them too near.

        They are none of the doses asked for, and nobody missed them (T11).
        """
        explicit = line.min_gap_hours_after_zone_change
        reach = timedelta(hours=float(explicit)) if explicit else LARGEST_MIN_GAP
        changes = self.changes if line.zone_policy == "follow" else self.moves
        near = [one.at for one in changes if window[0] - reach < one.at < window[1]]
        if not near:
            return []
        asked = {one.due_at for one in self.occurrences(line, window)}
        bare = replace(line, min_gap_hours_after_zone_change=NO_GAP)
        return [
            one
            for one in self.occurrences(bare, window)
            if one.due_at not in asked
            and any(at <= one.due_at < at + reach for at in near)
        ]

    def _in_stretch(self, one: Occurrence) -> Occurrence:
        passed = sum(change.at <= one.due_at for change in self.changes)
        return one._replace(zone_epoch=passed)

    def _told_here(self, one: Occurrence) -> Occurrence:
        here = self.zone_at(one.due_at)
        if here == one.zone:
            return one
        shown = local(one.due_at, zone(here))
        return one._replace(zone=here, local_label=f"{shown:%H:%M}")


def _newest(first: str, changes: Iterable[ZoneChange], moment: datetime) -> str:
    return next(
        (one.zone for one in reversed(tuple(changes)) if one.at <= moment), first
    )
