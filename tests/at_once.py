"""Several threads that do one thing at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def at_once(count: int, deed: Callable[[int], Result]) -> list[Result]:
    """Let `count` threads begin a deed together, and give what each returned."""
    together = threading.Barrier(count)

    def begin(number: int) -> Result:
        together.wait(30)
        return deed(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))
