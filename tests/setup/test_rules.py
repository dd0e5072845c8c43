"""How far a set-up is, from what is known."""

import pytest

from pillweb.setup.rules import DONE, LATER, OPEN, STEPS, Standing, step_before


def standing(**known: object) -> Standing:
    facts = {"name": "Rosa", "born": "", "zone": "Europe/London", "language": ""}
    return Standing(**{**facts, "email": "rosa@family.example", **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({}, {"who": DONE, "clock": DONE, "language": OPEN, "papers": OPEN}),
        ({"language": "es"}, {"language": DONE, "medicines": OPEN}),
        ({"medicines": ["Ramipril"]}, {"medicines": OPEN}),
        ({"answers": {"medicines": DONE}}, {"medicines": LATER}),
        (
            {"medicines": ["Ramipril"], "answers": {"medicines": DONE}},
            {"medicines": DONE},
        ),
        ({"is_asked": True}, {"reminders": OPEN}),
        ({"answers": {"reminders": LATER}}, {"reminders": LATER}),
        ({"reached": "a@x.org", "answers": {"reminders": LATER}}, {"reminders": DONE}),
        ({"helpers": ["Ann"]}, {"helpers": OPEN}),
        ({"answers": {"helpers": DONE, "papers": LATER}}, {"papers": LATER}),
    ],
)
def test_a_step_is_done_left_or_open(
    known: dict[str, object], state: dict[str, str]
) -> None:
    found = standing(**known)
    assert {step: found.state(step) for step in state} == state


def test_the_next_step_is_the_first_open_one() -> None:
    pressed = {"medicines": LATER, "reminders": LATER, "helpers": DONE, "papers": DONE}
    assert standing().next_step == "language"
    assert standing(language="en").next_step == "medicines"
    left = standing(language="en", answers=pressed)
    assert left.next_step == ""
    assert not left.may_finish
    assert standing(reached="a@x.org").may_finish


def test_going_back_ends_at_the_first_step() -> None:
    assert [step_before(step) for step in STEPS] == ["", *STEPS[:-1]]
