"""Which form asks which question of a draft, and what its answer changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from werkzeug.datastructures import MultiDict

from pillweb.medications.rules import ORDINARY, unit_of
from pillweb.schedules.forms.describe import MoreForm, NameForm
from pillweb.schedules.forms.limits import IntervalForm, NeededForm, OnceForm
from pillweb.schedules.forms.questions import (
    DatesForm,
    DaysForm,
    HowForm,
    QuestionForm,
)
from pillweb.schedules.forms.reading import read_dose_text
from pillweb.schedules.forms.rows import MOST_ROWS, Row, RowsForm, typed_rows
from pillweb.schedules.forms.steps import StepsForm, step_row
from pillweb.schedules.forms.times import EVERY_DAY, TimesForm, row_of
from pillweb.schedules.rules.draft import (
    Answers,
    Json,
    Part,
    Question,
    answered,
    with_how,
    with_part,
)
from pillweb.schedules.rules.line import MEALS
from pillweb.schedules.rules.offered_class import offered_class
from pillweb.web.forms import Form

ONE_ANSWER: Mapping[Question, type[QuestionForm]] = {
    "days": DaysForm,
    "dates": DatesForm,
    "interval": IntervalForm,
    "needed": NeededForm,
    "once": OnceForm,
}
IN_ROWS: Mapping[Question, type[RowsForm]] = {"times": TimesForm, "steps": StepsForm}
EMPTY_ROWS = 4
EMPTY_STEPS = 3
Posted = MultiDict[str, str]


def unit_in(answers: Answers) -> str:
    """Return the unit of the medicine that a draft is about."""
    return unit_of(answers.medicine.get("form", ""))


def ask(
    answers: Answers,
    number: int,
    question: Question,
    *,
    today: date,
    posted: Posted | None = None,
) -> Form:
    """Return the form of a question as it was answered, or with what was posted."""
    part = answers.parts[number]
    if question == "medicine":
        return NameForm(answers.medicine)
    if question == "more":
        return MoreForm.of(answers.medicine)
    if question == "how":
        return HowForm({"how": part.how})
    if question in IN_ROWS:
        return _ask_rows(answers, part, question, today=today, posted=posted)
    if question in ONE_ANSWER:
        form = ONE_ANSWER[question].shown(part, today=today)
        form.unit, form.kept = unit_in(answers), tuple(_amounts(part.line))
        return form
    return Form()


def _amounts(line: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield every text that stands for an amount in a line's JSON."""
    if isinstance(line, Mapping):
        for key, value in line.items():
            if key in ("dose", "amount") and isinstance(value, str):
                yield value
            else:
                yield from _amounts(value)
    elif isinstance(line, list):
        for one in line:
            yield from _amounts(one)


def _ask_rows(
    answers: Answers,
    part: Part,
    question: Question,
    *,
    today: date,
    posted: Posted | None,
) -> RowsForm:
    unit, kept = unit_in(answers), tuple(_amounts(part.line))
    read = partial(read_dose_text, unit=unit, kept=kept)
    form = IN_ROWS[question]
    more: Json = {}
    if question == "steps":
        start = part.line.get("start_date")
        more = {"start_on": date.fromisoformat(start) if start else today}
    if posted is None:
        rows = _step_rows(part) if question == "steps" else _time_rows(part)
        return form.of(rows, read, **more)
    rows = typed_rows(form.columns, posted, posted.to_dict(flat=False))
    if not {"add", "remove"} & posted.keys():
        return form.of(rows or [{}], read)
    more |= {"span": posted.get("span", EVERY_DAY)} if question == "times" else {}
    return form.of(_other_rows(rows, posted), read, bind=False, **more)


def _other_rows(rows: Sequence[Row], posted: Posted) -> list[Row]:
    """Return the rows with one more, or without one."""
    if "add" in posted:
        return [*rows, {}][:MOST_ROWS]
    gone = posted["remove"]
    return [row for place, row in enumerate(rows) if str(place) != gone] or [{}]


def _step_rows(part: Part) -> list[Row]:
    steps = part.line.get("steps", [])
    rows = [step_row(step, place, part.line) for place, step in enumerate(steps)]
    return rows or [{} for _ in range(EMPTY_STEPS)]


def _time_rows(part: Part) -> list[Row]:
    rows = [row_of(entry, part.line) for entry in part.line.get("times", ())]
    if part.how == "meals":
        used = {row["meal"] for row in rows}
        rows += [{"meal": meal} for meal in MEALS if meal not in used]
        return sorted(rows, key=_by_meal)
    if rows:
        return [*rows, {}]
    if part.how == "patch":
        return [{"action": "apply"}, {"action": "remove"}]
    known = {"amount": part.line["dose"]} if "dose" in part.line else {}
    return [known, *({} for _ in range(EMPTY_ROWS - 1))]


def _by_meal(row: Row) -> int:
    return MEALS.index(row["meal"]) if row["meal"] else len(MEALS)


def is_first_time(part: Part) -> bool:
    """Say whether a part's days and dates were not asked for yet."""
    return {"days", "dates"} <= set(part.open)


def answer(
    form: Form, answers: Answers, number: int, question: Question, *, today: date
) -> Answers:
    """Return the answers with what a good form says."""
    part = answers.parts[number]
    match form:
        case NameForm() | MoreForm():
            facts = {**answers.medicine, **form.facts()}
            done = replace(answered(answers, 0, question), medicine=facts)
            return _offering(done) if question == "medicine" else done
        case HowForm():
            return with_how(answers, number, form.how.data)
        case TimesForm():
            return _with_times(form, answers, number, today=today)
        case QuestionForm() | StepsForm():
            return answered(answers, number, question, form.answer(part))
    return answered(answers, number, question)


def _offering(answers: Answers) -> Answers:
    """Ask what kind of medicine it is where its name suggests that it matters."""
    is_known = answers.medicine.get("category")
    if is_known or offered_class(answers.medicine["name"]) == ORDINARY:
        return answers
    return replace(answers, open=(*answers.open, "more"))


def _with_times(
    form: TimesForm, answers: Answers, number: int, *, today: date
) -> Answers:
    part = answers.parts[number]
    line = form.answer(part)
    is_plain = is_first_time(part) and form.span.data == EVERY_DAY
    if is_plain:
        line = {"start_date": today.isoformat(), **line}
    done = answered(answers, number, "times", line)
    if not is_plain:
        return done
    part = done.parts[number]
    still = tuple(one for one in part.open if one not in ("days", "dates"))
    return with_part(done, number, replace(part, open=still))
