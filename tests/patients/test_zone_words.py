"""Time zones in the words people look for: the city first."""

import pytest

from pillweb.patients.forms import zone_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Europe/London", "London, Europe"),
        ("America/New_York", "New York, America"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires, Argentina"),
        ("UTC", "UTC"),
    ],
)
def test_the_city_comes_first(name: str, words: str) -> None:
    assert zone_words(name) == words
