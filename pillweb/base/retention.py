"""For how long what is kept for a while is kept: the one table of it (domain 6).

Whoever runs an installation may keep some of it for longer or shorter: at least a day,
at most a hundred years.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from pillweb.base.config import settings

MESSAGES, WORDS, SESSIONS = "messages", "words", "sessions"
NOTES, REPLAYS, SIGN_INS, LEAVING = "notes", "replays", "sign_ins", "leaving"
_DAYS: Mapping[str, Callable[[], int]] = {
    # What became of a message, and every try.
    MESSAGES: lambda: settings().keep_messages_days,
    # What a message said that failed; one that arrived loses its words at once.
    WORDS: lambda: settings().keep_words_days,
    # Where somebody was signed in, since it was last used.
    SESSIONS: lambda: settings().keep_sessions_days,
    # What an open page was to say, and tests of the channels.
    NOTES: lambda: 7,
    # What was pressed without a connection, so that it is not counted twice.
    REPLAYS: lambda: 30,
    # Who asked for a mail to sign in, and from where, as keyed hashes.
    SIGN_INS: lambda: 1,
    # All about whoever asked to be forgotten, so that it can be taken back.
    LEAVING: lambda: 30,
}


def kept_for(what: str) -> timedelta:
    """Return for how long something is kept."""
    return timedelta(days=_DAYS[what]())


def all_kept() -> Mapping[str, timedelta]:
    """Return for how long each thing is kept."""
    return {what: kept_for(what) for what in _DAYS}
