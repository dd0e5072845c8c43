"""The words that stand beside the codes of a dosage."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.claims import read_claims
from pillweb.schedules.rules.fhir.compare import disagreements
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    all_words_of,
    objects_in,
    text_in,
)
from pillweb.schedules.rules.fhir.quantity import Amount, unit_word
from pillweb.schedules.rules.fhir.spelling import plain_words
from pillweb.schedules.rules.line import Line

_NEVER_KNOWN = frozenset(
    {
        "not",
        "no",
        "never",
        "then",
        "stop",
        "except",
        "unless",
        "only",
        "alternate",
        "alternating",
        "other",
        "if",
        "until",
        "after",
        "before",
        "or",
        "but",
        "without",
        "skip",
        "double",
        "half",
    }
)
_SHORTEST_NAME = 3
_SHOWN = 160
_LONGEST = 2000  # of a text: each word is compared with every phrase
_STRENGTH = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?) (mg|g|micrograms?|mcg)\b")


def texts_of(dosage: Element) -> tuple[str, ...]:
    """Return the words of a dosage itself, each once, as they were written."""
    timing = dosage.get("timing")
    found: list[object] = [dosage.get("text"), dosage.get("patientInstruction")]
    more = dosage.get("additionalInstruction")
    for concept in more if isinstance(more, list) else []:
        found += all_words_of(concept)
    if isinstance(timing, Mapping):
        found += all_words_of(timing.get("code"))
    return _tidy(found)


def check_words(resource: Element, dosage: Element, doubts: Doubts) -> None:
    """Doubt words that we cannot read, and instructions that are only a code."""
    for key in ("text", "patientInstruction"):
        text_in(dosage, key, doubts, "text")
    timing = dosage.get("timing")
    code = timing.get("code", {}) if isinstance(timing, Mapping) else {}
    if not isinstance(code, Mapping):
        doubts.add("timing", _("We cannot read the code of the timing."))
    told = objects_in(dosage, "additionalInstruction", doubts, "text")
    if any(not all_words_of(concept) for concept in told):
        doubts.add("text", _("An instruction is only a code, without words."))
    notes = objects_in(resource, "note", doubts, "text")
    for note in notes:
        text_in(note, "text", doubts, "text")


def notes_of(resource: Element) -> tuple[str, ...]:
    """Return the notes of a resource, which hold for each of its dosages."""
    notes = resource.get("note")
    return _tidy(
        note.get("text")
        for note in (notes if isinstance(notes, list) else [])
        if isinstance(note, Mapping)
    )


def _tidy(texts: Iterable[object]) -> tuple[str, ...]:
    words = (" ".join(one.split()) for one in texts if isinstance(one, str))
    return tuple(dict.fromkeys(one for one in words if re.search(r"\w", one)))


def compare_texts(
    texts: Iterable[str],
    line: Line,
    names: Iterable[str],
    beside: Iterable[str],
    doubts: Doubts,
) -> None:
    """Doubt every text that says more, or something else, than the line.

    `names` are the medicine's; `beside` are words of its route, site and reason.
    """
    short = {plain_words(name) for name in names if len(name) < _LONGEST}
    spelled = sorted(short, key=len, reverse=True)
    known = _words([*spelled, *map(plain_words, beside)])
    known |= (
        _words([line.dose.unit, f"{line.dose.unit}s"]) if line.dose else frozenset()
    )
    if line.sequence > 1:
        known |= {"then"}
    strength = _strength(spelled)
    for text in texts:
        if len(text) > _LONGEST:
            doubts.add("text", _("Its words are too many to compare with the codes."))
            continue
        left = plain_words(text)
        for name in spelled:
            if len(name) >= _SHORTEST_NAME:
                left = re.sub(rf"(?<!\w){re.escape(name)}s?(?!\w)", ",", left)
        for sentence in disagreements(left, line, known, strength):
            doubts.add("text", sentence)


def _strength(names: Iterable[str]) -> Amount | None:
    """Return the one strength that the medicine's names give, None for none or more."""
    found = {
        Amount(Decimal(number), unit_word(unit))
        for name in names
        for number, unit in _STRENGTH.findall(name)
    }
    combined = any(re.search(r"\d\s?\w*/", name) for name in names)
    return found.pop() if len(found) == 1 and not combined else None


def tell_texts(texts: Iterable[str], doubts: Doubts, *, timed: bool) -> None:
    """Show the words beside codes that give no line; strange ones want a look.

    `timed` says that some codes for the time stand there.
    """
    for text in texts:
        if timed and (len(text) > _LONGEST or read_claims(text, frozenset()).strange):
            told = _('Read its words as well: "%(words)s".', words=text[:_SHOWN])
            doubts.add("text", told)
        elif doubts:
            told = _('Its words are: "%(words)s".', words=text[:_SHOWN])
            doubts.add(doubts.missing[0], told)


def _words(texts: Iterable[str]) -> frozenset[str]:
    found = {word for text in texts for word in re.findall(r"[^\W\d_]+", text)}
    return frozenset(found - _NEVER_KNOWN)


def beside_of(resource: Element, dosage: Element) -> tuple[str, ...]:
    """Return the words of route, site, method and reasons, which a text may repeat."""
    reasons = resource.get("reasonCode")
    concepts = [dosage.get(key) for key in ("route", "site", "method")]
    concepts += reasons if isinstance(reasons, list) else []
    concepts.append(dosage.get("asNeededCodeableConcept"))
    found = [words for concept in concepts for words in all_words_of(concept)]
    return (*found, "for") if found else ()
