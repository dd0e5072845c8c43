"""Photos: one that was sent with a form is made safe, one that was kept given out."""

from flask import Response
from flask_wtf.file import FileField

from pillweb.base.i18n import gettext, gettext_noop
from pillweb.base.picture import (
    TooLargePictureError,
    UnreadablePictureError,
    made_safe,
)
from pillweb.web.security import SANDBOXED

A_DAY_S = 86_400
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


def sent_photo(*fields: FileField) -> bytes | None:
    """Return the first photo that was sent, made safe; None where none was.

    None, too, where it cannot be taken; a sentence beside its field says why.
    """
    sent = next((one for one in fields if one.data), None)
    if sent is None:
        return None
    try:
        return _photo(sent)
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


def photo_answer(photo: bytes) -> Response:
    """Return a photo that was made safe; a new one has a new address."""
    answer = Response(photo, mimetype="image/jpeg")
    answer.headers["Content-Security-Policy"] = SANDBOXED
    answer.cache_control.private = True
    answer.cache_control.max_age = A_DAY_S
    answer.cache_control.immutable = True
    return answer
