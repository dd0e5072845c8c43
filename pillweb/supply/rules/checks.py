"""When a supply is looked at, and whether somebody is told that it is low."""

from datetime import date, datetime, time, timedelta

from pillweb.base.zones import Zone, local, to_utc
from pillweb.supply.rules.run_out import Outlook, is_low

# Nobody is told at bedtime.
FIRST_HOUR = 9
LAST_HOUR = 19
AGAIN_AFTER = timedelta(days=7)
A_DAY = timedelta(days=1)
LEAD_DAYS = 3
MOST_LEAD_DAYS = 60


def next_check(now: datetime, place: Zone) -> datetime:
    """Return the next 9am of the patient's day after now."""
    today = local(now, place).date()
    days = (today + timedelta(days=ahead) for ahead in range(3))
    checks = (to_utc(day, time(FIRST_HOUR), place) for day in days)
    return next(at for at in checks if at > now)


def is_waking(now: datetime, place: Zone) -> bool:
    """Say whether it is an hour of the day at which one may be asked to go out."""
    return FIRST_HOUR <= local(now, place).hour < LAST_HOUR


def must_tell(
    found: Outlook,
    *,
    lead_days: int,
    today: date,
    reminded_at: datetime | None,
    now: datetime,
) -> bool:
    """Say whether a low supply must be told: at first, and a week later again."""
    if not is_low(found, lead_days=lead_days, today=today):
        return False
    # Half a day less, so that the check at the same hour a week later is not early.
    return reminded_at is None or now - reminded_at >= AGAIN_AFTER - A_DAY / 2


def is_settled(found: Outlook, *, lead_days: int, today: date) -> bool:
    """Say whether there is enough again, so that running low is new the next time.

    A week more than what is low: a dose left out must not make it new.
    """
    later = today + AGAIN_AFTER
    return not is_low(found, lead_days=lead_days, today=later)
