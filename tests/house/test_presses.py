"""What a link in a message or a printed code opens is believed only as a press."""

from collections.abc import Mapping

import pytest
from flask import Flask

from pillweb.base.db import Database
from pillweb.web.press import AGAIN
from tests.house.cast import Cast
from tests.house.good_forms import FORMS
from tests.house.policy import POLICY
from tests.house.rows import all_rows, changed
from tests.press import NO_PRESS, a_press

# What needs no press, and why.
WITHOUT = {
    "POST /t/<token>/direct/<verb>": "a button of a notification, on no page",
    "POST /t/<token>/opened": "what the page itself says; it only watches",
    "POST /live/<token>/<int:note_id>/shown": "in no message: an open page says it",
    "POST /e/<token>": "nothing to press but where it was asked for (test_entering)",
}
BEHIND_A_LINK = [
    route for route in POLICY if route.startswith("POST /") and "<token>" in route
]
# It only watches: what may have been a machine, and that a printed code was seen.
WATCHES = {"reminder_link"}


def of_machines(path: str) -> Mapping[str, Mapping[str, object]]:
    return {
        "a form that a script sends": a_press(path, by_button=False),
        "a press before anybody reads": a_press(path, after_s=2.9),
        "a press without the page": {**NO_PRESS, "press": "yes"},
    }


@pytest.mark.parametrize("route", [one for one in BEHIND_A_LINK if one not in WITHOUT])
def test_nothing_behind_a_link_believes_a_machine(
    app: Flask, db: Database, cast: Cast, pinned: object, route: str
) -> None:
    path = cast.url(route.split()[1], {"token": "rosa"})
    before = all_rows(db)
    for how, press in of_machines(path).items():
        data = {**FORMS.get(route, {}), **press}
        answer = cast.open(app, "nobody", "POST", path, data)
        assert answer.status_code == 303, how
        assert f"?{AGAIN}=" in answer.location, how
        assert set(changed(before, all_rows(db))) <= WATCHES, how
    # The same, as a person presses it, does something.
    deed = {**FORMS.get(route, {}), **a_press(path)}
    assert cast.open(app, "nobody", "POST", path, deed).status_code == 303


def test_what_needs_no_press_is_still_there() -> None:
    assert set(WITHOUT) < set(BEHIND_A_LINK)
