"""The numbers to call are those of the country the person lives in."""

from dataclasses import replace

import pytest

from pillweb.base.emergency import country_of, help_in
from pillweb.base.known_settings import Settings
from pillweb.base.zones import all_zones


@pytest.mark.parametrize(
    ("zone", "emergency", "poison"),
    [
        ("Europe/London", "999", "111"),
        ("America/Chicago", "911", "1-800-222-1222"),
        ("US/Pacific", "911", "1-800-222-1222"),
        ("Europe/Berlin", "112", ""),
        ("Australia/Lord_Howe", "000", "13 11 26"),
        ("UTC", "112", ""),
        ("nowhere", "112", ""),
    ],
)
def test_numbers_are_of_the_country(zone: str, emergency: str, poison: str) -> None:
    assert help_in(zone, Settings()) == (emergency, poison)


def test_a_setting_comes_before_the_country() -> None:
    chosen = replace(Settings(), emergency_number="000", poison_number="555")
    assert help_in("Europe/London", chosen) == ("000", "555")


def test_every_zone_one_can_choose_has_its_country() -> None:
    assert {zone for zone in all_zones() if len(country_of(zone)) != 2} == set()
    assert country_of("Asia/Calcutta") == "IN"
