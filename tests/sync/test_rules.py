"""What becomes of an answer that was kept on a device."""

from datetime import UTC, datetime, timedelta

import pytest

from pillweb.sync.rules import (
    Said,
    needs_a_look,
    outcome_words,
    pressed_at,
    resolve,
)

DUE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ROSA, ANN = 1, 2
MISSED = DUE + timedelta(hours=10)


def at(minutes: float) -> datetime:
    """Return an instant so many minutes after the dose was due."""
    return DUE + timedelta(minutes=minutes)


def unsaid(state: str) -> Said:
    """Return a dose of which nobody said anything."""
    planned_at = DUE - timedelta(days=1)
    return Said(state, planned_at, DUE.date(), DUE, MISSED, "", None, None)


def said(state: str, minutes: float, who: int = ANN) -> Said:
    """Return a dose of which somebody said this at this minute."""
    what = "undone" if state == "open" else state
    return unsaid(state)._replace(what=what, at=at(minutes), account_id=who)


OPEN = unsaid("open")


@pytest.mark.parametrize(
    ("deed", "dose", "pressed", "received", "outcome"),
    [
        ("take", OPEN, 4, 90, "recorded"),
        ("take", OPEN, 4, 4, "recorded"),
        ("skip", OPEN, 4, 90, "recorded"),
        # The first who recorded it stands, however sure the second is.
        ("take", said("taken", 2), 4, 90, "already"),
        ("take", said("taken", 60), 4, 90, "already"),
        ("take", said("skipped", 2, ROSA), 4, 90, "already"),
        ("skip", said("taken", 4, ROSA), 4, 90, "already"),
        ("later", said("taken", 2), 4, 10, "already"),
        # The press had reached us, its answer had not reached the device.
        ("take", said("taken", 4, ROSA), 4, 90, "same"),
        ("skip", said("skipped", 5, ROSA), 4, 90, "same"),
        ("take", said("taken", 10, ROSA), 4, 90, "already"),
        # The plan was changed meanwhile.
        ("take", unsaid("cancelled"), 4, 90, "changed"),
        ("undo", unsaid("cancelled"), 4, 90, "changed"),
        ("take", unsaid("held"), 4, 90, "changed"),
        ("take", OPEN, -12 * 60 - 1, 0, "changed"),
        ("take", OPEN, -12 * 60, 0, "recorded"),
        # What was pressed was a dose of another time, or of another amount.
        ("take", OPEN._replace(planned_at=at(-10)), -10, 90, "recorded"),
        ("take", OPEN._replace(planned_at=at(-9)), -10, 90, "changed"),
        ("skip", OPEN._replace(planned_at=at(-9)), -10, 90, "changed"),
        ("later", OPEN._replace(planned_at=at(-9)), -10, 0, "changed"),
        ("undo", said("taken", -11)._replace(planned_at=at(-9)), -10, 0, "recorded"),
        ("skip", OPEN, -30, 90, "recorded"),
        ("skip", OPEN, -31, 90, "changed"),
        # It was said of a day that was over, while another dose was waited for.
        ("take", OPEN, 15 * 60 + 59, 40 * 60, "recorded"),
        ("take", OPEN, 24 * 60, 40 * 60, "changed"),
        ("skip", OPEN, 24 * 60, 40 * 60, "changed"),
        ("take", OPEN._replace(missed_at=at(24 * 60 + 1)), 24 * 60, 1600, "recorded"),
        ("undo", said("taken", 23 * 60), 24 * 60, 40 * 60, "recorded"),
        # Something newer happened after the press.
        ("take", said("open", 10), 4, 90, "newer"),
        ("take", said("open", 2), 4, 90, "recorded"),
        ("undo", said("taken", 10), 4, 90, "newer"),
        ("undo", said("taken", 4.5), 4, 90, "recorded"),
        ("undo", said("taken", 2), 4, 90, "recorded"),
        ("undo", said("skipped", 2), 4, 90, "recorded"),
        ("undo", said("open", 10), 4, 90, "same"),
        ("undo", OPEN, 4, 90, "same"),
        # An undo counts from its press, not from when it was sent.
        ("undo", said("taken", 2), 23 * 60, 30 * 60, "recorded"),
        ("undo", said("taken", 2), 24 * 60 + 2, 30 * 60, "too_old"),
        ("take", OPEN, 0, 7 * 24 * 60, "recorded"),
        ("take", OPEN, 0, 7 * 24 * 60 + 1, "too_old"),
        ("later", OPEN, 4, 33, "recorded"),
        ("later", OPEN, 4, 34, "over"),
    ],
)
def test_what_becomes_of_an_answer(
    deed: str, dose: Said, pressed: float, received: float, outcome: str
) -> None:
    found = resolve(
        deed,
        dose,
        pressed_at=at(pressed),
        received_at=at(received),
        account_id=ROSA,
        later_until=at(pressed + 30),
    )
    assert found == outcome


@pytest.mark.parametrize(
    ("ago", "minutes"), [(timedelta(minutes=56), 4), (timedelta(minutes=-9), 60)]
)
def test_nothing_is_pressed_after_it_was_received(
    ago: timedelta, minutes: float
) -> None:
    assert pressed_at(ago, received_at=at(60)) == at(minutes)


def words(outcome: str, deed: str = "take", **more: str) -> str:
    return outcome_words(outcome, deed, pressed="8.04am", **more)


def test_each_outcome_is_told_in_words() -> None:
    assert words("recorded") == "Recorded as taken at 8.04am."
    assert words("same", "skip") == "Recorded as skipped at 8.04am."
    assert words("recorded", "undo") == "You took this back at 8.04am."
    told = words("already", recorded="8.02am", by="Ann")
    twice = "It was not recorded twice."
    assert told == f"Already recorded at 8.02am by Ann. {twice}"
    assert words("already", recorded="8.02am").startswith("Already recorded at 8.02am.")
    assert words("already") == f"Already recorded. {twice}"
    for outcome in ("already", "changed", "newer", "too_old"):
        assert needs_a_look(outcome)
        assert words(outcome)
    for outcome in ("recorded", "same", "over"):
        assert not needs_a_look(outcome)
        assert words(outcome)
