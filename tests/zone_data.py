"""Zone data of a test's own: what a newer or older tzdata would say."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, reset_tzpath  # noqa: TID251 - other data on purpose

import tzdata  # type: ignore[import-untyped]  # it ships data, not types

from pillweb.base import zones


def _forget() -> None:
    ZoneInfo.clear_cache()
    zones.zone.cache_clear()
    zones.instant.cache_clear()


@contextmanager
def zone_data(folder: Path, version: str, same_as: Mapping[str, str]) -> Iterator[None]:
    """Let some zones have the clocks of others, as a version of another name says."""
    data = resources.files("tzdata.zoneinfo")
    for name, other in same_as.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.joinpath(other).read_bytes())
    before = tzdata.IANA_VERSION
    reset_tzpath((str(folder),))
    tzdata.IANA_VERSION = version
    _forget()
    try:
        yield
    finally:
        reset_tzpath(())
        tzdata.IANA_VERSION = before
        _forget()
