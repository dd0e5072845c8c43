"""A PillWeb that may be killed, for browsers without a connection."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.site import Site, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A PillWeb of its own, for here it is killed."""
    folder = tmp_path_factory.mktemp("offline")
    with running_site(folder, "tests.e2e.family") as started:
        yield started


@pytest.fixture(scope="module")
def _signed_in() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def next_neighbour(site: Site) -> Callable[[], str]:
    """Give the address of a neighbour nobody has tapped for yet."""
    left = iter(site.facts["neighbours"])
    return lambda: f"/patients/{next(left)}"
