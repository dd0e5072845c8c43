"""How old the zone data is, as the health page tells it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from pillweb.base import zones
from pillweb.watch import views as health


@pytest.mark.parametrize(("days", "is_old"), [(179, False), (181, True)])
def test_zone_data_older_than_half_a_year_is_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch, days: int, *, is_old: bool
) -> None:
    installed = datetime(2026, 3, 1, tzinfo=UTC)
    monkeypatch.setattr(zones, "tzdata_installed", lambda: installed)
    with time_machine.travel(installed + timedelta(days=days), tick=False):
        answer = app.test_client().get("/readyz").get_json()
    assert answer["tzdata"] == zones.tzdata_version()
    assert answer.get("warnings", []) == [health.OLD_ZONES] * is_old


def test_the_date_of_installation_is_known() -> None:
    assert zones.tzdata_installed() > datetime(2026, 1, 1, tzinfo=UTC)
