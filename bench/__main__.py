"""`python -m bench [question …]`: measure, and print the ratios."""

import sys
from importlib import import_module
from pathlib import Path

from bench.place import own_settings
from bench.table import show

QUESTIONS = [
    name
    for name in (
        "today",
        "planning",
        "horizon",
        "occurrences",
        "delivery",
        "storm",
        "report",
        "budget",
    )
    if (Path(__file__).parent / f"{name}.py").exists()
]


def main(wanted: list[str]) -> int:
    """Answer the questions asked, or all; return the exit code."""
    unknown = [name for name in wanted if name not in QUESTIONS]
    if unknown:
        print(f"Ask one of: {', '.join(QUESTIONS)}")
        return 2
    print(f"Python {sys.version.split()[0]}; each ratio is from one interleaved run")
    with own_settings() as folder:
        for name in wanted or QUESTIONS:
            show(import_module(f"bench.{name}").answer(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
