"""Is one more dose allowed? Counted per medicine, and per ingredient across them.

The limits are those of the plan; nothing here recommends a dose. Domain 4.2.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from pillweb.medications.rules import Ingredient, plain_name
from pillweb.schedules.rules.as_needed import Taken, next_allowed
from pillweb.schedules.rules.dose import read_dose, reads_two_ways
from pillweb.schedules.rules.line import Dose, Prn

# A second record so soon is asked about, even where the plan sets no limit.
MOMENTS = timedelta(minutes=5)
MILLIGRAMS = {
    "g": Fraction(1000),
    "gram": Fraction(1000),
    "mg": Fraction(1),
    "milligram": Fraction(1),
    "mcg": Fraction(1, 1000),
    "microgram": Fraction(1, 1000),
}
# "120 mg/5 ml", "120 mg in 5 ml": how much is in how many of the medicine's units.
_IN = re.compile(r"\s*(?:/|\bper\b|\bin\b)\s*")


class Medicine(NamedTuple):
    """What counting needs of a medicine; `unit` is what it is counted in."""

    id: int
    name: str
    unit: str
    ingredients: tuple[Ingredient, ...] = ()


class Taking(NamedTuple):
    """A dose that was taken, planned or not: of what, when (UTC) and how much."""

    medicine: Medicine
    at: datetime
    dose: Dose | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits say of one more dose at a moment.

    `allowed_at` is the first instant (UTC) from that moment on at which it is allowed,
    None for never; `last` the newest record that it is counted with; `uncounted` the
    names of medicines with a shared ingredient whose amount is not known.
    """

    allowed_at: datetime | None
    last: Taking | None
    uncounted: tuple[str, ...] = ()


def guard(
    prn: Prn,
    medicine: Medicine,
    taken: Iterable[Taking],
    *,
    at: datetime,
    dose: Dose | None = None,
    others: Iterable[tuple[Prn, Medicine]] = (),
) -> Verdict:
    """Say when one more `dose` of a medicine is allowed from `at` on.

    The interval holds between doses of everything with a shared ingredient; a limit of
    doses counts the medicine's own, planned ones too; a limit in mg or g, or in units
    that hold a known amount, counts the ingredient in all of them, and so do the limits
    of `others`, the other medicines taken as needed.
    """
    related = sorted(
        (one for one in taken if shares(one.medicine, medicine)), key=lambda one: one.at
    )
    own = [one for one in related if one.medicine.id == medicine.id]
    spaced = _spaced(prn, [one.at for one in related], at)
    moments = [spaced, _own_allowed(prn, medicine, own, at=at, dose=dose)]
    uncounted: dict[str, None] = {}
    wanted = Taking(medicine, at, dose)
    for limits, whose in [(prn, medicine), *others]:
        limited = _limit_of_ingredient(limits, whose)
        if limited is not None and plain_name(limited.name) in _held(medicine):
            moments.append(_counted(limits, limited, related, wanted, uncounted))
    if _is_mass(prn) and not _limited_ingredient(prn, medicine):
        uncounted |= _unmeasured(wanted)
    known = [moment for moment in moments if moment is not None]
    return Verdict(
        allowed_at=max(known) if len(known) == len(moments) else None,
        last=related[-1] if related else None,
        uncounted=tuple(uncounted),
    )


def _spaced(prn: Prn, taken: Sequence[datetime], at: datetime) -> datetime | None:
    """Apply the interval, before and after a dose that is told of later."""
    apart = timedelta(minutes=prn.min_interval_minutes or 0)
    if all(abs(at - one) >= apart for one in taken):
        return at
    return next_allowed(replace(prn, max=None), taken, at)


def _within(
    prn: Prn, taken: Sequence[Taken], at: datetime, *, dose: Dose | None
) -> datetime | None:
    """Apply the maximum to every window of time that a dose at `at` would be in."""
    hours = timedelta(minutes=int(prn.max.hours * 60)) if prn.max else timedelta(0)
    ends = [at, *(one.at for one in taken if at < one.at < at + hours)]
    if all(
        next_allowed(prn, [one for one in taken if one.at <= end], end, dose=dose)
        == end
        for end in ends
    ):
        return at
    return next_allowed(prn, taken, at, dose=dose)


def is_sudden(medicine: Medicine, taken: Iterable[Taking], *, at: datetime) -> bool:
    """Say whether the same medicine was taken within minutes of `at`."""
    return any(
        one.medicine.id == medicine.id and abs(one.at - at) < MOMENTS for one in taken
    )


def shares(one: Medicine, other: Medicine) -> bool:
    """Say whether two medicines are one, or hold an ingredient of one name."""
    return one.id == other.id or bool(_held(one) & _held(other))


def mass_of(dose: Dose) -> Fraction | None:
    """Return the milligrams of a dose; None where it is not told in mg or g."""
    factor = MILLIGRAMS.get(_singular(dose.unit))
    if factor is None or dose.fraction is None:
        return None
    return dose.fraction * factor


