"""Medicines compared: the same name, code or ingredient is a question to ask."""

import json
from typing import NamedTuple

import pytest

from pillweb.medications.rules import (
    Ingredient,
    needs_help_at_once,
    read_ingredients,
    same_medicine,
)

DMD = "https://dmd.nhs.uk"


class Some(NamedTuple):
    name: str
    codes: str | None = None
    ingredients: str | None = None


def coded(name: str, code: str, system: str = DMD) -> Some:
    return Some(name, codes=json.dumps([{"system": system, "code": code}]))


def holding(name: str, *ingredients: str) -> Some:
    entries = [{"name": one, "amount": "500 mg"} for one in ingredients]
    return Some(name, ingredients=json.dumps(entries))


@pytest.mark.parametrize(
    ("one", "other", "by"),
    [
        (Some("Amlodipine"), Some(" amlodipine  "), "name"),
        (Some("Amlodipine"), Some("Amitriptyline"), ""),
        (Some("Ürün"), Some("U\u0308ru\u0308n"), "name"),
        (Some("باراسيتامول"), Some("باراسيتامول "), "name"),
        (coded("Panadol", "322236009"), coded("Calpol", "322236009"), "code"),
        (coded("Panadol", "1"), coded("Calpol", "1", system="other"), ""),
        (holding("Panadol", "Paracetamol"), Some("paracetamol"), "ingredient"),
        (
            holding("Panadol", "Paracetamol"),
            holding("Co-codamol", "codeine", "paracetamol"),
            "ingredient",
        ),
        (holding("Panadol", "Paracetamol"), holding("Nurofen", "Ibuprofen"), ""),
    ],
)
def test_what_seems_the_same_is_seen_from_both_sides(
    one: Some, other: Some, by: str
) -> None:
    assert same_medicine(one, other) == by
    assert same_medicine(other, one) == by


def test_an_ingredient_without_an_amount_is_kept() -> None:
    text = json.dumps([{"name": "iron"}, {"amount": "5 mg"}, "x"])
    assert read_ingredients(text) == (Ingredient("iron", ""),)
    assert read_ingredients(None) == ()


@pytest.mark.parametrize(
    ("name", "category", "at_once"),
    [
        ("Warfarin sodium", "ordinary", True),
        ("INSULIN glargine", "time_critical", True),
        ("Co-codamol", "ordinary", True),
        ("Clozapine", "high_alert", True),
        ("Levodopa", "time_critical", False),
        ("Amlodipine", "ordinary", False),
    ],
)
def test_too_much_of_some_needs_help_at_once(
    name: str, category: str, at_once: bool
) -> None:
    assert needs_help_at_once(name, None, category) is at_once


def test_an_ingredient_is_dangerous_by_its_name() -> None:
    held = json.dumps([{"name": "Morphine sulfate"}])
    assert needs_help_at_once("Oramorph", held, "ordinary")
