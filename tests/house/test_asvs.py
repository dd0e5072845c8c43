"""docs/asvs.md: every requirement and point is there once, and every test it names."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/asvs.md").read_text()
# OWASP ASVS 5.0.0, levels 1 and 2, by chapter.
REQUIREMENTS = {
    (1, 1): 8, (1, 2): 19, (2, 1): 4, (2, 2): 7, (3, 1): 8, (3, 2): 11,
    (4, 1): 2, (4, 2): 8, (5, 1): 4, (5, 2): 5, (6, 1): 13, (6, 2): 22,
    (7, 1): 6, (7, 2): 12, (8, 1): 4, (8, 2): 3, (9, 1): 4, (9, 2): 3,
    (10, 1): 5, (10, 2): 24, (11, 1): 3, (11, 2): 11, (12, 1): 3, (12, 2): 6,
    (13, 1): 1, (13, 2): 12, (14, 1): 2, (14, 2): 7, (15, 1): 3, (15, 2): 10,
    (16, 2): 16, (17, 2): 7,
}  # fmt: skip
POINTS = 66
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows(heading: str) -> Iterator[list[str]]:
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in part.splitlines():
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        if cells and cells[0].strip()[0].isdigit():
            yield [cell.strip() for cell in cells]


def expanded(numbers: str) -> list[tuple[int, int, int]]:
    first, _, last = numbers.partition("-")
    chapter, section, begin = map(int, first.split("."))
    end = int(last.split(".")[2]) if last else begin
    return [(chapter, section, number) for number in range(begin, end + 1)]


def test_each_requirement_has_its_line_once() -> None:
    found = [
        (number, int(level))
        for numbers, level, *_ in rows("The standard")
        for number in expanded(numbers)
    ]
    assert len(set(found)) == len(found)
    counts = Counter((number[0], level) for number, level in found)
    assert counts == REQUIREMENTS


def test_each_point_has_its_line_once() -> None:
    assert [int(number) for number, *_ in rows("Sixty-six points")] == list(
        range(1, POINTS + 1)
    )


@pytest.mark.parametrize("heading", ["The standard", "Sixty-six points"])
def test_each_line_is_shown_by_a_test_or_says_why_not(heading: str) -> None:
    for number, *_, shown in rows(heading):
        tests = NAMED.findall(shown)
        if heading == "The standard":
            assert tests or "reason: " in shown or "static: " in shown, number
        else:
            assert tests, number
        for file, name in tests:
            path = TESTS / file
            assert path.exists(), f"{number}: {file}"
            assert f"def {name}(" in path.read_text(), f"{number}: {file}::{name}"
        left = re.sub(r"`[^`]*`", "", NAMED.sub("", shown))
        assert "::" not in left, number
