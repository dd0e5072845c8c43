"""SMS, answered by a digit or on the page behind the link."""

from collections.abc import Iterator
from contextlib import contextmanager

from pillweb.base.config import settings
from pillweb.base.i18n import Speech, gettext_noop, speaking
from pillweb.base.i18n import gettext as _
from pillweb.channels import DIGITS, Message, Send
from pillweb.channels.gsm import fitting
from pillweb.channels.http import open_line
from pillweb.channels.phone import MOBILE, read_number
from pillweb.channels.twilio import post_text

NAME, LABEL, LOUDNESS = "sms", gettext_noop("SMS"), 1


def is_ready() -> bool:
    """Say whether there is a provider and a number to write from."""
    return bool(settings().sms_url and settings().sms_from)


def read_address(typed: str) -> str:
    """Return a mobile number as E.164; raise InvalidError."""
    otherwise = _("Write the number of a mobile phone. This one cannot get an SMS.")
    return read_number(typed, MOBILE, otherwise=otherwise)


def _reply_words(message: Message, count: int) -> str:
    choices = ", ".join(
        f"{DIGITS[one.verb]} {one.label}" for one in message.answers[:count]
    )
    return _("Reply with a number: %(choices)s.", choices=choices)


def text_of(message: Message) -> str:
    """Return what the SMS says: in one sentence, how to reply, and the link."""
    with speaking(Speech(message.language)):
        counts = range(len(message.answers), 0, -1)
        extras = [_reply_words(message, count) for count in counts]
    return fitting(message.short or message.subject, extras, message.link)


@contextmanager
def open_channel() -> Iterator[Send]:
    """Yield the function that sends; raises SendError within 10 s a network step."""
    with open_line() as line:
        yield lambda one: post_text(line, NAME, one, text=text_of(one))
