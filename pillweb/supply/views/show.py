"""Shows what is left, how long it lasts, and what to pack for a journey."""

from datetime import date, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import ngettext
from pillweb.base.words import date_words, number_words, time_words
from pillweb.base.zones import day_bounds, local, zone
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of
from pillweb.medications.rules import unit_of
from pillweb.schedules.queries import lives_of, medicines_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.supply.forms import JourneyForm
from pillweb.supply.queries.ledger import balances_of, ledger_of
from pillweb.supply.queries.outlook import (
    Supplied,
    doses_at_hand,
    held_lines,
    supplies_of,
)
from pillweb.supply.rules.ledger import Row
from pillweb.supply.rules.packing import Packing, packing
from pillweb.supply.rules.run_out import Lasting, coming_needs, is_low
from pillweb.supply.rules.units import quantity_words
from pillweb.supply.rules.words import (
    balance_words,
    change_words,
    enough_words,
    lasting_words,
    note_words,
    order_words,
    pack_words,
    repeats_words,
    unclear_words,
)
from pillweb.web.htmx import bad_form, page
from pillweb.web.numbers import row_number
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

supply = Blueprint("supply", __name__)

A_DAY = timedelta(days=1)


def today_of(door: Door) -> date:
    """Return the patient's day."""
    return local(now(), zone(door.zone)).date()


def _item(door: Door, row: Medication, found: Supplied | None) -> dict[str, object]:
    unit = unit_of(row.form)
    item: dict[str, object] = {
        "id": row.id,
        "name": row.name,
        "strength": row.strength,
        "url": f"{door.base_url}/supply/{row.id}",
        "counted": found is not None,
    }
    if found is None:
        return item
    stock, today = found.stock, today_of(door)
    unclear = found.outlook.lasting is Lasting.UNKNOWN
    low = is_low(found.outlook, lead_days=stock.lead_days, today=today)
    return item | {
        "balance_words": balance_words(found.balance, unit),
        "lasting_words": lasting_words(found.outlook, today=today),
        "unclear_words": unclear_words(unit) if unclear else "",
        "order_words": order_words(
            repeats_left=stock.repeats_left, lead_days=stock.lead_days
        )
        if low
        else "",
        "repeats_words": repeats_words(stock.repeats_left),
    }


def _worst_first(found: Supplied | None) -> tuple[int, date]:
    if found is None:
        return 2, date.max
    on = found.outlook.runs_out_on
    if found.balance < 0:
        return 0, date.min
    return (1, date.max) if on is None else (0, on)


@supply.get("/patients/<int:patient_id>/supply")
def show_supplies(patient_id: int) -> ResponseReturnValue:
    """Show what is left of every medicine, the first to run out on top."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    found = supplies_of(session(), door.patient_id, place=zone(door.zone), now=now())
    rows = [
        one.medication
        for one in medicines_of(session(), door.patient_id)
        if one.medication.stopped_at is None or one.medication.id in found
    ]
    rows.sort(key=lambda row: (_worst_first(found.get(row.id)), row.id))
    return page(
        "supply/list.html",
        nav=nav_of(door),
        base_url=door.base_url,
        may_mark=door.may_mark,
        items=[_item(door, row, found.get(row.id)) for row in rows],
    )


@supply.get("/patients/<int:patient_id>/supply/<int:medication_id>")
def show_supply(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show what is left of one medicine, and each row that made it so."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    row = medication_of(session(), door.patient_id, medication_id)
    found = supplies_of(session(), door.patient_id, place=zone(door.zone), now=now())
    before = request.args.get("before", type=row_number)
    rows, older = ledger_of(session(), row, before=before)
    return page(
        "supply/medicine.html",
        nav=nav_of(door),
        base_url=door.base_url,
        may_mark=door.may_mark,
        may_manage=door.may_manage,
        item=_item(door, row, found.get(row.id)),
        rows=[_row(door, row, one) for one in rows],
        older=older,
    )


def _row(door: Door, medication: Medication, row: Row) -> dict[str, str]:
    unit, at = unit_of(medication.form), local(row.at, zone(door.zone))
    return {
        "change_words": change_words(row, unit),
        "at_words": _(
            "%(date)s at %(time)s",
            date=date_words(at.date()),
            time=time_words(at.time()),
        ),
        "who": row.who,
        "note": note_words(row, unit),
        "balance_words": quantity_words(row.balance, unit),
    }


@supply.get("/patients/<int:patient_id>/supply/pack")
def show_packing(patient_id: int) -> ResponseReturnValue:
    """Show what to pack for the days asked for; a page to print."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    form = JourneyForm(request.args, today_of(door))
    context: dict[str, object] = {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "items": None,
    }
    if not request.args:
        return page("supply/pack.html", **context)
    if not form.validate():
        return bad_form("supply/pack.html", **context)
    first, last, spare = form.journey()
    context |= {
        "items": _packed(door, first, last + spare * A_DAY),
        "days_words": _days_words(first, last, spare),
    }
    return page("supply/pack.html", **context)


def _days_words(first: date, last: date, spare: int) -> str:
    days = {"first": date_words(first), "last": date_words(last)}
    if not spare:
        return _("%(first)s to %(last)s", **days)
    return ngettext(
        "%(first)s to %(last)s, and %(num)s day to spare",
        "%(first)s to %(last)s, and %(num)s days to spare",
        spare,
        num=number_words(spare),
        **days,
    )


def _packed(door: Door, first: date, last: date) -> list[dict[str, object]]:
    at, place = now(), zone(door.zone)
    lines = held_lines(session(), door.patient_id, now=at)
    at_hand = doses_at_hand(session(), door.patient_id, now=at)
    balances = balances_of(session(), door.patient_id)
    # A dose may fall after the midnight of the day it belongs to.
    end = day_bounds(last + A_DAY, place)[1]
    life = lives_of(session(), [door.patient_id])[door.patient_id]
    items = []
    for found in medicines_of(session(), door.patient_id):
        row = found.medication
        held = lines.get(row.id)
        if not held:
            continue
        planned = [one for one in held if one.line.kind != "prn"]
        coming = coming_needs(planned, life, start=at, end=end, settled=at_hand.settled)
        needs = [*at_hand.still_open.get(row.id, ()), *coming]
        packed = packing(
            held, needs, first=first, last=last, balance=balances.get(row.id)
        )
        items.append(_packed_item(row, packed))
    return items


def _packed_item(row: Medication, packed: Packing) -> dict[str, object]:
    unit = unit_of(row.form)
    return {
        "name": row.name,
        "strength": row.strength,
        "pack_words": pack_words(packed, unit),
        "enough_words": enough_words(packed, unit),
        "missing": packed.missing,
    }
