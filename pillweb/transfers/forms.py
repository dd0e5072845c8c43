"""What is sent in, and what is said of it."""

from flask_wtf.file import FileField
from wtforms.validators import InputRequired

from pillweb.base.i18n import gettext, gettext_noop
from pillweb.base.i18n import lazy_gettext as _
from pillweb.patients.forms import WhoForm
from pillweb.transfers.rules.archive import (
    MEGABYTE,
    MOST_BYTES,
    BadArchiveError,
    open_archive,
)
from pillweb.web.forms import Form, choices

MISSING = gettext_noop("Choose the file.")
TOO_LARGE = gettext_noop("This file is larger than %(most)s MB.")
NOT_OURS = gettext_noop("This is not a file of PillWeb, or it is damaged.")


class FileForm(Form):
    """One ZIP file that another PillWeb made."""

    file = FileField(
        _("The file"),
        validators=[InputRequired()],
        render_kw={"accept": "application/zip,.zip"},
    )

    def read(self) -> bytes | None:
        """Return the file, its outside looked at; None where something is wrong."""
        sent = self.file.data
        raw = sent.read(MOST_BYTES + 1) if sent else b""
        if not raw:
            self.file.errors = [gettext(MISSING)]
        elif len(raw) > MOST_BYTES:
            most = MOST_BYTES // MEGABYTE
            self.file.errors = [gettext(TOO_LARGE, most=most)]
        else:
            try:
                open_archive(raw)
            except BadArchiveError:
                self.file.errors = [gettext(NOT_OURS)]
        return None if self.file.errors else raw


class BringForm(WhoForm):
    """Who the person in the file is to the account, who may be a patient already."""

    def __init__(self, *, may_be_self: bool) -> None:
        super().__init__(data={"who": "other"})
        if not may_be_self:
            self.who.choices = choices(("other", _("Somebody I help")))
