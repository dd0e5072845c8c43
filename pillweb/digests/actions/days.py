"""In the evening helpers hear what of the day has no record, or that all is well."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.words import date_words
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import DAY, WELL, Person, chosen_points, quiet_until
from pillweb.digests.actions.clocks import Due
from pillweb.digests.queries import Wish, evening_doses, health_of, wishes_of_helpers
from pillweb.digests.rules.day import (
    Counts,
    DayDose,
    Gap,
    Health,
    counts_of,
    gaps_of,
    is_well,
)
from pillweb.digests.rules.rhythm import A_DAY, EVERY_EVENING, moment
from pillweb.digests.rules.words import (
    counts_words,
    gap_words,
    gaps_in_short,
    health_words,
)

DAY_DIGEST, ALL_WELL = "day_digest", "all_well"
# Told later than this, the next evening would say it better.
WORTH = timedelta(hours=23)


@dataclass(frozen=True)
class Evening:
    """What there is to tell of one patient's day."""

    due: Due
    patient: Person
    doses: Sequence[DayDose]
    health: Health

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """What turned out untaken or unrecorded since the evening before."""
        since = _evening_before(self.due)
        return gaps_of(self.doses, since=since, until=self.due.at)

    @cached_property
    def counts(self) -> Counts:
        """How many doses of the day are recorded."""
        return counts_of(self.doses, self.due.on, until=self.due.at)


def tell_days(session: Session, due: Sequence[Due], *, now: datetime) -> int:
    """Post to each helper who wants it how a day was; return how many messages.

    Nobody is told twice of the same day by the same address, however often this runs.
    """
    wishes = wishes_of_helpers(session, [one.patient_id for one in due], (DAY, WELL))
    wanted = [one for one in due if one.patient_id in wishes]
    if not wanted:
        return 0
    evenings = _evenings(session, wanted, now=now)
    posted = 0
    for evening in evenings:
        alike: dict[frozenset[int], list[Wish]] = {}
        for wish in wishes[evening.due.patient_id]:
            alike.setdefault(wish.hidden, []).append(wish)
        for hidden, some in alike.items():
            posted += _tell(session, _without(evening, hidden), some, now=now)
    return posted


def _evenings(session: Session, due: Sequence[Due], *, now: datetime) -> list[Evening]:
    ids = [one.patient_id for one in due]
    patients = patients_to_tell(session, ids, now=now)
    began = {one.patient_id: _evening_before(one) for one in due}
    since, until = min(began.values()), max(one.at for one in due)
    doses = evening_doses(session, ids, since=since, until=until)
    health = health_of(session, ids, now=now)
    return [
        Evening(
            due=one,
            patient=patients[one.patient_id],
            doses=doses[one.patient_id],
            health=health[one.patient_id],
        )
        for one in due
    ]


def _without(evening: Evening, hidden: Collection[int]) -> Evening:
    """Return the evening without the doses of medicines that are hidden."""
    left = [dose for dose in evening.doses if dose.medication_id not in hidden]
    return replace(evening, doses=left)


def _evening_before(due: Due) -> datetime:
    return moment(EVERY_EVENING, due.on - A_DAY, due.place)


def _tell(
    session: Session, evening: Evening, wishes: Sequence[Wish], *, now: datetime
) -> int:
    """Post one message to each helper; who wants both gets the one that says more."""
    chosen = {
        wish.account_id: (wish, DAY if evening.gaps and DAY in wish.groups else WELL)
        for wish in wishes
        if WELL in wish.groups or evening.gaps
    }
    patient_id = evening.due.patient_id
    people = helpers_to_tell(session, patient_id, chosen, now=now) if chosen else {}
    posted = 0
    for account_id, person in people.items():
        wish, group = chosen[account_id]
        kind = DAY_DIGEST if group == DAY else ALL_WELL
        with speaking(person.speech):
            context = _context(evening, person, now=now)
        held = quiet_until(person, now)
        for point in chosen_points(person, group):
            delivery_id = post_message(
                session,
                person,
                point,
                kind=kind,
                about=f"{patient_id}:{evening.due.on}",
                context=context,
                now=now,
                due_at=evening.due.at,
                not_before=held,
                expires_at=(held or now) + WORTH,
                patient_id=patient_id,
                subject_id=wish.grant_id,
            )
            posted += delivery_id is not None
    return posted


def _context(evening: Evening, person: Person, *, now: datetime) -> dict[str, Any]:
    due, patient = evening.due, evening.patient
    with_names = patient.wishes.shows_names and person.wishes.shows_names
    on, name, gaps = due.on, patient.name, evening.gaps
    return {
        "first_name": person.name,
        "patient_name": name,
        "date_words": date_words(on),
        "items": [
            " ".join(gap_words(gap, today=on, patient=name, with_names=with_names))
            for gap in gaps
        ],
        "short_words": gaps_in_short(gaps, today=on, patient=name) if gaps else "",
        "counts": " ".join(counts_words(evening.counts, until=EVERY_EVENING.clock)),
        "health": " ".join(
            health_words(evening.health, patient=patient.name, place=due.place, now=now)
        ),
        "is_well": is_well(gaps, evening.health),
        "works": evening.health.is_good,
        "link": link(f"/patients/{due.patient_id}/days/{on}"),
    }
