"""How a person presses the button of a page behind a link, as forms send it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.clock import now
from pillweb.channels.marks import mark_of
from pillweb.web.press import BUTTON, SHOWN

BEHIND_A_LINK = re.compile(r"/[a-z]/([^/?]+)(?!.*/(?:direct|opened))")
# What form.submit() of a script sends.
NO_PRESS = {SHOWN: ""}


def a_press(
    path: str, *, after_s: float = 5, by_button: bool = True
) -> dict[str, object]:
    """Return the fields of a press so long after the page of a path was shown."""
    found = BEHIND_A_LINK.match(path)
    stamp = str(int((now() - timedelta(seconds=after_s)).timestamp() * 1000))
    about = found[1] if found else path
    fields: dict[str, object] = {SHOWN: f"{stamp}.{mark_of(f'shown:{about}:{stamp}')}"}
    return fields | ({BUTTON: "yes"} if by_button else {})


class PersonsBrowser(FlaskClient):
    """A browser whose user reads a page before they press its button."""

    def open(self, *args: Any, **options: Any) -> TestResponse:  # noqa: ANN401 - its own
        """Send a request; a POST to a page behind a link is a press, unless told."""
        path = args[0] if args and isinstance(args[0], str) else ""
        data = options.get("data") or {}
        is_form = isinstance(data, Mapping) and SHOWN not in data
        is_post = options.get("method") == "POST"
        if is_post and is_form and BEHIND_A_LINK.match(path):
            options["data"] = {**a_press(path), **data}
        return super().open(*args, **options)
