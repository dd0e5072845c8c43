"""Prints one table of all that was counted."""

from collections.abc import Callable

import pytest

from tests.faults.long.figures import HEAD, Figures

FOUND: list[Figures] = []


@pytest.fixture
def note() -> Callable[[Figures], None]:
    """Take a line of the table."""
    return FOUND.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the table: counts, then seconds."""
    if not FOUND:
        return
    lines = [HEAD, *(figures.cells for figures in FOUND)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        terminalreporter.write_line(" | ".join(cells).rstrip())
