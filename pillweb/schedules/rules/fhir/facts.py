"""What a file says of a medicine beside its dosage: form, strength, codes, contents."""

import json
from collections.abc import Iterator, Mapping

from pillweb.base.clean import clean_text
from pillweb.medications.rules import FORMS
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    all_words_of,
    object_in,
    objects_in,
    words_of,
)
from pillweb.schedules.rules.fhir.medicine import Resolve, medicine_of
from pillweb.schedules.rules.fhir.quantity import amount_in

_LONGEST = 200
_LONGEST_STRENGTH = 60
_MOST = 20
_CODE_KEYS = ("system", "code", "display")
# Two forms may stand in one word: "gastro-resistant tablet" is one of ours.
_OTHER_WORDS = {
    "solution": "liquid",
    "syrup": "liquid",
    "suspension": "liquid",
    "inhalation": "inhaler",
    "ointment": "cream",
    "drop": "drops",
}


def medicine_facts(resource: Element, resolve: Resolve, unit: str) -> dict[str, str]:
    """Return what is said of a medicine, by the names of a draft; nothing is guessed.

    `unit` is that of its doses, which tells the form where the file does not.
    """
    medicine = _medication_of(resource, resolve)
    ingredients = list(_ingredients(medicine))
    name = clean_text(medicine_of(resource, resolve).name)[:_LONGEST]
    amounts = [one["amount"] for one in ingredients]
    strength = amounts[0] if len(amounts) == 1 else ""
    reasons = resource.get("reasonCode")
    reason = [words_of(one) for one in (reasons if isinstance(reasons, list) else [])]
    codes = list(_codes(resource, medicine))
    return {
        "name": name,
        "strength": ""
        if _tight(strength) in _tight(name)
        else strength[:_LONGEST_STRENGTH],
        "form": _form(medicine, unit),
        "reason": clean_text(", ".join(one for one in reason if one))[:_LONGEST],
        "codes": json.dumps(codes, ensure_ascii=False) if codes else "",
        "ingredients": json.dumps(ingredients, ensure_ascii=False)
        if ingredients
        else "",
    }


def _tight(text: str) -> str:
    return text.replace(" ", "").lower()


def _medication_of(resource: Element, resolve: Resolve) -> Element:
    reference = resource.get("medicationReference")
    target = reference.get("reference") if isinstance(reference, Mapping) else None
    return (resolve(target) if isinstance(target, str) else None) or {}


def _form(medicine: Element, unit: str) -> str:
    told = " ".join(all_words_of(medicine.get("form"))).lower()
    if told:
        found = {form for form in FORMS if form != "other" and form in told}
        found |= {form for word, form in _OTHER_WORDS.items() if word in told}
        return found.pop() if len(found) == 1 else ""
    counted = [form for form, one in FORMS.items() if one == unit]
    return counted[0] if unit not in ("ml", "unit", "dose") and counted else ""


def _codes(*holders: Element) -> Iterator[dict[str, str]]:
    keys = ("medicationCodeableConcept", "code")
    for holder, key in zip(holders, keys, strict=True):
        concept = holder.get(key)
        codings = concept.get("coding") if isinstance(concept, Mapping) else None
        for coding in (codings if isinstance(codings, list) else [])[:_MOST]:
            if isinstance(coding, Mapping) and coding.get("code"):
                yield {
                    one: clean_text(coding[one])[:_LONGEST]
                    for one in _CODE_KEYS
                    if isinstance(coding.get(one), str)
                }


def _ingredients(medicine: Element) -> Iterator[dict[str, str]]:
    for one in objects_in(medicine, "ingredient", Doubts(), "")[:_MOST]:
        name = clean_text(words_of(one.get("itemCodeableConcept")))[:_LONGEST]
        if name:
            yield {"name": name, "amount": _amount(one)}


def _amount(ingredient: Element) -> str:
    """Return what one unit holds, nothing where it is told in another way."""
    doubts = Doubts()
    ratio = object_in(ingredient, "strength", doubts, "dose")
    held = amount_in(ratio, "numerator", doubts, "dose")
    per = amount_in(ratio, "denominator", doubts, "dose")
    if held is None or doubts or (per is not None and per.value != 1):
        return ""
    one = per is None or per.unit in {*FORMS.values(), ""} - {"ml"}
    said = held.text if one or per is None else f"{held.text}/{per.text}"
    return said[:_LONGEST_STRENGTH]
