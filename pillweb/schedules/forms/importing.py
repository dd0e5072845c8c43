"""A file of medicines, or what is in it, as it is sent to a page."""

from datetime import date

from flask_wtf.file import FileField
from wtforms import TextAreaField

from pillweb.base.i18n import gettext, gettext_noop
from pillweb.base.i18n import lazy_gettext as _
from pillweb.schedules.rules.fhir.imported import ReadFile, read_file
from pillweb.web.forms import Form

MEGABYTES = 10
LONGEST_FILE = MEGABYTES * 10**6
NOTHING = gettext_noop("Choose a file, or paste what is in it.")
BOTH = gettext_noop("Choose a file or paste what is in it, not both.")
TOO_LONG = gettext_noop("This file is longer than %(most)s MB.")
NOT_READ = gettext_noop("We cannot read this file. It must be a FHIR file in JSON.")


class ImportForm(Form):
    """One file, or its text."""

    file = FileField(_("The file"))
    text = TextAreaField(_("Or paste what is in it"))

    def read(self, today: date, zone: str) -> ReadFile | None:
        """Return what was sent as a patient in a zone has it; None with a sentence."""
        self.validate()
        try:
            return read_file(self._sent(), today, zone)
        except ValueError as problem:
            wrong = self.text if self.text.data else self.file
            wrong.errors = [" ".join(str(problem).split())]
            return None

    def _sent(self) -> str:
        raw = self.file.data.read(LONGEST_FILE + 1) if self.file.data else b""
        pasted = (self.text.data or "").removeprefix("\ufeff")
        if raw and pasted.strip():
            raise ValueError(gettext(BOTH))
        if not raw and not pasted.strip():
            raise ValueError(gettext(NOTHING))
        if len(raw) > LONGEST_FILE:
            raise ValueError(gettext(TOO_LONG, most=MEGABYTES))
        try:
            return raw.decode("utf-8-sig") or pasted
        except UnicodeDecodeError:
            raise ValueError(gettext(NOT_READ)) from None
