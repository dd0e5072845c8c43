"""What the pages of sharing say of helpers and links."""

from datetime import date, datetime, timedelta

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.sharing.models import ShareLink
from pillweb.sharing.queries.doors import is_live
from pillweb.sharing.rules import PINS_ALLOWED, Door, Helper, access_words, link_words


def day_words(door: Door, at: datetime) -> str:
    """Return the day of an instant, by the patient's clock."""
    return date_words(local(at, zone(door.zone)).date())


def until_words(door: Door, ends_at: datetime | None) -> str:
    """Return until when somebody is let in; empty where that is until it is stopped."""
    if ends_at is None:
        return ""
    return _("Until %(date)s.", date=date_words(last_day(door, ends_at)))


def last_day(door: Door, ends_at: datetime) -> date:
    """Return the last whole day on which somebody is let in: by the clock at home."""
    return local(ends_at, zone(door.home_zone)).date() - timedelta(days=1)


def helper_card(door: Door, helper: Helper) -> dict[str, object]:
    """Return one helper as the Sharing page shows them."""
    return {
        "id": helper.grant_id,
        "name": helper.name,
        "role": helper.role,
        "access": access_words(helper.level, helper.sees),
        "until": until_words(door, helper.ends_at),
    }


def link_card(door: Door, row: ShareLink) -> dict[str, object]:
    """Return one link as the Sharing page shows it."""
    opened = row.last_used_at
    live = is_live(row, now=now())
    return {
        "id": row.id,
        "label": row.label,
        "shows": link_words(row.pages, names=row.show_names),
        "made_words": day_words(door, row.created_at),
        "expires_words": _expiry_words(door, row, live=live),
        "opened_words": _("Never opened")
        if opened is None
        else _("Last opened %(date)s", date=day_words(door, opened)),
        "was_opened": opened is not None,
        "can_revoke": live,
    }


def _expiry_words(door: Door, row: ShareLink, *, live: bool) -> str:
    if live:
        return _("Works until %(date)s", date=day_words(door, row.expires_at))
    if row.wrong_pins >= PINS_ALLOWED and row.revoked_at is None:
        return _("Closed: the PIN was wrong five times.")
    return _("Does not work any more")


def moment_words(door: Door, at: datetime) -> str:
    """Return when something happened, by the patient's clock."""
    here = local(at, zone(door.zone))
    return _(
        "%(date)s at %(time)s",
        date=date_words(here.date()),
        time=time_words(here.time()),
    )
