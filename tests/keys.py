"""Two keys of FIELD_KEYS, and a process that is started with other ones."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pillweb.base.crypto import key_name, key_of
from tests.conftest import use_settings

FIRST = os.environ["FIELD_KEYS"]
SECOND = base64.urlsafe_b64encode(bytes(range(40, 72))).decode()
NAMES = {key: key_name(base64.urlsafe_b64decode(key)).hex() for key in (FIRST, SECOND)}


def with_keys(*keys: str, **more: str) -> None:
    """Go on as a process that was started with these keys."""
    use_settings(FIELD_KEYS=",".join(keys), **more)
    key_of.cache_clear()


@contextmanager
def keys_change() -> Iterator[None]:
    """Bring the keys of before back in the end."""
    try:
        yield
    finally:
        os.environ.pop("INDEX_KEY", None)
        with_keys(FIRST)
