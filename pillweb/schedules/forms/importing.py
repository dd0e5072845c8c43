"""A file of medicines, or what is in it, as it is sent to a page."""

from datetime import date

from wtforms import FileField, TextAreaField

from pillweb.schedules.rules.fhir.imported import ReadFile, read_file
from pillweb.web.forms import Form

LONGEST_FILE = 10_000_000
NOTHING = "Choose a file, or paste what is in it."
BOTH = "Choose a file or paste what is in it, not both."
TOO_LONG = f"This file is longer than {LONGEST_FILE // 10**6} MB."
NOT_READ = "We cannot read this file."


class ImportForm(Form):
    """One file, or its text."""

    file = FileField("The file")
    text = TextAreaField("Or paste what is in it")

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
            raise ValueError(BOTH)
        if not raw and not pasted.strip():
            raise ValueError(NOTHING)
        if len(raw) > LONGEST_FILE:
            raise ValueError(TOO_LONG)
        try:
            return raw.decode("utf-8-sig") or pasted
        except UnicodeDecodeError:
            raise ValueError(f"{NOT_READ} It must be a FHIR file in JSON.") from None
