"""Which time of a new plan version is which time of the old one."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from pillweb.schedules.rules.line import (
    Line,
    TimeOfDay,
    free_slot,
    groups_of_times,
)
from pillweb.schedules.rules.line_text import line_to_json


def match_slots(old: Line, new: Line) -> Line:
    """Return the new line with the slot numbers of the times it keeps.

    Equal wall times, or equal meals and offsets, keep theirs. If as many old times are
    left over as new ones, they are matched in order: a moved time keeps its identity,
    so a dose already taken today is not asked for twice. Anything else gets a number
    that no version used. Decided here: a step of a taper is compared with the step of
    the same number, the last one standing for those beyond it, and may also keep the
    slot of an equal time of any other step.
    """
    olds = groups_of_times(old)
    everything = [entry for times in olds for entry in times]
    free = free_slot(old)
    groups = []
    for place, times in enumerate(groups_of_times(new)):
        here = olds[min(place, len(olds) - 1)]
        groups.append(_numbered(times, _matched(here, everything, times), free))
    highest = max((entry.slot for times in groups for entry in times), default=-1)
    return _with_groups(new, groups, max(free, highest + 1))


def is_same(old: Line, new: Line) -> bool:
    """Say whether a new version of a line says nothing but what the old one says."""
    kept = replace(match_slots(old, new), next_slot=old.next_slot)
    return line_to_json(_spread(kept)) == line_to_json(_spread(old))


def _spread(line: Line) -> Line:
    """Return a line of times with its amount at each of them."""
    if line.steps or not line.times:
        return line
    times = tuple(replace(entry, dose=entry.dose or line.dose) for entry in line.times)
    return replace(line, times=times, dose=None)


def _wall(entry: TimeOfDay) -> Hashable:
    return entry.at, entry.meal, entry.offset_min, entry.day_offset


def _exact(entry: TimeOfDay) -> Hashable:
    return _wall(entry), entry.weekdays, entry.day_parity


def _matched(
    here: Sequence[TimeOfDay],
    everything: Sequence[TimeOfDay],
    times: Sequence[TimeOfDay],
) -> list[int | None]:
    """Return the old slot of each new time, None for a new identity."""
    found: list[int | None] = [None] * len(times)
    for pool, key in ((here, _exact), (here, _wall), (everything, _wall)):
        _match_equal(pool, times, found, key)
    left_new = [place for place, slot in enumerate(found) if slot is None]
    left_old = [entry.slot for entry in here if entry.slot not in found]
    if len(left_new) == len(left_old):
        for place, slot in zip(left_new, left_old, strict=True):
            found[place] = slot
    return found


def _match_equal(
    pool: Sequence[TimeOfDay],
    times: Sequence[TimeOfDay],
    found: list[int | None],
    key: Callable[[TimeOfDay], Hashable],
) -> None:
    for place, entry in enumerate(times):
        if found[place] is None:
            found[place] = next(
                (
                    one.slot
                    for one in pool
                    if key(one) == key(entry) and one.slot not in found
                ),
                None,
            )


def _numbered(
    times: Sequence[TimeOfDay], found: Sequence[int | None], free: int
) -> tuple[TimeOfDay, ...]:
    numbered = []
    for entry, slot in zip(times, found, strict=True):
        if slot is None:
            slot, free = free, free + 1  # noqa: PLW2901 - the number it gets
        numbered.append(replace(entry, slot=slot))
    return tuple(numbered)


def _with_groups(
    line: Line, groups: Sequence[tuple[TimeOfDay, ...]], free: int
) -> Line:
    if not line.steps:
        return replace(line, times=groups[0], next_slot=free)
    steps = tuple(
        replace(step, times=times)
        for step, times in zip(line.steps, groups, strict=True)
    )
    return replace(line, steps=steps, next_slot=free)
