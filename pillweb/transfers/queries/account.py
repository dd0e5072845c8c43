"""What PillWeb knows of an account itself, for the person it is."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.accounts.models import (
    Account,
    AccountNotice,
    Consent,
    OidcIdentity,
    Passkey,
    PrintedCode,
    Recovery,
    RecoveryHelper,
    WebSession,
)
from pillweb.contacts.models import ContactPoint, Preference
from pillweb.outbox.models import Delivery
from pillweb.sharing.models import Grant

NEWEST = 5000
_WHEN = ("created_at", "ends_at", "ended_at")
_STEPS = (
    *("started_at", "ready_at", "expires_at"),
    *("used_at", "finished_at", "ended_at"),
)
_BECAME = ("accepted_at", "delivered_at", "opened_at", "answered_at")


class Kept(NamedTuple):
    """Rows of one table that are about an account, and what of them is told."""

    model: Any
    owner: str
    columns: tuple[str, ...]


# Secrets are kept as hashes, and are nobody's to read; the rest is here.
KEPT: Mapping[str, Kept] = {
    "account": Kept(
        Account,
        "id",
        (
            *("name", "email", "look", "created_at", "confirmed_at"),
            *("is_admin", "is_patient", "nudge_off_at", "leaves_at"),
        ),
    ),
    "sessions": Kept(
        WebSession,
        "account_id",
        (
            *("name", "stay", "created_at", "last_seen_at"),
            *("expires_at", "revoked_at"),
        ),
    ),
    "passkeys": Kept(
        Passkey,
        "account_id",
        (
            *("name", "transports", "sign_count", "may_sync", "is_synced"),
            *("created_at", "last_used_at", "doubted_at"),
        ),
    ),
    "printed_codes": Kept(PrintedCode, "account_id", ("made_at", "used_at")),
    "providers": Kept(
        OidcIdentity, "account_id", ("issuer", "made_at", "last_used_at")
    ),
    "told_of_changes": Kept(
        AccountNotice, "account_id", ("email", "told_at", "ended_at")
    ),
    "trusted": Kept(RecoveryHelper, "account_id", ("helper_id", "named_at")),
    "trusted_by": Kept(RecoveryHelper, "helper_id", ("account_id", "named_at")),
    "let_in_again": Kept(Recovery, "account_id", ("helper_id", *_STEPS)),
    "has_let_in": Kept(Recovery, "helper_id", ("account_id", *_STEPS)),
    "agreed": Kept(
        Consent, "owner_id", ("about", "version", "how", "note", "given_at")
    ),
    "access": Kept(
        Grant,
        "account_id",
        (
            *("patient_id", "role", "level", "sees", "status"),
            *("alerts", "ladder_place", "wants", *_WHEN),
        ),
    ),
    "addresses": Kept(
        ContactPoint,
        "account_id",
        ("channel", "address", "state", "rank", "created_at", "proven_at"),
    ),
    "wishes": Kept(
        Preference,
        "account_id",
        ("unwanted", "quiet_from", "quiet_until", "urgent_passes", "shows_names"),
    ),
    "messages": Kept(
        Delivery,
        "account_id",
        ("kind", "channel", "state", "patient_id", "created_at", *_BECAME),
    ),
}


def known_of_account(session: Session, account_id: int) -> dict[str, object]:
    """Return what is kept of an account, the newest of each kind first."""
    return {name: list(_told(session, one, account_id)) for name, one in KEPT.items()}


def _told(session: Session, kept: Kept, account_id: int) -> Iterator[dict[str, object]]:
    mine = getattr(kept.model, kept.owner) == account_id
    asked = select(kept.model).where(mine).order_by(kept.model.id.desc())
    for row in session.scalars(asked.limit(NEWEST)):
        yield {name: _plain(getattr(row, name)) for name in kept.columns}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
