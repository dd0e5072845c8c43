"""What every question stands on: interleaved timing, and the table of ratios."""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Measure:
    """One ratio with its goal; `at_least` says in which direction the goal lies."""

    name: str
    value: float
    goal: float | None = None
    at_least: bool = False
    unit: str = "x"
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass
class Answer:
    """What one question found."""

    question: str
    measures: list[Measure] = field(default_factory=list)

    def add(  # noqa: D102 - a shorter way to write Measure
        self,
        name: str,
        value: float,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        unit: str = "x",
        detail: str = "",
    ) -> None:
        goal = at_least if at_most is None else at_most
        self.measures.append(
            Measure(name, value, goal, at_least is not None, unit, detail)
        )


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    times: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time the calls in turns; return the seconds of one call in each round.

    The cores are shared with others, so what is compared runs side by side.
    """
    repeat = times or {}
    found: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for number in range(rounds):
        order = list(calls.items())
        for name, call in order if number % 2 else reversed(order):
            count = repeat.get(name, 1)
            began = clock()
            for _ in range(count):
                call()
            found[name].append((clock() - began) / count)
    return found


def ratio(found: Mapping[str, Sequence[float]], what: str, to: str) -> float:
    """Return the median of the ratios of neighbouring rounds."""
    return statistics.median(
        a / b for a, b in zip(found[what], found[to], strict=True) if b
    )


def show(answer: Answer) -> None:
    """Print the table of one question and keep it as JSON."""
    print(f"\n{answer.question}")
    for one in answer.measures:
        sign = {True: "✓", False: "✗", None: " "}[one.met]
        words = (
            "" if one.goal is None else f"{'≥' if one.at_least else '≤'} {one.goal:g}"
        )
        value = f"{one.value:,.2f}" if one.value < 1000 else f"{one.value:,.0f}"
        line = f"  {sign} {one.name:<58}{value:>9} {one.unit:<6}{words:<9}{one.detail}"
        print(line.rstrip())
    RESULTS.mkdir(exist_ok=True)
    kept = {
        "question": answer.question,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251
        "python": sys.version,
        "platform": platform.platform(),
        "measures": [asdict(one) | {"met": one.met} for one in answer.measures],
    }
    text = json.dumps(kept, indent=2, ensure_ascii=False)
    (RESULTS / f"{answer.question}.json").write_text(text + "\n")