def _held(medicine: Medicine) -> set[str]:
    return {plain_name(one.name) for one in medicine.ingredients}


def _singular(unit: str) -> str:
    unit = unit.casefold()
    return unit.removesuffix("s")


def _is_mass(prn: Prn) -> bool:
    limit = prn.max.amount if prn.max else None
    return limit is not None and mass_of(limit) is not None


def _limited_ingredient(prn: Prn, medicine: Medicine) -> str:
    """Return the ingredient that a limit in mg means; none where there are several."""
    if not _is_mass(prn) or len(medicine.ingredients) != 1:
        return ""
    return plain_name(medicine.ingredients[0].name)


class _Limited(NamedTuple):
    """An ingredient that a limit means, and how many milligrams of it are the most."""

    name: str
    most: Fraction


def _limit_of_ingredient(prn: Prn, medicine: Medicine) -> _Limited | None:
    """Return what a limit means of the one ingredient that the medicine holds."""
    if prn.max is None or prn.max.amount is None or len(medicine.ingredients) != 1:
        return None
    (held,) = medicine.ingredients
    name = plain_name(held.name)
    most = _mass_within(medicine, prn.max.amount, name)
    return None if most is None else _Limited(name, most)


def _own_allowed(
    prn: Prn,
    medicine: Medicine,
    own: Sequence[Taking],
    *,
    at: datetime,
    dose: Dose | None,
) -> datetime | None:
    """Apply what the plan limits of the medicine itself, in the limit's own unit."""
    if prn.max is None:
        return at
    limit = prn.max
    if _limited_ingredient(prn, medicine):
        limit = replace(limit, amount=None)
    unit = limit.amount.unit if limit.amount else ""
    same = [Taken(one.at, _in_unit(one.dose, medicine, unit)) for one in own]
    alone = Prn(max=limit)
    return _within(alone, same, at, dose=_in_unit(dose, medicine, unit))


def _in_unit(dose: Dose | None, medicine: Medicine, unit: str) -> Dose | None:
    """Return a dose in the limit's spelling of its unit: "tablet" for "tablets"."""
    if dose is None or dose.fraction is None:
        return dose
    mass, limit_mass = mass_of(dose), MILLIGRAMS.get(_singular(unit))
    if mass is not None and limit_mass:
        return replace(dose, unit=unit, fraction=mass / limit_mass)
    if _singular(dose.unit or medicine.unit) == _singular(unit or medicine.unit):
        return replace(dose, unit=unit)
    return dose


def _unmeasured(wanted: Taking) -> dict[str, None]:
    """Return the medicine where a limit in mg meets an amount in another unit."""
    unknown = wanted.dose is None or mass_of(wanted.dose) is None
    return {wanted.medicine.name: None} if unknown else {}


def _counted(
    prn: Prn,
    limited: _Limited,
    taken: Sequence[Taking],
    wanted: Taking,
    uncounted: dict[str, None],
) -> datetime | None:
    """Apply a limit to one ingredient, in whatever medicine it was taken.

    Medicines that hold nobody knows how much of it are added to `uncounted`.
    """
    doses = []
    for one in [*taken, wanted]:
        if limited.name not in _held(one.medicine):
            continue
        mass = _mass_within(one.medicine, one.dose, limited.name)
        if mass is None:
            uncounted[one.medicine.name] = None
            mass = Fraction(0)
        doses.append(Taken(one.at, Dose("", unit="mg", fraction=mass)))
    assert prn.max is not None  # noqa: S101 - there is an ingredient only with a limit
    most = Dose("", unit="mg", fraction=limited.most)
    alone = Prn(max=replace(prn.max, doses=None, amount=most))
    *earlier, this = doses
    return _within(alone, earlier, wanted.at, dose=this.dose)


def _mass_within(
    medicine: Medicine, dose: Dose | None, ingredient: str
) -> Fraction | None:
    """Return the milligrams of an ingredient in a dose, None when unknown."""
    held = medicine.ingredients
    if dose is None or dose.fraction is None:
        return None
    mass = mass_of(dose)
    if mass is not None:
        return mass if len(held) == 1 else None
    if _singular(dose.unit or medicine.unit) != _singular(medicine.unit):
        return None
    amount = next(one.amount for one in held if plain_name(one.name) == ingredient)
    each = _mass_in_one(amount, medicine.unit)
    return None if each is None else each * dose.fraction


def _mass_in_one(amount: str, unit: str) -> Fraction | None:
    """Return the milligrams in one unit, from "500 mg" or "120 mg/5 ml"."""
    if reads_two_ways(amount):
        return None
    held, *of = _IN.split(amount.strip(), maxsplit=1)
    try:
        mass = mass_of(read_dose(held))
        many = [read_dose(one if one[:1].isdigit() else f"1 {one}") for one in of]
    except ValueError:  # a dash, or nothing: people write what they do not know
        return None
    if mass is None or not many:
        return mass
    per = many[0]
    if _singular(per.unit) != _singular(unit) or not per.fraction:
        return None
    return mass / per.fraction
