"""Extensions of a dosage: those we know to repeat the codes, and all the others."""

from collections.abc import Mapping

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import Element, are_harmless
from pillweb.schedules.rules.fhir.repeat import Repeat

_CHMED = "http://chmed.emediplan.ch/fhir/StructureDefinition/chmed-"
_KINDS = {
    "Times": lambda repeat: bool(repeat.times),
    "DaySegments": lambda repeat: bool(repeat.when),
    "WeekDays": lambda repeat: bool(repeat.weekdays),
}


def check_extensions(dosage: Element, repeat: Repeat, doubts: Doubts) -> None:
    """Doubt every extension that may say more than the codes beside it."""
    extensions = dosage.get("extension", [])
    if isinstance(extensions, list) and all(
        _repeats(one, repeat) or are_harmless([one]) for one in extensions
    ):
        return
    doubts.add("timing", _("The dosage has an extension that we do not know."))


def _repeats(extension: object, repeat: Repeat) -> bool:
    """Say whether a Swiss extension only names the kind of timing that stands there."""
    if not isinstance(extension, Mapping):
        return False
    coding = extension.get("valueCoding")
    kind = coding.get("display") if isinstance(coding, Mapping) else None
    known = _KINDS.get(str(kind))
    url = str(extension.get("url"))
    return url == f"{_CHMED}timed-dosage-object-type" and bool(known and known(repeat))
