"""A line is paused, and taken again: domain T7, a pause shifts no cycle."""

from dataclasses import replace
from datetime import date, timedelta

from pillweb.schedules.rules.line import Line, Pause

A_DAY = timedelta(days=1)


def paused(line: Line, pause: Pause) -> Line:
    """Return the line with one more pause."""
    return line if pause in line.pauses else replace(line, pauses=(*line.pauses, pause))


def resumed(line: Line, today: date) -> Line:
    """Return the line without the pauses to come; one that holds ended yesterday."""
    kept = tuple(
        replace(pause, end=today - A_DAY) if _reaches(pause, today) else pause
        for pause in line.pauses
        if pause.start < today
    )
    return replace(line, pauses=kept)


def pause_to_come(line: Line, today: date) -> Pause | None:
    """Return the first pause that holds today or later."""
    ahead = [pause for pause in line.pauses if _reaches(pause, today)]
    return min(ahead, key=lambda pause: pause.start, default=None)


def _reaches(pause: Pause, today: date) -> bool:
    return pause.end is None or pause.end >= today
