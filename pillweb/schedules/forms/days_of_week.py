"""The days of the week as a form offers them."""

from wtforms.fields.choices import (  # type: ignore[attr-defined]
    SelectChoice,
)

from pillweb.base.words import weekday_name
from pillweb.schedules.rules.line import WEEKDAYS
from pillweb.web.forms import choices


def weekday_choices() -> list[SelectChoice]:
    """Return the days by their codes, named in the language of whom asks."""
    named = ((code, weekday_name(place)) for place, code in enumerate(WEEKDAYS))
    return choices(*named)
