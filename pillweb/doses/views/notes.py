"""What others have to say on Today of doses without a record."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from flask import Flask, g

from pillweb.doses.rules.days import OPEN, DoseFacts
from pillweb.sharing.rules import Door

Notes = Callable[[Door, datetime], list[str]]

# No helper hears of a dose sooner, so before that nobody sees to it.
SOONEST = timedelta(minutes=30)


def install_notes(app: Flask, notes: Notes) -> None:
    """Let Today say what `notes` returns for a door at an instant."""

    def offer() -> None:
        g.notes_on_today = notes

    app.before_request(offer)


def notes_on_today(
    door: Door, doses: Iterable[DoseFacts], *, now: datetime
) -> list[str]:
    """Return sentences about doses that are long without a record, mostly none.

    Nothing is asked where there is no such dose, nor for who opened a shared link.
    """
    long_due = any(d.state == OPEN and d.due_at <= now - SOONEST for d in doses)
    if door.is_shared or not long_due:
        return []
    notes: Notes = g.notes_on_today
    return notes(door, now)
