"""What a medicine looks like, in words and on a photo."""

from typing import Self

from flask_wtf.file import FileField

from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.picture import CROPS, Crop
from pillweb.medications.models import Medication
from pillweb.web.forms import Form, said, text_field
from pillweb.web.photos import READ, sent_photo


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
        photo = sent_photo(self.taken, self.chosen)
        return None if self.errors else (said(self.looks), photo)


def read_crop(text: str) -> Crop:
    """Return the crop of this name, the middle for any other."""
    return next((one for one in CROPS if one == text), "middle")
