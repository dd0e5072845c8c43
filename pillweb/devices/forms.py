"""What people type about tablets, and on them."""

from flask_wtf.file import FileField
from wtforms import PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired

from pillweb.base.clean import clean_text
from pillweb.base.digits import read_digits
from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.devices.rules import (
    CODE_DIGITS,
    LONGEST_PIN,
    SHORTEST_PIN,
)
from pillweb.web.forms import Form, said, text_field
from pillweb.web.photos import READ, sent_photo

DIGITS = {"inputmode": "numeric", "autocomplete": "off", "maxlength": "20"}


class CodeForm(Form):
    """The six digits that a tablet is connected by."""

    code = StringField(
        _("The six digits"),
        validators=[InputRequired(_("Type the six digits."))],
        filters=[clean_text],
        render_kw=DIGITS,
    )

    def validate_code(self, field: StringField) -> None:
        """Refuse what cannot be a code: it costs no try."""
        if len(read_digits(said(field))) != CODE_DIGITS:
            raise ValidationError(gettext("Type the six digits."))

    @property
    def digits(self) -> str:
        """The digits alone."""
        return read_digits(said(self.code))


class TabletForm(Form):
    """What a tablet is called."""

    name = text_field(
        _("What is this tablet called?"),
        missing=_("Write a name for this tablet."),
        longest=60,
    )


class PinForm(Form):
    """The PIN of one person on one tablet; none is a PIN that is taken away."""

    pin = PasswordField(
        _("The PIN"),
        filters=[clean_text],
        render_kw={**DIGITS, "autocomplete": "new-password"},
    )

    def validate_pin(self, field: PasswordField) -> None:
        """Refuse what has too few or too many digits, or anything else in it."""
        typed = "".join(said(field).split())
        fits = SHORTEST_PIN <= len(typed) <= LONGEST_PIN and typed.isdecimal()
        if typed and not fits:
            raise ValidationError(gettext("Use four to eight digits."))

    @property
    def digits(self) -> str:
        """The digits alone; empty for none."""
        return read_digits(said(self.pin))


class AskedPinForm(Form):
    """The PIN that a tablet asks for; what it is not is a wrong one."""

    pin = PasswordField(
        _("The PIN"),
        validators=[InputRequired()],
        filters=[clean_text],
        render_kw=DIGITS,
    )

    @property
    def digits(self) -> str:
        """The digits alone."""
        return read_digits(said(self.pin))


class PhotoForm(Form):
    """One photo of a person, taken now or before."""

    taken = FileField(
        _("Take a photo now"), render_kw={"accept": READ, "capture": "user"}
    )
    chosen = FileField(_("Choose a photo you have"), render_kw={"accept": READ})

    def read(self) -> bytes | None:
        """Return the photo made safe; None where there is none, or it is none.

        A sentence beside its field says why.
        """
        photo = sent_photo(self.taken, self.chosen)
        if photo is None and not self.errors:
            self.chosen.errors = [gettext("Choose a photo.")]
        return photo
