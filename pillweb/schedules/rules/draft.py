"""A plan that is not finished: the answers so far, and which question is next.

A part becomes one line. It is kept as the JSON of the line as far as it is known, so
that a question changes its own keys and loses none that no page shows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.line import Kind, Line
from pillweb.schedules.rules.line_json import line_from_json

How = Literal["clock", "meals", "interval", "prn", "once", "steps", "changing", "patch"]
Question = Literal[
    "medicine",
    "more",
    "how",
    "times",
    "steps",
    "interval",
    "needed",
    "once",
    "days",
    "dates",
    "text",
]
Json = dict[str, Any]

HOWS: tuple[How, ...] = get_args(How)
QUESTIONS: tuple[Question, ...] = get_args(Question)
OF_MEDICINE: tuple[Question, ...] = ("medicine", "more")
KIND_OF: Mapping[How, Kind] = {
    "clock": "clock",
    "meals": "clock",
    "changing": "clock",
    "patch": "clock",
    "steps": "clock",
    "interval": "interval",
    "prn": "prn",
    "once": "once",
}
_AT_TIMES: tuple[Question, ...] = ("times", "days", "dates")
QUESTIONS_OF: Mapping[How, tuple[Question, ...]] = {
    "clock": _AT_TIMES,
    "meals": _AT_TIMES,
    "changing": _AT_TIMES,
    "patch": _AT_TIMES,
    "steps": ("steps", "days", "dates"),
    "interval": ("interval", "dates"),
    "prn": ("needed",),
    "once": ("once",),
}
# What a page asks along with its own question, so that a short plan stays short.
ASKED_ALONG: tuple[How, ...] = ("steps",)
FACTS = (
    "name",
    "strength",
    "form",
    "reason",
    "instruction",
    "category",
    "codes",
    "ingredients",
    "missed_text",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One line as far as it is known, and the questions about it that are open.

    `text` is how the prescription or the file says it, word for word.
    """

    how: How | None = None
    line: Json = field(default_factory=dict)
    open: tuple[Question, ...] = ("how",)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything that was answered about one medicine.

    `medicine` holds texts by the names in FACTS; `open` is ("medicine",) until its
    name is known. `base` is the version of the plan that the answers began from.
    Of an import, `reasons` say why it needs checking, and `standing` why the file does
    not count the medicine as taken now.
    """

    medicine: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = (Part(),)
    open: tuple[Question, ...] = ("medicine",)
    base: int = 0
    reasons: tuple[str, ...] = ()
    standing: str = ""


def next_question(answers: Answers) -> tuple[int, Question] | None:
    """Return the part and the question to ask next, None when all is answered.

    What belongs to the medicine itself is asked at part 0.
    """
    if answers.open:
        return 0, answers.open[0]
    for number, part in enumerate(answers.parts):
        if part.open:
            return number, min(part.open, key=QUESTIONS.index)
    return None


def question_at(answers: Answers, number: int, name: str) -> Question | None:
    """Return the question of this name where that part answers it, else None."""
    if number >= len(answers.parts):
        return None
    part = answers.parts[number]
    asked = (*OF_MEDICINE, *questions_of(part), "text")
    return next((one for one in QUESTIONS if one == name and one in asked), None)


def question_before(
    answers: Answers, number: int, question: Question
) -> tuple[int, Question] | None:
    """Return the part and the question that was asked before, None for the first."""
    order: list[tuple[int, Question]] = [(0, "medicine")]
    order += [
        (place, asked)
        for place, part in enumerate(answers.parts)
        for asked in questions_of(part)
    ]
    here = (number, question)
    place = order.index(here) if here in order else 1 if question == "more" else 0
    return order[place - 1] if place else None


def with_new_part(answers: Answers) -> Answers:
    """Return the answers with one more part, unless one is still to be begun."""
    if answers.parts[-1:] == (Part(),):
        return answers
    return replace(answers, parts=(*answers.parts, Part()))


def questions_of(part: Part) -> tuple[Question, ...]:
    """Return the questions that a part of this kind answers, in their order."""
    asked: tuple[Question, ...] = QUESTIONS_OF[part.how] if part.how else ()
    return ("how", *asked)


def line_of(part: Part) -> Line:
    """Return the line that a part says.

    Raises:
        ValueError: a question is open, or the answers do not fit together.
    """
    if part.open or part.how is None:
        raise ValueError(_("This part has an open question."))
    return line_from_json({**part.line, "kind": KIND_OF[part.how]})


def lines_of(answers: Answers) -> list[Line]:
    """Return the plan that the answers say.

    Raises:
        ValueError: a question is open, or the answers do not fit together.
    """
    return [line_of(part) for part in answers.parts]


def known_lines(answers: Answers) -> list[Line]:
    """Return the lines of the parts that are answered and fit together."""
    return [line_of(part) for part in answers.parts if not problem_in(part)]


def problem_in(part: Part) -> str:
    """Return what is wrong with a part as a sentence, nothing where it is a line."""
    try:
        line_of(part)
    except ValueError as problem:
        return str(problem)
    return ""


def how_of(line: Mapping[str, Any]) -> How | None:
    """Return the way in which a line is asked for, None where its kind is not known."""
    kind: Kind | None = line.get("kind")
    if kind != "clock":
        return None if kind is None else kind
    if line.get("steps"):
        return "steps"
    times = [entry for entry in line.get("times", ()) if isinstance(entry, Mapping)]
    if any("meal" in entry for entry in times):
        return "meals"
    if line.get("action") or any("action" in entry for entry in times):
        return "patch"
    narrowed = any("weekdays" in entry or "day_parity" in entry for entry in times)
    return "changing" if narrowed else "clock"


def part_of(
    line: Mapping[str, Any] | None, *, missing: Collection[str] = (), text: str = ""
) -> Part:
    """Return a part that already knows a line, or what an import found of one.

    `missing` names what a person must still choose, in the words of the import: dose,
    times, start_date, first, end_date, days, max, min_interval_minutes, zone, text,
    timing. Each opens the question that asks for it.
    """
    known = {key: value for key, value in (line or {}).items() if key != "next_slot"}
    how = None if "timing" in missing else how_of(known)
    known.pop("kind", None)
    for times in (known, *known.get("steps", ())):
        if "times" in times:
            times["times"] = [_without_slot(entry) for entry in times["times"]]
    part = Part(how=how, line=known, open=(), text=text)
    opened = {_question_about(word, part) for word in missing if word != "medication"}
    if how is None:
        opened.add("how")
    return replace(part, open=tuple(sorted(opened, key=QUESTIONS.index)))


def _without_slot(entry: Any) -> Any:  # noqa: ANN401 - a time is text or an object
    if not isinstance(entry, Mapping):
        return entry
    return {key: value for key, value in entry.items() if key != "slot"}


def _question_about(word: str, part: Part) -> Question:
    if word == "text":
        return "text"
    if part.how is None:
        return "how"
    asked = QUESTIONS_OF[part.how]
    wanted: Question = "days" if word == "days" else "dates"
    dated = word in ("start_date", "end_date", "first", "zone", "days")
    return wanted if dated and wanted in asked else asked[0]


def answers_of(
    lines: Iterable[Mapping[str, Any] | None],
    medicine: Mapping[str, str],
    *,
    missing: Sequence[Collection[str]] = (),
    texts: Sequence[str] = (),
    base: int = 0,
) -> Answers:
    """Return the answers that a plan gives, or what an import found of one.

    `lines` are the JSON of lines, None where nothing structured was found; `missing`
    and `texts` stand beside them, one for each.
    """
    parts = tuple(
        part_of(
            _copied(line) if line else None,
            missing=missing[place] if place < len(missing) else (),
            text=texts[place] if place < len(texts) else "",
        )
        for place, line in enumerate(lines)
    )
    facts = {key: medicine[key] for key in FACTS if medicine.get(key)}
    nameless = not facts.get("name") or any("medication" in one for one in missing)
    opened: tuple[Question, ...] = ("medicine",) if nameless else ()
    return Answers(facts, parts or (Part(),), opened, base)


def _copied(line: Mapping[str, Any]) -> Json:
    steps = [dict(step) for step in line.get("steps", ())]
    return {**line, "steps": steps} if steps else dict(line)


def answered(
    answers: Answers, number: int, question: Question, line: Json | None = None
) -> Answers:
    """Return the answers with one question of a part closed; `line` is its new JSON."""
    if question in OF_MEDICINE:
        return replace(answers, open=_but(answers.open, question))
    part = answers.parts[number]
    kept = part.line if line is None else line
    return with_part(
        answers, number, replace(part, line=kept, open=_but(part.open, question))
    )


def _but(questions: tuple[Question, ...], question: Question) -> tuple[Question, ...]:
    return tuple(one for one in questions if one != question)


def with_how(answers: Answers, number: int, how: How) -> Answers:
    """Return the answers where a part is taken another way.

    What still fits is kept, and every question of the new way is open; another kind
    of line begins anew.
    """
    part = answers.parts[number]
    if part.how == how and "how" not in part.open:
        return answers
    fits = part.how is None or (
        KIND_OF[part.how] == KIND_OF[how] and "steps" not in (part.how, how)
    )
    line = part.line if fits else {}
    settle: tuple[Question, ...] = ("text",) if "text" in part.open else ()
    asked = QUESTIONS_OF[how][:1] if how in ASKED_ALONG else QUESTIONS_OF[how]
    return with_part(
        answers, number, replace(part, how=how, line=line, open=(*asked, *settle))
    )


def without_part(answers: Answers, number: int) -> Answers:
    """Return the answers without a part; the last one stays, begun anew."""
    parts = (*answers.parts[:number], *answers.parts[number + 1 :])
    return replace(answers, parts=parts or (Part(),))


def with_part(answers: Answers, number: int, part: Part) -> Answers:
    """Return the answers with a part replaced."""
    parts = (*answers.parts[:number], part, *answers.parts[number + 1 :])
    return replace(answers, parts=parts)


def answers_to_json(answers: Answers) -> Json:
    """Return the JSON object that `answers_from_json` reads back."""
    return {
        "medicine": dict(answers.medicine),
        "open": list(answers.open),
        "base": answers.base,
        "reasons": list(answers.reasons),
        "standing": answers.standing,
        "parts": [
            {
                "how": part.how,
                "line": part.line,
                "open": list(part.open),
                "text": part.text,
            }
            for part in answers.parts
        ],
    }


def answers_from_json(given: Mapping[str, Any]) -> Answers:
    """Return the answers that were kept."""
    return Answers(
        medicine=given.get("medicine", {}),
        parts=tuple(
            Part(one["how"], one["line"], tuple(one["open"]), one["text"])
            for one in given.get("parts", ())
        ),
        open=tuple(given.get("open", ())),
        base=given.get("base", 0),
        reasons=tuple(given.get("reasons", ())),
        standing=given.get("standing", ""),
    )
