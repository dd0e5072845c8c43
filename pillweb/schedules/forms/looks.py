"""What a medicine looks like, in words and on a photo."""

from typing import Self

from wtforms import FileField

from pillweb.base.i18n import gettext, gettext_noop
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.picture import (
    CROPS,
    Crop,
    TooLargePictureError,
    UnreadablePictureError,
    made_safe,
)
from pillweb.medications.models import Medication
from pillweb.web.forms import Form, said, text_field

MEGABYTES = 10
MOST_BYTES = MEGABYTES * 10**6
# Named one by one, for a phone then turns its own format into one of these.
READ = "image/jpeg,image/png,image/webp"
TOO_LONG = gettext_noop(
    "This photo is larger than %(most)s MB. Please take a smaller one."
)
TOO_LARGE = gettext_noop("This photo has too many pixels. Please take a smaller one.")
UNREADABLE = gettext_noop(
    "We cannot read this file as a photo. Please choose a JPEG, PNG or WebP file."
)


class LooksForm(Form):
    """The words, and one photo, taken now or before."""

    looks = text_field(_("What does it look like?"))
    taken = FileField(
        _("Take a photo now"), render_kw={"accept": READ, "capture": "environment"}
    )
    chosen = FileField(_("Choose a photo you have"), render_kw={"accept": READ})

    @classmethod
    def of(cls, medication: Medication) -> Self:
        """Return the form of what is known."""
        return cls({"looks": medication.looks or ""})

    def read(self) -> tuple[str, bytes | None] | None:
        """Return the words and the photo made safe, if there is one.

        None where something is wrong; a sentence beside its field says what.
        """
        if not self.validate():
            return None
        sent = next((one for one in (self.taken, self.chosen) if one.data), None)
        if sent is None:
            return said(self.looks), None
        try:
            return said(self.looks), _photo(sent)
        except ValueError as problem:
            sent.errors = [str(problem)]
            return None


def _photo(field: FileField) -> bytes:
    raw = field.data.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise ValueError(gettext(TOO_LONG, most=MEGABYTES))
    try:
        return made_safe(raw)
    except TooLargePictureError:
        raise ValueError(gettext(TOO_LARGE)) from None
    except UnreadablePictureError:
        raise ValueError(gettext(UNREADABLE)) from None


def read_crop(text: str) -> Crop:
    """Return the crop of this name, the middle for any other."""
    return next((one for one in CROPS if one == text), "middle")
