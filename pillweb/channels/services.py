"""Telegram and other services, by Apprise; only those whoever runs this has allowed."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import apprise
from apprise.plugins import N_MGR

from pillweb.base.config import settings
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.channels import Message, Receipt, Send, SendError
from pillweb.channels.http import CONNECT_S, READ_S

NAME, LABEL, LOUDNESS = "services", gettext_noop("Telegram and others"), 1
LONGEST_ADDRESS, LONGEST_WORDS = 500, 1500
# They speak to this machine, or read a file of it.
LOCAL = frozenset({"syslog", "blink1", "vapid", "fcm"})
# Its lines hold names and numbers of people.
logging.getLogger("apprise").disabled = True


@cache
def _plugin(scheme: str) -> Any:  # noqa: ANN401 - a class of Apprise's
    """Return what speaks to a service; the first asked for loads them all."""
    with warnings.catch_warnings():
        # Some of its hundred plugins use what Python will drop.
        warnings.simplefilter("ignore")
        try:
            return N_MGR[scheme]
        except KeyError:
            return None


def _is_safe(scheme: str) -> bool:
    """Say whether a service is one company's, and not whatever host people write.

    So no address can lead into our own network, to a file or to a program.
    """
    plugin = _plugin(scheme)
    if plugin is None or not plugin.enabled or scheme in LOCAL:
        return False
    return "host" not in plugin.template_tokens


def _schemes() -> list[str]:
    named = settings().apprise_schemes.lower().split(",")
    return [name.strip() for name in named if _is_safe(name.strip())]


def is_ready() -> bool:
    """Say whether any service is allowed."""
    return bool(settings().apprise_schemes)


def _service(address: str) -> apprise.NotifyBase | None:
    """Return what an address leads to; None where it is no allowed one."""
    plain = address.partition("?")[0]
    scheme, _mark, rest = plain.partition("://")
    if scheme.lower() not in _schemes() or not (rest and plain.isprintable()):
        return None
    made = apprise.Apprise.instantiate(plain, suppress_exceptions=True)
    if made is None or getattr(made, "targets", True) in ([], None):
        return None
    made.socket_connect_timeout, made.socket_read_timeout = CONNECT_S, READ_S / 2
    made.request_rate_per_sec = 0
    return made


def read_address(typed: str) -> str:
    """Return the Apprise address of somebody, `tgram://bot/person`.

    What follows a question mark is left out: it could switch off time limits and the
    check of certificates.

    Raises:
        InvalidError: it is none of an allowed service.
    """
    address = typed.strip().partition("?")[0].rstrip("/")
    if len(address) > LONGEST_ADDRESS or _service(address) is None:
        allowed = ", ".join(f"{scheme}://" for scheme in _schemes())
        raise InvalidError(
            _(
                "This is no address we can use. It begins with one of these: %(ways)s.",
                ways=allowed,
            )
        )
    return address


def _send(message: Message) -> Receipt:
    service = _service(message.recipient)
    services = apprise.Apprise()
    if service is None or not services.add(service):
        raise SendError("services_address")
    words = (message.short or message.subject)[:LONGEST_WORDS]
    try:
        arrived = services.notify(
            title=message.subject[:LONGEST_WORDS],
            body=f"{words}\n{message.link}".strip(),
            body_format=apprise.NotifyFormat.TEXT,
        )
    except Exception as error:  # noqa: BLE001 - a hundred plugins, each its own way
        raise SendError(f"services_{type(error).__name__}"[:60]) from None
    if not arrived:
        raise SendError("services_refused")
    return Receipt(message.key)


@contextmanager
def open_channel() -> Iterator[Send]:
    """Yield the function that sends; raises SendError within 10 s a network step.

    Never permanent: Apprise says that it failed, and not why.
    """
    yield _send
