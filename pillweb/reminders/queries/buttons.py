"""Where the buttons on a message itself answer."""

from pillweb.base.links import link

# Channels whose messages have buttons of their own, and those answered by a digit.
DIRECT = frozenset({"ntfy", "webpush"})
ANSWERED = DIRECT | {"sms", "voice"}


def answer_urls(token: str, channel: str) -> dict[str, str]:
    """Return by verb where a message's own buttons POST to; none where it has none.

    What is answered by a digit has the verbs alone (`channels.DIGITS`).
    """
    if channel not in ANSWERED:
        return {}
    verbs = ("taken", "later", "skip")
    return {verb: link(f"/t/{token}/direct/{verb}") for verb in verbs}
