"""What is true of medicines without asking anybody."""

import json
import unicodedata
from typing import Literal, NamedTuple, Protocol

ORDINARY = "ordinary"
HIGH_ALERT = "high_alert"

# The forms people name, with the unit in which each is counted.
FORMS = {
    "tablet": "tablet",
    "capsule": "capsule",
    "liquid": "ml",
    "drops": "drop",
    "inhaler": "puff",
    "injection": "unit",
    "patch": "patch",
    "cream": "application",
    "sachet": "sachet",
    "other": "dose",
}

# Too much of these needs help at once, even without signs: domain 4.2.
DANGEROUS = (
    *("warfarin", "acenocoumarol", "phenprocoumon", "phenindione"),
    *("apixaban", "rivaroxaban", "dabigatran", "edoxaban", "heparin"),
    *("enoxaparin", "dalteparin", "tinzaparin", "fondaparinux"),
    *("insulin", "methotrexate", "digoxin", "lithium"),
    *("morphine", "codeine", "codamol", "oxycodone", "hydrocodone", "dydramol"),
    *("hydromorphone", "fentanyl", "tramadol", "tapentadol", "buprenorphine"),
    *("methadone", "pethidine", "meperidine", "diamorphine", "dipipanone"),
)

Sameness = Literal["", "name", "code", "ingredient"]


class Ingredient(NamedTuple):
    """What one unit of a medicine holds: "paracetamol", "500 mg"."""

    name: str
    amount: str


class Looks(NamedTuple):
    """What one unit of a medicine looks like: in words, and by which key on a photo."""

    words: str | None = None
    picture_key: str | None = None


class Described(Protocol):
    """A medicine as far as it can be compared: a row or any value like it."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def codes(self) -> str | None:
        """The JSON list of its codes."""

    @property
    def ingredients(self) -> str | None:
        """The JSON list of what one unit holds."""


def unit_of(form: str) -> str:
    """Return the unit in which a form is counted.

    >>> unit_of("inhaler")
    'puff'
    """
    return FORMS.get(form, "dose")


def plain_name(name: str) -> str:
    """Return a name without what no reader would tell apart.

    >>> plain_name("  Amoxicillin  ") == plain_name("AMOXICILLIN")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def read_ingredients(text: str | None) -> tuple[Ingredient, ...]:
    """Return what one unit holds; an amount that nobody knows is empty."""
    return tuple(
        Ingredient(str(entry["name"]), str(entry.get("amount") or ""))
        for entry in _entries(text)
        if entry.get("name")
    )


def same_medicine(one: Described, other: Described) -> Sameness:
    """Say by what two medicines seem to be the same; empty where they do not.

    A plain match of code, name or ingredient, to be asked as a question: "Is this the
    same medicine?" A name also matches an ingredient of that name.
    """
    if _codes(one) & _codes(other):
        return "code"
    if plain_name(one.name) == plain_name(other.name):
        return "name"
    held, also_held = _ingredient_names(one), _ingredient_names(other)
    if (
        held & also_held
        or plain_name(one.name) in also_held
        or plain_name(other.name) in held
    ):
        return "ingredient"
    return ""


def needs_help_at_once(name: str, ingredients: str | None, category: str) -> bool:
    """Say whether too much of a medicine needs help even of who feels well."""
    known = [name, *(held.name for held in read_ingredients(ingredients))]
    words = " ".join(plain_name(one) for one in known)
    return category == HIGH_ALERT or any(one in words for one in DANGEROUS)


def _entries(text: str | None) -> list[dict[str, object]]:
    found = json.loads(text or "[]")
    return [entry for entry in found if isinstance(entry, dict)]


def _codes(medicine: Described) -> set[tuple[str, str]]:
    return {
        (str(entry.get("system") or ""), str(entry["code"]))
        for entry in _entries(medicine.codes)
        if entry.get("code")
    }


def _ingredient_names(medicine: Described) -> set[str]:
    return {plain_name(held.name) for held in read_ingredients(medicine.ingredients)}
