"""What to say and to ask before the clock changes by travel: domain T11, T12."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from pillweb.base.i18n import ngettext, safety
from pillweb.base.words import join_words, number_words
from pillweb.base.zones import local, zone
from pillweb.schedules.rules.line import Line, ZonePolicy

MANY_ZONES = timedelta(hours=5)
AN_HOUR = timedelta(hours=1)
# Insulin, levodopa, anticoagulants and contraceptives, by the names on their boxes.
OF_A_SPECIAL_CLASS = re.compile(
    r"insulin|lantus|novorapid|humalog|levemir|toujeo|tresiba|humulin|fiasp"
    r"|levodopa|careldopa|carbidopa|beneldopa|sinemet|madopar|stalevo"
    r"|warfarin|apixaban|rivaroxaban|edoxaban|dabigatran|acenocoumarol|phenindione"
    r"|heparin|enoxaparin|eliquis|xarelto|pradaxa|lixiana|coumadin|anticoagul"
    r"|contracepti|levonorgestrel|desogestrel|norethisterone|ethinyl|drospirenone"
    r"|microgynon|cerazette|rigevidon|yasmin",
    re.IGNORECASE,
)


def hours_apart(one: str, other: str, at: datetime) -> timedelta:
    """Return by how much two zones' clocks differ at an instant, never negative."""
    here, there = (local(at, zone(name)).replace(tzinfo=None) for name in (one, other))
    return abs(here - there)


def pharmacist_words(names: Iterable[str], apart: timedelta) -> str:
    """Return why a pharmacist should be asked before this journey; "" for no reason.

    `names` are the medicines as the viewer may read them.
    """
    special = [name for name in names if OF_A_SPECIAL_CLASS.search(name)]
    if apart < MANY_ZONES and not special:
        return ""
    hours = Decimal(str(apart / AN_HOUR))
    length = ngettext("%(num)s hour", "%(num)s hours", hours, num=number_words(hours))
    if not special:
        return safety(
            "Ask your pharmacist before you travel. "
            "The clocks there are %(length)s different.",
            length=length,
        )
    if apart < MANY_ZONES:
        return safety(
            "Ask your pharmacist before you travel. "
            "Travel can change how %(medicines)s must be taken.",
            medicines=join_words(special),
        )
    return safety(
        "Ask your pharmacist before you travel. "
        "The clocks there are %(length)s different. "
        "Travel can change how %(medicines)s must be taken.",
        length=length,
        medicines=join_words(special),
    )


def depends_on_clock(line: Line) -> bool:
    """Say whether a line's doses move with the clock, as those N hours apart do not."""
    return line.kind in ("clock", "once")


def policy_of(lines: Iterable[Line]) -> ZonePolicy | None:
    """Return by which times a plan goes on a journey; None where no clock matters."""
    found = [line.zone_policy for line in lines if depends_on_clock(line)]
    if not found:
        return None
    return "home" if "home" in found else "follow"


def with_policy(lines: Sequence[Line], policy: ZonePolicy) -> list[Line]:
    """Return a plan's lines on home times or on local times."""
    return [
        replace(line, zone_policy=policy) if depends_on_clock(line) else line
        for line in lines
    ]
