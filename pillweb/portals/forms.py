"""What people type about a patient's clocks and meals."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Any

from wtforms import BooleanField, RadioField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Optional

from pillweb.base.i18n import gettext, gettext_noop
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.words import time_words
from pillweb.base.zones import UnknownZone, all_zones, to_utc, zone
from pillweb.patients.forms import zone_words
from pillweb.schedules.forms.reading import read_time
from pillweb.schedules.rules.line import MEALS, Meals
from pillweb.web.forms import Form, choices, day_field, said

TRAVEL, HOME = "travel", "home"
NOW, LATER = "now", "later"
BEFORE = {
    "wake": gettext_noop("This is before getting up, %(time)s."),
    "breakfast": gettext_noop("This is before breakfast, %(time)s."),
    "lunch": gettext_noop("This is before lunch, %(time)s."),
    "dinner": gettext_noop("This is before evening meal, %(time)s."),
}
NOON = time(12)
WEEKEND = "weekend_"


def _is_time(_form: Form, field: StringField) -> None:
    try:
        read_time(said(field))
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _time_field(label: str, *, missing: str = "") -> StringField:
    needed = InputRequired(missing) if missing else Optional()
    return StringField(
        label, validators=[needed, _is_time], render_kw={"autocomplete": "off"}
    )


class MealsForm(Form):
    """When a patient eats and sleeps; the weekend may differ."""

    wake = _time_field(
        _("Getting up"), missing=_("Write when this is, such as 7.30am.")
    )
    breakfast = _time_field(
        _("Breakfast"), missing=_("Write when this is, such as 8am.")
    )
    lunch = _time_field(_("Lunch"), missing=_("Write when this is, such as 12.30pm."))
    dinner = _time_field(
        _("Evening meal"), missing=_("Write when this is, such as 6pm.")
    )
    bedtime = _time_field(_("Bedtime"), missing=_("Write when this is, such as 10pm."))
    differs = BooleanField(_("Saturday and Sunday are different"))
    weekend_wake = _time_field(_("Getting up at the weekend"))
    weekend_breakfast = _time_field(_("Breakfast at the weekend"))
    weekend_lunch = _time_field(_("Lunch at the weekend"))
    weekend_dinner = _time_field(_("Evening meal at the weekend"))
    weekend_bedtime = _time_field(_("Bedtime at the weekend"))

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Refuse meals out of order, and a bedtime that counts for the next day."""
        if not super().validate(extra_validators):
            return False
        usual = self._times("")
        fine = self._in_order("", usual)
        if self.differs.data:
            fine = self._in_order(WEEKEND, usual | self._times(WEEKEND)) and fine
        return fine

    def _in_order(self, prefix: str, times: Mapping[str, time]) -> bool:
        if times["bedtime"] < NOON:
            self._say(prefix + "bedtime", gettext("Choose a bedtime before midnight."))
            return False
        for earlier, later in pairwise(MEALS):
            if times[later] < times[earlier]:
                at = time_words(times[earlier])
                self._say(prefix + later, gettext(BEFORE[earlier], time=at))
                return False
        return True

    def _say(self, name: str, sentence: str) -> None:
        field = self[name]
        field.errors = [*field.errors, sentence]

    def _times(self, prefix: str) -> dict[str, time]:
        typed = {str(meal): self[prefix + meal].data or "" for meal in MEALS}
        return {meal: read_time(text) for meal, text in typed.items() if text}

    def meals(self) -> dict[str, Any]:
        """Return what was typed, as the JSON of `Meals`."""
        told: dict[str, Any] = _written(self._times(""))
        weekend = _written(self._times(WEEKEND)) if self.differs.data else {}
        return told | ({"weekend": weekend} if weekend else {})


def _written(times: Mapping[str, time]) -> dict[str, str]:
    return {meal: f"{at:%H:%M}" for meal, at in times.items()}


def meals_form(meals: Meals) -> MealsForm:
    """Return the form as these meals fill it."""
    typed = {str(meal): time_words(at) for meal, at in meals.usual}
    typed |= {WEEKEND + meal: time_words(at) for meal, at in meals.weekend}
    data: dict[str, object] = {**typed, "differs": bool(meals.weekend)}
    return MealsForm(data=data)


class ClockForm(Form):
    """By which clock a patient lives from when on, and why."""

    why = RadioField(
        _("Why does the clock change?"),
        choices=choices(
            (TRAVEL, _("A journey")),
            (HOME, _("The clock was wrong, or home has moved")),
        ),
        default=TRAVEL,
    )
    zone = SelectField(
        _("Which place has the new time?"),
        choices=choices(
            ("", _("Choose a place")),
            *sorted(
                ((name, zone_words(name)) for name in all_zones()),
                key=lambda choice: choice[1],
            ),
        ),
        validate_choice=False,
        validators=[InputRequired(_("Choose the place."))],
    )
    when = RadioField(
        _("From when?"),
        choices=choices(
            (NOW, _("From now")), (LATER, _("Later, when the plane lands"))
        ),
        default=NOW,
    )
    on = day_field(_("Day"))
    at = _time_field(_("Time"))

    def validate_zone(self, field: SelectField) -> None:
        """Refuse a zone nobody knows."""
        try:
            zone(field.data)
        except UnknownZone as error:
            raise ValidationError(str(error)) from None

    def validate_when(self, field: RadioField) -> None:
        """Refuse a later change without its day and time."""
        later = field.data == LATER and self.why.data == TRAVEL
        if later and not (self.on.data and said(self.at)):
            raise ValidationError(gettext("Write the day and the time of landing."))

    def begins_at(self, *, now: datetime) -> datetime:
        """Return from when on; a day and a time are by the clock of the new place."""
        if self.why.data == HOME or self.when.data == NOW:
            return now
        assert self.on.data is not None  # noqa: S101 - validate_when
        there = zone(self.zone.data)
        return max(
            to_utc(self.on.data, read_time(said(self.at)), there), now
        ).astimezone(UTC)


def journey_form(
    asked: Sequence[tuple[int, str, str, str]],
) -> type[Form]:
    """Return the question of each medicine: home times or local times.

    Each is (id, legend, words of local times, words of home times).
    """
    fields = {
        f"times_{medication_id}": RadioField(
            legend,
            choices=choices(("follow", local_words), ("home", home_words)),
        )
        for medication_id, legend, local_words, home_words in asked
    }
    made: type[Form] = type("JourneyForm", (Form,), fields)
    return made
