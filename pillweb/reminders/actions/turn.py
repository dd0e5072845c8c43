"""What is known, and what was found to be said, while reminders are fired."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pillweb.contacts.rules import Person, quiet_until
from pillweb.reminders.queries.moments import Place, Told
from pillweb.reminders.rules.course import DueDose, Moment


@dataclass
class Turn:
    """One look at the reminders of some patients.

    `reminded` counts the reminders that left, by dose; `names` are those of medicines,
    where the patient lets messages name them. `early` are the reminders that
    spoke a little before their time, `held` those who wait for the end of somebody's
    quiet hours, and until when.
    """

    now: datetime
    people: Mapping[int, Person]
    helpers: Mapping[int, list[Place]]
    told: set[Told]
    reminded: Mapping[int, int]
    due: set[int]
    names: Mapping[int, str] = field(default_factory=dict)
    early: set[int] = field(default_factory=set)
    spoken: set[int] = field(default_factory=set)
    alerted: set[int] = field(default_factory=set)
    held: dict[int, list[datetime]] = field(default_factory=dict)

    def was_told(self, dose: DueDose, person_key: str, kind: str, step: int) -> bool:
        """Say whether somebody was told of a dose by such a message at a step."""
        return (dose.id, person_key, kind, step) in self.told

    def quiet_until(self, person: Person, *, is_urgent: bool) -> datetime | None:
        """Return until when somebody is to be left in peace; None for not now.

        What is time-critical does not wait, unless they chose so.
        """
        if is_urgent and person.wishes.urgent_passes:
            return None
        return quiet_until(person, self.now)

    def names_of(self, doses: Iterable[DueDose]) -> list[str]:
        """Return what doses are of, each medicine once, where it may be named."""
        found = (self.names.get(dose.id) for dose in doses)
        return sorted({name for name in found if name})

    def hold(self, moment: Moment, until: datetime) -> None:
        """Note that a reminder has something to say when quiet hours are over."""
        self.held.setdefault(moment.id, []).append(until)
