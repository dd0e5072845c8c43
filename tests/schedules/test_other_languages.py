"""No word of a plan is English where another language is spoken."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pillweb.base import i18n
from pillweb.base.i18n import SafetyWords, Speech, speaking, speech
from pillweb.base.zones import zone
from pillweb.schedules.rules.compare import compare
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.doubts import doubts_about
from pillweb.schedules.rules.fhir.export import Told, resource_of
from pillweb.schedules.rules.fhir.imported import read_file
from pillweb.schedules.rules.guard import Medicine, Taking
from pillweb.schedules.rules.guard_words import allowance, moment_words, question
from pillweb.schedules.rules.journey import pharmacist_words
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.missed import missed_advice
from pillweb.schedules.rules.occurrences import occurrences
from pillweb.schedules.rules.two_weeks import preview
from pillweb.schedules.rules.words import in_words, intake_words, start_words

# Its dates have no Latin letters, and nobody else's words are kept under these choices.
ELSEWHERE = Speech("zh", "12", "arab")
AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
DAILY = {"kind": "clock", "start_date": "2026-11-16", "dose": "2 tablets"}
PRN = {"kind": "prn", "dose": "1 g", "min_interval_minutes": 240}
RULES: list[dict[str, Any]] = [
    {**DAILY, "times": ["08:00", "20:00"], "end_date": "2026-12-07", "count": 20},
    {**DAILY, "times": ["08:00", {"meal": "bedtime"}], "days": {"every": 14}},
    {**DAILY, "times": [{"meal": "lunch", "offset_min": -30}], "days": {"every": 3}},
    {**DAILY, "times": [{"meal": "wake"}, {"meal": "dinner", "offset_min": 60}]},
    {**DAILY, "times": ["08:00"], "days": {"weekdays": ["mon"], "every_n_weeks": 2}},
    {**DAILY, "times": ["08:00"], "days": {"month_day": 31, "every_n_months": 3}},
    {**DAILY, "times": ["08:00"], "days": {"month_day": 29, "every_n_months": 24}},
    {**DAILY, "times": ["08:00"], "days": {"cycle": [21, 7]}, "dose": "1/3 tablet"},
    {**DAILY, "times": [{"at": "08:00", "day_parity": 1, "weekdays": ["sun"]}]},
    {**DAILY, "times": [{"at": "09:00", "action": "remove"}], "dose": "1 patch"},
    {**DAILY, "times": ["12:00"], "dose": "apply"},
    {
        "kind": "clock",
        "start_date": "2026-11-16",
        "steps": [
            {"days": 3, "times": [{"at": "08:00", "dose": "40 mg"}]},
            {"days": None, "times": [{"at": "08:00", "dose": "0.5 tablet"}]},
        ],
    },
    {"kind": "interval", "first": "2026-11-16T08:00", "interval_hours": 8},
    {"kind": "once", "at": "2026-11-16T08:00", "dose": "1 to 2 tablets"},
    {**PRN, "max": {"doses": 4, "amount": "4 g", "hours": 24}},
]


A_WORD = re.compile(r"%\(\w+\)s|[A-Za-z]+")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak a language whose every word is a dash."""

    def without_words(message: str) -> str:
        is_english = speech().language == "en"
        return message if is_english else A_WORD.sub(_dash, message)

    monkeypatch.setattr(i18n, "_raw", without_words)
    monkeypatch.setattr(i18n, "_raw_in", lambda _, message: without_words(message))
    monkeypatch.setattr(i18n, "_raw_plural", lambda _, many, __: without_words(many))
    with speaking(ELSEWHERE):
        yield


