"""What comes in, read without asking anybody: signatures, replies, states."""

import base64
import hmac
import unicodedata
from collections.abc import Iterable
from datetime import timedelta

from pillweb.answers.rules import LATER, SKIP, TAKEN
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop

STOP, START = "stop", "start"
BY_DIGIT = {"1": TAKEN, "2": LATER, "3": SKIP}
# What people write for a digit, in English and in their own words.
WORDS = {
    TAKEN: gettext_noop("taken yes done"),
    LATER: gettext_noop("later wait"),
    SKIP: gettext_noop("no skip"),
    STOP: gettext_noop("stop end unsubscribe"),
    START: gettext_noop("start again"),
}
LONGEST_REPLY = 40
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

    >>> [read_reply(text) for text in (" 1 ", "TAKEN.", "2", "No!", "", "11")]
    ['taken', 'taken', 'later', 'skip', '', '']
    """
    said = _plain(text[:LONGEST_REPLY])
    if len(said) == 1 and said.isdecimal():
        return BY_DIGIT.get(str(unicodedata.decimal(said)), "")
    for verb, words in WORDS.items():
        if said in {_plain(word) for word in f"{words} {_(words)}".split()}:
            return verb
    return ""


def _plain(text: str) -> str:
    """Return the letters, their marks and digits: a vowel of Hindi is a mark."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in normal)
    return " ".join("".join(kept).split())
