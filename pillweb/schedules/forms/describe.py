"""What people type about a medicine, apart from how it is taken."""

import json
from collections.abc import Mapping
from typing import Any, Self

from wtforms import (
    DateField,
    RadioField,
    SelectField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from pillweb.base.clean import clean_text
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.i18n import pgettext, pgettext_noop
from pillweb.medications.models import Medication
from pillweb.medications.rules import FORMS, ORDINARY
from pillweb.schedules.rules.draft import FACTS
from pillweb.schedules.rules.offered_class import offered_class
from pillweb.web.forms import Form, at_most, choices, day_field, said, text_field

LONGEST_ADVICE = 2000
INGREDIENTS = 3
CLASSES = (
    (ORDINARY, _("Most medicines")),
    ("time_critical", _("It must not be late, such as for Parkinson's or epilepsy")),
    ("high_alert", _("A mistake can do harm, such as with a blood thinner")),
)
FORM_WORDS = {
    "tablet": pgettext_noop("form of a medicine", "tablet"),
    "capsule": pgettext_noop("form of a medicine", "capsule"),
    "liquid": pgettext_noop("form of a medicine", "liquid"),
    "drops": pgettext_noop("form of a medicine", "drops"),
    "inhaler": pgettext_noop("form of a medicine", "inhaler"),
    "injection": pgettext_noop("form of a medicine", "injection"),
    "patch": pgettext_noop("form of a medicine", "patch"),
    "cream": pgettext_noop("form of a medicine", "cream"),
    "sachet": pgettext_noop("form of a medicine", "sachet"),
    "other": pgettext_noop("form of a medicine", "other"),
}


def form_words(form: str) -> str:
    """Return what a form of medicines is called; one that nobody knows stays."""
    known = FORM_WORDS.get(form)
    return pgettext("form of a medicine", known) if known else form


def _form_choices() -> list[SelectChoice]:
    return choices(*((name, form_words(name).capitalize()) for name in FORMS))


class NameForm(Form):
    """What the box says: name, strength and what it is."""

    name = text_field(
        _("Name of the medicine"), missing=_("Write the medicine's name.")
    )
    strength = text_field(_("Strength"), longest=60)
    form = SelectField(_("What is it?"), choices=_form_choices, default="tablet")

    def facts(self) -> dict[str, str]:
        """Return what was typed."""
        return {
            "name": said(self.name),
            "strength": said(self.strength),
            "form": self.form.data,
        }


class DescriptionForm(NameForm):
    """What is said of a medicine, apart from how it is taken."""

    reason = text_field(_("What is it for?"))
    instruction = text_field(_("Anything to remember"))

    def facts(self) -> dict[str, str]:
        """Return what was typed."""
        return super().facts() | {
            "reason": said(self.reason),
            "instruction": said(self.instruction),
        }


class MoreForm(Form):
    """What is worth knowing of a medicine, and can be left out."""

    category = RadioField(_("What kind of medicine is it?"), choices=choices(*CLASSES))
    reason = text_field(_("What is it for?"))
    instruction = text_field(_("Anything to remember"))
    missed_text = TextAreaField(
        _("What the leaflet says about a forgotten dose"),
        validators=[at_most(LONGEST_ADVICE)],
        filters=[clean_text],
    )

    @property
    def ingredient_fields(self) -> list[tuple[Any, Any]]:
        """The pairs of fields for each active ingredient and how much of it."""
        names = [name for name in self._fields if name.startswith("ingredient_")]
        return [
            (self[name], self[name.replace("ingredient_", "holds_")]) for name in names
        ]

    @classmethod
    def of(cls, medicine: Mapping[str, str]) -> Self:
        """Return the form of what is known; the class is offered by the name."""
        known = json.loads(medicine.get("ingredients") or "[]")
        data: dict[str, Any] = {
            "category": medicine.get("category") or offered_class(medicine["name"]),
            "reason": medicine.get("reason", ""),
            "instruction": medicine.get("instruction", ""),
            "missed_text": medicine.get("missed_text", ""),
        }
        fields: dict[str, Any] = {}
        for number in range(max(INGREDIENTS, len(known) + 1)):
            one = known[number] if number < len(known) else {}
            data[f"ingredient_{number}"] = one.get("name", "")
            data[f"holds_{number}"] = one.get("amount", "")
            fields[f"ingredient_{number}"] = text_field(_("Active ingredient"))
            fields[f"holds_{number}"] = text_field(_("How much in each"), longest=60)
        made: Self = type(cls.__name__, (cls,), fields)(data)
        return made

    def facts(self) -> dict[str, str]:
        """Return what was typed; ingredients as the JSON that a medicine keeps."""
        found = [
            {"name": said(name), "amount": said(amount)}
            for name, amount in self.ingredient_fields
            if said(name)
        ]
        return {
            "category": self.category.data,
            "reason": said(self.reason),
            "instruction": said(self.instruction),
            "missed_text": said(self.missed_text),
            "ingredients": json.dumps(found, ensure_ascii=False) if found else "",
        }


class WhyForm(Form):
    """Why something changes; nobody has to say."""

    why = text_field(_("Why?"))


class PauseForm(WhyForm):
    """From which day to which a medicine is not taken."""

    start_on = day_field(_("First day without it"), missing=_("Choose the first day."))
    end_on = day_field(_("Last day without it"))

    def validate_end_on(self, field: DateField) -> None:
        """Refuse an end before the start."""
        if field.data and self.start_on.data and field.data < self.start_on.data:
            raise ValidationError(_("The last day is before the first day."))


def facts_of(medication: Medication) -> dict[str, str]:
    """Return what is said of a medicine, by the names of a draft."""
    return {name: getattr(medication, name) or "" for name in FACTS}


def description_form(medication: Medication) -> DescriptionForm:
    """Return the form of what is said of a medicine."""
    return DescriptionForm(data=facts_of(medication))
