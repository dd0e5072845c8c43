"""What comes in, read without asking anybody: signatures, replies, states."""

import base64
import hmac
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

from pillweb.answers.rules import LATER, SKIP, TAKEN
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop

STOP, START = "stop", "start"
BY_DIGIT = {"1": TAKEN, "2": LATER, "3": SKIP}
# What people write for a digit, in English and in their own words. Not for 3: "no" may
# be "not yet", and who says that they do not take it is reminded no more.
WORDS = {
    TAKEN: gettext_noop("taken yes done"),
    LATER: gettext_noop("later wait"),
    STOP: gettext_noop("stop end unsubscribe"),
    START: gettext_noop("start again"),
}
# What may follow an answer in any language: thanks, and what was taken.
THANKS = frozenset(
    {
        "thanks",
        "thank",
        "you",
        "thx",
        "ty",
        "it",
        "them",
        "gracias",
        "muchas",
        "merci",
        "beaucoup",
        "dziękuję",
        "dziekuje",
        "dzięki",
        "dzieki",
        "bardzo",
        "شكرا",
        "شكرًا",
        "شكراً",
        "جزيلا",
        "धन्यवाद",
        "शुक्रिया",
        "dhanyavad",
        "shukriya",
        "谢谢",
        "谢谢你",
        "多谢",
        "អរគុណ",
    }
)
# Thumbs, hands and hearts, and the tones of their skin; no other sign means yes.
GLAD = frozenset("👍👌🙏✅✔❤♥😊🙂😀") | {chr(tone) for tone in range(0x1F3FB, 0x1F400)}
# How a sign is to look, which is no sign itself.
UNSEEN = frozenset("\N{VARIATION SELECTOR-15}\N{VARIATION SELECTOR-16}")
QUESTIONS = frozenset("?\N{ARABIC QUESTION MARK}")
KIND_OF = {"L": "word", "M": "word", "N": "number", "S": "sign"}
LONGEST_REPLY = 40
# When "once more" is meant: not by a provider that says the same twice, nor long after.
ONCE_MORE = (timedelta(seconds=10), timedelta(minutes=15))
# A reply is about the newest message of a day.
REPLY_LIFE = timedelta(hours=24)
# How long a browser may take to show what was pushed, and how often it may not.
SHOWN_WITHIN = timedelta(minutes=2)
UNSEEN_ALLOWED = 3
# What a provider's status means (Twilio's words for messages and calls).
ARRIVED = frozenset({"delivered", "read", "completed"})
LOST = frozenset({"undelivered", "failed", "busy", "no-answer", "canceled"})
# Nobody took the call: the number is as good as before.
UNANSWERED = frozenset({"busy", "no-answer", "canceled"})


def signature_of(url: str, form: Iterable[tuple[str, str]], secret: str) -> str:
    """Return what Twilio puts in X-Twilio-Signature for a form posted to an address.

    HMAC-SHA1 of the address and the fields in order of their names, in base64
    (twilio.com/docs/usage/security).
    """
    told = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    made = hmac.digest(secret.encode(), told.encode(), "sha1")
    return base64.b64encode(made).decode()


def is_signed(
    url: str, form: Iterable[tuple[str, str]], *, secret: str, signature: str
) -> bool:
    """Say whether whoever shares our secret sent this form to this address."""
    made = signature_of(url, form, secret)
    return bool(secret) and hmac.compare_digest(made.encode(), signature.encode())


def read_reply(text: str) -> str:
    """Return the verb a reply means, in the language spoken now; empty for none.

    After an answer only thanks may follow, and words that say the same: whatever else
    there is may take it back, and no dose is recorded in doubt.

    >>> [read_reply(text) for text in (" 1 ", "Taken, thanks.", "No!", "", "11")]
    ['taken', 'taken', '', '', '']
    >>> [read_reply(text) for text in ("not taken", "taken 2", "taken?", "yes later")]
    ['', '', '', '']
    """
    first, *others = _plain(text) or [""]
    verb = _by_digit(first) or _meant_by(first)
    if all(_is_thanks(word) or _meant_by(word) == verb for word in others):
        return verb
    return ""


def is_believed(asked_at: datetime | None, *, now: datetime) -> bool:
    """Say whether a late answer is the one that was asked for once more."""
    soonest, latest = ONCE_MORE
    return asked_at is not None and asked_at + soonest <= now <= asked_at + latest


def _by_digit(word: str) -> str:
    if len(word) == 1 and word.isdecimal():
        return BY_DIGIT.get(str(unicodedata.decimal(word)), "")
    return ""


def _meant_by(word: str) -> str:
    for verb, words in WORDS.items():
        if word in set(words.split()).union(*(_plain(own) for own in _(words).split())):
            return verb
    return ""


def _is_thanks(word: str) -> bool:
    return word in THANKS or set(word) <= GLAD


def _plain(text: str) -> list[str]:
    """Return the words, numbers and signs of a reply; nothing of a question.

    A vowel of Hindi is a mark, and part of its word.
    """
    normal = unicodedata.normalize("NFKC", text.strip()).casefold()
    if len(normal) > LONGEST_REPLY or QUESTIONS & set(normal):
        return []
    shown = [char for char in normal if char not in UNSEEN]
    runs = groupby(shown, key=lambda char: KIND_OF.get(unicodedata.category(char)[0]))
    return ["".join(run) for kind, run in runs if kind]
