"""One more dose: counted per medicine, and per ingredient across medicines."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.medications.rules import Ingredient
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.guard import Medicine, Taking, guard, is_sudden
from pillweb.schedules.rules.line import Prn, PrnLimit

AT = datetime(2026, 11, 20, 14, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
PARACETAMOL = Medicine(
    1, "Paracetamol", "tablet", (Ingredient("paracetamol", "500 mg"),)
)
CO_CODAMOL = Medicine(
    2,
    "Co-codamol",
    "tablet",
    (Ingredient("codeine", "8 mg"), Ingredient("Paracetamol", "0.5 g")),
)
COLD_RELIEF = Medicine(3, "Cold relief", "sachet", (Ingredient("paracetamol", ""),))
IBUPROFEN = Medicine(4, "Ibuprofen", "tablet", (Ingredient("ibuprofen", "400 mg"),))
TWO = read_dose("2 tablets")


def four_grams(hours: int = 24) -> Prn:
    return Prn(max=PrnLimit(Decimal(hours), amount=read_dose("4 g")))


def taken(
    medicine: Medicine, *hours_ago: float, dose: str = "2 tablets"
) -> list[Taking]:
    return [Taking(medicine, AT - HOUR * ago, read_dose(dose)) for ago in hours_ago]


def test_an_interval_holds_to_the_second() -> None:
    four_hours = Prn(min_interval_minutes=240)
    verdict = guard(four_hours, PARACETAMOL, taken(PARACETAMOL, 3), at=AT)
    assert verdict.allowed_at == AT + HOUR
    assert verdict.last == taken(PARACETAMOL, 3)[0]
    exactly = guard(four_hours, PARACETAMOL, taken(PARACETAMOL, 4), at=AT)
    assert exactly.allowed_at == AT


def test_an_interval_holds_for_the_same_ingredient_in_another_medicine() -> None:
    four_hours = Prn(min_interval_minutes=240)
    found = guard(four_hours, PARACETAMOL, taken(CO_CODAMOL, 1), at=AT)
    assert found.allowed_at == AT + 3 * HOUR
    other = guard(four_hours, PARACETAMOL, taken(IBUPROFEN, 1), at=AT)
    assert other.allowed_at == AT


def test_a_number_of_doses_counts_only_the_medicine_itself() -> None:
    twice = Prn(max=PrnLimit(Decimal(24), doses=2))
    some = [*taken(PARACETAMOL, 10), *taken(CO_CODAMOL, 5)]
    assert guard(twice, PARACETAMOL, some, at=AT).allowed_at == AT
    some += taken(PARACETAMOL, 3)
    assert guard(twice, PARACETAMOL, some, at=AT).allowed_at == AT + 14 * HOUR


def test_a_limit_in_grams_counts_the_ingredient_of_every_medicine() -> None:
    some = [*taken(PARACETAMOL, 20, 12), *taken(CO_CODAMOL, 16, 8)]
    found = guard(four_grams(), PARACETAMOL, some, at=AT, dose=TWO)
    assert found.allowed_at == AT + 4 * HOUR
    assert found.uncounted == ()


def test_a_limit_of_one_medicine_holds_for_another_with_its_ingredient() -> None:
    some = taken(PARACETAMOL, 20, 16, 12, 8)
    limits = [(four_grams(), PARACETAMOL)]
    found = guard(Prn(), CO_CODAMOL, some, at=AT, dose=TWO, others=limits)
    assert found.allowed_at == AT + 4 * HOUR
    free = guard(Prn(), IBUPROFEN, some, at=AT, dose=TWO, others=limits)
    assert free.allowed_at == AT


def test_what_is_not_known_is_named_and_not_passed_over() -> None:
    some = taken(COLD_RELIEF, 2, dose="1 sachet")
    found = guard(four_grams(), PARACETAMOL, some, at=AT, dose=TWO)
    assert (found.allowed_at, found.uncounted) == (AT, ("Cold relief",))
    bare = Medicine(5, "Panadol", "tablet")
    assert guard(four_grams(), bare, [], at=AT, dose=TWO).uncounted == ("Panadol",)


def test_an_amount_in_mg_is_the_ingredients_own() -> None:
    some = taken(PARACETAMOL, 20, 16, 12, dose="1 g")
    one = read_dose("1,000 mg".replace(",", ""))
    assert guard(four_grams(), PARACETAMOL, some, at=AT, dose=one).allowed_at == AT
    some += taken(PARACETAMOL, 4, dose="500 mg")
    assert guard(four_grams(), PARACETAMOL, some, at=AT, dose=one).allowed_at != AT


def test_a_limit_in_tablets_counts_them_however_they_are_spelled() -> None:
    eight = Prn(max=PrnLimit(Decimal(24), amount=read_dose("8 tablets")))
    some = [*taken(PARACETAMOL, 20, 16, 12), *taken(PARACETAMOL, 8, dose="1")]
    half = read_dose("1 tablet")
    assert guard(eight, PARACETAMOL, some, at=AT, dose=half).allowed_at == AT
    found = guard(eight, PARACETAMOL, some, at=AT, dose=TWO)
    assert found.allowed_at == AT + 4 * HOUR


@pytest.mark.parametrize(
    "holds", ["120 mg/5 ml", "120mg / 5ml", "120 mg in 5 ml", "24 mg/ml", "24 mg"]
)
def test_tablets_and_a_liquid_are_counted_together(holds: str) -> None:
    liquid = Medicine(5, "Calpol", "ml", (Ingredient("paracetamol", holds),))
    some = [*taken(PARACETAMOL, 20, 16, 12), *taken(liquid, 8, dose="20 ml")]
    half = read_dose("1 tablet")
    found = guard(four_grams(), PARACETAMOL, some, at=AT, dose=half)
    assert (found.allowed_at, found.uncounted) == (AT, ())
    some += taken(liquid, 6, dose="1 ml")
    found = guard(four_grams(), PARACETAMOL, some, at=AT, dose=half)
    assert found.allowed_at == AT + 4 * HOUR


@pytest.mark.parametrize("holds", ["120 mg/5 g", "120 mg/0 ml", "1 in 2", "some", "-"])
def test_a_strength_that_cannot_be_read_is_said(holds: str) -> None:
    liquid = Medicine(5, "Calpol", "ml", (Ingredient("paracetamol", holds),))
    some = taken(liquid, 8, dose="20 ml")
    found = guard(four_grams(), PARACETAMOL, some, at=AT, dose=TWO)
    assert found.uncounted == ("Calpol",)


def test_a_limit_in_tablets_counts_their_ingredient_in_another_medicine() -> None:
    eight = Prn(max=PrnLimit(Decimal(24), amount=read_dose("8")))
    some = [*taken(PARACETAMOL, 20, 16), *taken(CO_CODAMOL, 12, 8)]
    found = guard(eight, PARACETAMOL, some, at=AT, dose=TWO)
    assert found.allowed_at == AT + 4 * HOUR
    limits = [(eight, PARACETAMOL)]
    found = guard(Prn(), CO_CODAMOL, some, at=AT, dose=TWO, others=limits)
    assert found.allowed_at == AT + 4 * HOUR
    some = taken(COLD_RELIEF, 2, dose="1 sachet")
    found = guard(eight, PARACETAMOL, some, at=AT, dose=TWO)
    assert (found.allowed_at, found.uncounted) == (AT, ("Cold relief",))


def test_a_dose_above_the_limit_alone_is_never_allowed() -> None:
    ten = read_dose("10 tablets")
    assert guard(four_grams(), PARACETAMOL, [], at=AT, dose=ten).allowed_at is None


def test_a_record_of_later_binds_one_entered_for_earlier() -> None:
    four_hours = Prn(min_interval_minutes=240)
    later = taken(PARACETAMOL, 0)
    found = guard(four_hours, PARACETAMOL, later, at=AT - HOUR)
    assert found.allowed_at == AT + 4 * HOUR


def test_a_dose_told_of_later_is_counted_with_those_around_it_only() -> None:
    four_hours = Prn(min_interval_minutes=240)
    some = taken(PARACETAMOL, 0, 12)
    found = guard(four_hours, PARACETAMOL, some, at=AT - 6 * HOUR)
    assert found.allowed_at == AT - 6 * HOUR
    near = guard(four_hours, PARACETAMOL, some, at=AT - 9 * HOUR)
    assert near.allowed_at != AT - 9 * HOUR
    twice = Prn(max=PrnLimit(Decimal(24), doses=2))
    around = taken(PARACETAMOL, 0, 40)
    told_at = AT - 20 * HOUR
    assert guard(twice, PARACETAMOL, around, at=told_at).allowed_at == told_at
    around = taken(PARACETAMOL, 0, 10)
    assert guard(twice, PARACETAMOL, around, at=told_at).allowed_at != told_at


def test_a_second_record_within_minutes_is_sudden() -> None:
    some = taken(PARACETAMOL, 0)
    assert is_sudden(PARACETAMOL, some, at=AT + timedelta(seconds=1))
    assert is_sudden(PARACETAMOL, some, at=AT - timedelta(seconds=299))
    assert not is_sudden(PARACETAMOL, some, at=AT + timedelta(minutes=5))
    assert not is_sudden(IBUPROFEN, some, at=AT)


@given(
    minutes=st.lists(st.integers(0, 4000), max_size=12),
    gap=st.integers(0, 600),
    tablets=st.integers(1, 8),
)
def test_what_is_allowed_then_breaks_no_limit(
    minutes: list[int], gap: int, tablets: int
) -> None:
    prn = Prn(
        min_interval_minutes=gap,
        max=PrnLimit(Decimal(24), doses=4, amount=read_dose("4 g")),
    )
    dose = read_dose(f"{tablets} tablets")
    some = [Taking(PARACETAMOL, AT - timedelta(minutes=m), TWO) for m in minutes]
    allowed = guard(prn, PARACETAMOL, some, at=AT, dose=dose).allowed_at
    assert allowed is not None
    within = [one for one in some if one.at > allowed - 24 * HOUR]
    assert len(within) < 4
    assert 1000 * len(within) + 500 * tablets <= 4000
    assert all(allowed - one.at >= timedelta(minutes=gap) for one in some)
    assert guard(prn, PARACETAMOL, some, at=allowed, dose=dose).allowed_at == allowed
