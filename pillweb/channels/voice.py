"""A phone call that says one sentence twice and takes a key for an answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from pillweb.base.config import settings
from pillweb.base.i18n import Speech, gettext_noop, speaking
from pillweb.base.i18n import gettext as _
from pillweb.channels import DIGITS, Message, Receipt, Send
from pillweb.channels.http import Line, open_line
from pillweb.channels.phone import CALLABLE, read_number
from pillweb.channels.twilio import post_call

NAME, LABEL, LOUDNESS = "voice", gettext_noop("Phone call"), 2
# The languages that Twilio's voices speak, by ours.
VOICES: Mapping[str, str] = MappingProxyType(
    {
        "en": "en-GB",
        "es": "es-ES",
        "zh": "cmn-CN",
        "hi": "hi-IN",
        "ar": "arb",
        "pl": "pl-PL",
        "fr": "fr-FR",
    }
)
LONGEST_WORDS = 600
CALLER = "PillWeb."


def is_ready() -> bool:
    """Say whether there is a provider and a number to call from."""
    return bool(settings().sms_url and settings().voice_from)


def read_address(typed: str) -> str:
    """Return a phone number as E.164; raise InvalidError."""
    otherwise = _(
        "Write the number of a home or mobile phone. We cannot call this one."
    )
    return read_number(typed, CALLABLE, otherwise=otherwise)


def spoken(speech: Speech) -> Speech:
    """Return how a call speaks: in English where no voice has the person's language.

    It still rings, and its keys still answer.
    """
    return speech if speech.language in VOICES else Speech("en")


def words_of(message: Message) -> str:
    """Return what the call says, beginning with who calls, and which keys to press."""
    said = [CALLER, (message.short or message.subject)[:LONGEST_WORDS]]
    with speaking(spoken(Speech(message.language))):
        keys = [(DIGITS[one.verb], one.label) for one in message.answers]
        if not keys and message.key_words:
            keys = [("1", message.key_words)]
        for digit, label in keys:
            said.append(
                _("For “%(label)s”, press %(digit)s.", label=label, digit=digit)
            )
        if not keys:
            said.append(_("Press 1 to say that you heard this."))
    return " ".join(said)


def _call(line: Line, message: Message) -> Receipt:
    voice = VOICES[spoken(Speech(message.language)).language]
    return post_call(line, NAME, message, words=words_of(message), voice=voice)


@contextmanager
def open_channel() -> Iterator[Send]:
    """Yield the function that calls; raises SendError within 10 s a network step.

    Permanent where the number is none.
    """
    with open_line() as line:
        yield lambda message: _call(line, message)