def _dash(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("%") else "-"


def english_in(*said: str) -> list[str]:
    """Return the words of sentences that were said in English all the same.

    The English beside a sentence on safety is meant to be there.
    """
    own = [one.own if isinstance(one, SafetyWords) else one for one in said]
    return [word for one in own for word in re.findall(r"[A-Za-z]+", one)]


@pytest.mark.parametrize("rule", RULES)
def test_a_line(rule: dict[str, Any]) -> None:
    line = line_from_json(rule)
    told = in_words(line, "tablet")
    assert told
    assert english_in(told, start_words(line)) == []


@pytest.mark.parametrize("rule", RULES)
def test_what_changed(rule: dict[str, Any]) -> None:
    line, other = line_from_json(rule), line_from_json(RULES[0])
    paused = {"pauses": [{"from": "2026-12-01"}, {"from": "2027-12-01", "to": None}]}
    held = line_from_json({**rule, **paused, "zone_policy": "home"})
    said = [*compare([line], [other], "tablet"), *compare([line], [held], "tablet")]
    said += [*compare([held], [line], "tablet"), *compare([], [line], "tablet")]
    assert len(said) > 2
    assert english_in(*said) == []


def test_the_limits() -> None:
    line = line_from_json(
        {**PRN, "dose": "2 tablets", "max": {"doses": 4, "hours": 24}}
    )
    medicine = Medicine(1, "药", "tablet")

    def when(moment: datetime) -> str:
        return moment_words(moment, AT)

    said: list[str] = []
    for ago in (0, 1, 3, 4, 26):
        taken = [Taking(medicine, AT - timedelta(hours=ago), line.dose)] * 3
        said += allowance(line, medicine, taken, now=AT, when=when)
        asked = question(line, medicine, taken, at=AT, dose=line.dose, when=when)
        more = read_dose("3 tablets")
        said += [asked, question(line, medicine, (), at=AT, dose=more, when=when)]
    assert english_in(*said) == []


def test_a_missed_dose() -> None:
    for due in (True, False):
        told = missed_advice(
            line_from_json(RULES[0]),
            leaflet="",
            medicine_class="ordinary",
            is_dangerous=False,
            days_without=1,
            next_is_due=due,
        )
        assert told.sentences
        assert english_in(*told.sentences) == []


def test_what_is_asked_before_a_plan_starts() -> None:
    asked = doubts_about(
        [line_from_json({**RULES[0], "dose": "1"})],
        [line_from_json({**RULES[1], "dose": "4"})],
        unit="tablet",
        twins=[(1, "药")],
        has_doses=False,
        is_outdated=True,
        standing="-",
    )
    assert len(asked) == 6
    assert english_in(*(words for one in asked for words in one[1:])) == []


def test_two_weeks_and_their_clocks() -> None:
    place, first = zone("Europe/London"), date(2026, 10, 20)
    line = line_from_json({**RULES[0], "start_date": "2026-10-01"})

    def occur(line: Line, window: tuple[datetime, datetime]) -> Any:  # noqa: ANN401
        return occurrences(line, "Europe/London", window)

    days = preview([line], occur, place, first, "tablet")
    assert any(day.note for day in days)
    said = [one for day in days for pair in day.doses for one in pair]
    assert english_in(*said, *(word for day in days for word in day[::2])) == []


def test_a_journey() -> None:
    for hours in (1, 8):
        told = pharmacist_words(["Insulin"], timedelta(hours=hours))
        assert english_in(told) == ["Insulin"]


def test_what_was_told_before_is_not_kept_in_one_language() -> None:
    with speaking(Speech()):
        assert intake_words("2 tablets", "", "tablet") == "2 tablets"
    assert english_in(intake_words("2 tablets", "", "tablet")) == []


def test_a_file_for_other_systems_is_english() -> None:
    line = line_from_json(RULES[0])
    told = Told("1", "Aspirin", "active", [line], zone("Europe/London"), "tablet")
    text = str(resource_of("MedicationRequest", told))
    assert "2 tablets at 8am and 8pm, every day" in text


def test_the_doubts_about_a_file() -> None:
    dosage = """{"text": "-", "timing": {"repeat": {"frequency": 2, "period": 1,
        "periodUnit": "d", "dayOfWeek": ["mon"], "boundsDuration": {"value": 4,
        "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}}},
        "maxDosePerPeriod": {"numerator": {"value": 4, "unit": "mg"}}}"""
    text = f"""{{"resourceType": "MedicationRequest", "status": "on-hold",
        "intent": "order", "medicationCodeableConcept": {{"text": "-"}},
        "dosageInstruction": [{dosage}]}}"""
    (found,) = read_file(text, date(2026, 11, 20), "Europe/London").medicines
    told = found.answers
    said = (*told.reasons, told.standing, *(part.text for part in told.parts))
    assert len(told.reasons) > 1
    assert english_in(*said) == []
