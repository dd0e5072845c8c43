"""The trail of a message in words: when it was sent, and what happened then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext
from pillweb.base.words import time_words
from pillweb.base.zones import Zone, local

SHORT_NUMBER = 4

KINDS = {
    "dose_due": gettext_noop("Reminder"),
    "dose_late": gettext_noop("What we could not say in time"),
    "dose_alert": gettext_noop("A helper is asked to look"),
    "alert_resolved": gettext_noop("A helper hears that it is recorded"),
    "could_not_remind": gettext_noop("A helper hears that we could not remind"),
    "too_much": gettext_noop("More was recorded than planned"),
    "refill_due": gettext_noop("A medicine runs out"),
    "contact_test": gettext_noop("A test"),
    "unreachable": gettext_noop("We could not reach somebody"),
    "held_back": gettext_noop("There were too many messages"),
    "clock_changed": gettext_noop("The clocks change"),
    "day_digest": gettext_noop("How the day was"),
    "week_digest": gettext_noop("How the week was"),
    "all_well": gettext_noop("All is well"),
    "access_asked": gettext_noop("Somebody asks for access"),
    "access_yearly": gettext_noop("Is it right who has access?"),
    "report": gettext_noop("A page for the doctor"),
}
OTHER_KIND = gettext_noop("Message")

_NO_ANSWER = gettext_noop("The service that carries it did not answer.")
_OUR_FAULT = gettext_noop("PillWeb could not make this message.")
_DEAD_ADDRESS = gettext_noop("The address does not work any more.")
_UNWANTED = gettext_noop("It was asked that nothing is sent there.")
_REFUSED = gettext_noop("The service that carries it did not take it.")
# What the codes of channels and of our own mean.
REASONS = {
    "broken": _OUR_FAULT,
    "crashed": _OUR_FAULT,
    "unwordable": _OUR_FAULT,
    "unmailable": _OUR_FAULT,
    "gone": _DEAD_ADDRESS,
    "removed": gettext_noop("The address was removed."),
    "stopped": _UNWANTED,
    "unwanted": _UNWANTED,
    "storm": gettext_noop("There were too many messages at once."),
    "quiet": gettext_noop("It was a quiet time."),
    "channel_off": gettext_noop("This way of sending is switched off here."),
    "channel_unknown": gettext_noop("PillWeb does not know this way of sending."),
    "TimeoutError": _NO_ANSWER,
    "timeout": _NO_ANSWER,
    "ConnectionRefusedError": _NO_ANSWER,
    "SMTPServerDisconnected": _NO_ANSWER,
}
DEAD_CODES = ("404", "410", "501", "510", "511", "550", "551", "553", "556")


@dataclass(frozen=True, slots=True)
class Trail:
    """What is known of one delivery; see `outbox.models.Delivery`."""

    id: int
    kind: str
    subject_id: int | None
    channel: str
    who: str
    address: str
    state: str
    attempts: int
    last_error: str | None
    created_at: datetime
    due_at: datetime | None
    next_at: datetime
    accepted_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    answered_at: datetime | None

    @property
    def group(self) -> tuple[object, ...]:
        """What messages about one thing have in common."""
        return (self.kind, self.subject_id or self.id)


def kind_words(kind: str) -> str:
    """Say what kind of message it is."""
    return _(KINDS.get(kind, OTHER_KIND))


def reason_words(code: str | None) -> str:
    """Say in plain words why something was not sent.

    >>> reason_words("smtp_550"), reason_words("crashed")
    ('The address does not work any more.', 'PillWeb could not make this message.')
    """
    if not code:
        return _(_REFUSED)
    if code in REASONS:
        return _(REASONS[code])
    number = code.rpartition("_")[2]
    return _(_DEAD_ADDRESS if number in DEAD_CODES else _REFUSED)


def masked(address: str) -> str:
    """Return of an address as much as whoever knows it needs to know it again.

    >>> masked("rosa@family.example"), masked("+447700900123")
    ('r…@family.example', '…23')
    """
    name, at, domain = address.partition("@")
    if at and "/" not in address and "{" not in address:
        return f"{name[:1]}…@{domain}"
    digits = address.removeprefix("+")
    if digits.isdigit() and len(digits) > SHORT_NUMBER:
        return f"…{digits[-2:]}"
    return ""


def steps_of(trail: Trail, place: Zone, *, now: datetime) -> list[str]:
    """Return what happened to a message, in whole sentences, first things first."""

    def clock(at: datetime) -> str:
        return time_words(local(at, place).time())

    steps = [_("Ready to be sent at %(time)s.", time=clock(trail.created_at))]
    again = trail.attempts - 1
    if again > 0:
        steps.append(ngettext("Tried once more.", "Tried again %(num)s times.", again))
    for at, words in (
        (trail.accepted_at, gettext_noop("Sent at %(time)s.")),
        (trail.delivered_at, gettext_noop("Arrived at %(time)s.")),
        (trail.opened_at, gettext_noop("Opened at %(time)s.")),
        (trail.answered_at, gettext_noop("Answered at %(time)s.")),
    ):
        if at is not None:
            steps.append(_(words, time=clock(at)))
    return steps + _end_of(trail, clock(trail.next_at), now=now)


def _end_of(trail: Trail, next_words: str, *, now: datetime) -> list[str]:
    reason = reason_words(trail.last_error)
    ends: dict[str, Sequence[str]] = {
        "leased": [_("It is being sent now.")],
        "dead": [_("It did not arrive."), reason],
        "cancelled": [_("It was not needed any more.")],
        "expired": [_("It was too late to send it.")],
        "suppressed": [_("It was not sent."), reason],
        "superseded": [_("It went another way instead."), reason],
    }
    if trail.state == "pending":
        if trail.attempts:
            return [_("It is tried again at %(time)s.", time=next_words)]
        if trail.next_at > now:
            return [_("It waits until %(time)s.", time=next_words)]
        return [_("It will be sent in a moment.")]
    return list(ends.get(trail.state, []))


def gathered(trails: Sequence[Trail]) -> list[list[Trail]]:
    """Return the trails of one thing together, in the order in which they began."""
    groups: dict[tuple[object, ...], list[Trail]] = {}
    for trail in trails:
        groups.setdefault(trail.group, []).append(trail)
    return list(groups.values())
