"""The demo family, and what is true of it without asking anybody."""

import random
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal

from pillweb.base.words import part_of_day
from pillweb.schedules.rules.line import (
    Days,
    Dose,
    EveryDays,
    Line,
    OnWeekdays,
    TimeOfDay,
)

HISTORY = timedelta(days=90)
DEMO_ZONE = "Europe/London"
STILL_OPEN = timedelta(minutes=60)
ELDER = ("Rosa Alvarez", "rosa@family.example")
CAREGIVER = ("Marta Alvarez", "marta@family.example")
DOCTOR = ("Dr Chen", "dr.chen@clinic.example")

EVERY_DAY = EveryDays()


@dataclass(frozen=True, slots=True)
class DemoMedicine:
    """One of the demo elder's medicines."""

    name: str
    strength: str
    form: str
    reason: str
    instruction: str
    times: tuple[time, ...]
    days: Days = EVERY_DAY
    amount: Decimal = Decimal(1)

    def line(self, start: object) -> Line:
        """Return how it is taken, from a first day on."""
        dose = Dose(format(self.amount, "f"), self.amount)
        return Line(
            kind="clock",
            start_date=start,  # type: ignore[arg-type]
            days=self.days,
            times=tuple(
                TimeOfDay(at=at, dose=dose, slot=slot)
                for slot, at in enumerate(self.times)
            ),
        )


MEDICINES = (
    DemoMedicine(
        "Levothyroxine",
        "50 micrograms",
        "tablet",
        "thyroid",
        "Half an hour before breakfast, with water",
        (time(7),),
    ),
    DemoMedicine("Amlodipine", "5 mg", "tablet", "blood pressure", "", (time(8),)),
    DemoMedicine("Ramipril", "2.5 mg", "capsule", "heart", "", (time(8),)),
    DemoMedicine("Aspirin", "75 mg", "tablet", "blood flow", "With food", (time(8),)),
    DemoMedicine(
        "Metformin",
        "500 mg",
        "tablet",
        "blood sugar",
        "With food",
        (time(8), time(18)),
    ),
    DemoMedicine(
        "Vitamin D",
        "20 micrograms",
        "drops",
        "bones",
        "",
        (time(12),),
        amount=Decimal(2),
    ),
    DemoMedicine("Atorvastatin", "20 mg", "tablet", "cholesterol", "", (time(22),)),
    DemoMedicine(
        "Alendronic acid",
        "70 mg",
        "tablet",
        "bones",
        "With a full glass of water; stay upright for half an hour",
        (time(7),),
        days=OnWeekdays((0,)),
    ),
)


@dataclass(frozen=True, slots=True)
class DemoSupply:
    """What there was of a medicine at first, and what was counted today, if it was."""

    had: int
    counted: int | None
    repeats_left: int


# One is about to run out.
SUPPLIES = {
    "Amlodipine": DemoSupply(had=94, counted=5, repeats_left=1),
    "Metformin": DemoSupply(had=224, counted=None, repeats_left=3),
}
PACK_SIZE = 28

# How often each part of the day goes unrecorded, out of a hundred.
UNRECORDED = {"morning": 3, "midday": 6, "evening": 8, "bedtime": 19}
LATE = 4
SKIPPED = 2
SKIP_REASONS = ("forgot", "unwell", "away", "side_effects", "clinician_said")


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What became of a demo dose: taken so long after its time, skipped, or neither."""

    taken_after: timedelta | None = None
    skip_reason: str | None = None


def demo_outcome(clock: time, days_ago: int, *, dice: random.Random) -> DemoOutcome:
    """Return what became of one dose: mostly taken, bedtime the hardest.

    Three days without any record five weeks ago stand for a hospital stay.
    """
    if days_ago in {36, 37, 38}:
        return DemoOutcome()
    # Yesterday and today went well, so that loading the family mails nobody.
    lowest = UNRECORDED["bedtime"] if days_ago <= 1 else 0
    roll = max(dice.randrange(100 - SKIPPED if days_ago <= 1 else 100), lowest)
    if roll < UNRECORDED[part_of_day(clock)]:
        return DemoOutcome()
    if roll >= 100 - SKIPPED:
        return DemoOutcome(skip_reason=dice.choice(SKIP_REASONS))
    late = roll >= 100 - SKIPPED - LATE
    minutes = dice.randrange(130, 200) if late else dice.randrange(-10, 35)
    return DemoOutcome(taken_after=timedelta(minutes=minutes))
