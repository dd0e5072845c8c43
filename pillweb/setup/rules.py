"""The steps of setting somebody up, and how far one is, from what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STEPS = ("who", "clock", "language", "medicines", "reminders", "helpers", "papers")
# Steps that a press of a button answers: nothing else tells that one is done with them.
PRESSED = frozenset({"medicines", "helpers", "papers"})
DONE, LATER, OPEN = "done", "later", "open"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of somebody who is being set up.

    `answers` are the steps that were pressed: done with, or left for later. `reached`
    is where reminders are known to arrive: a test that went there was answered.
    """

    name: str
    born: str
    zone: str
    language: str
    email: str
    medicines: Sequence[str] = ()
    unfinished: int = 0
    helpers: Sequence[str] = ()
    is_asked: bool = False
    reached: str = ""
    is_finished: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_proven(self) -> bool:
        """Whether reminders are known to arrive anywhere."""
        return bool(self.reached)

    def state(self, step: str) -> str:
        """Say whether a step is done, left for later, or open.

        >>> Standing("Rosa", "", "Europe/London", "", "", reached="a@x.org").next_step
        'language'
        """
        answer = self.answers.get(step, OPEN)
        if step == "medicines" and answer == DONE and not self.medicines:
            return LATER
        if step in PRESSED:
            return answer
        is_known = {"language": bool(self.language), "reminders": self.is_proven}
        return DONE if is_known.get(step, True) else answer

    @property
    def next_step(self) -> str:
        """Return the first open step; none when all are done or left for later."""
        return next((step for step in STEPS if self.state(step) == OPEN), "")

    @property
    def may_finish(self) -> bool:
        """Whether it can be called done: somebody is known to get the reminders."""
        return self.is_proven


def step_before(step: str) -> str:
    """Return the step before one; none before the first."""
    place = STEPS.index(step)
    return STEPS[place - 1] if place else ""
