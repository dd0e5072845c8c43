"""Lets people record what they got, counted or lost, and how more is got."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.supply.actions.booking import (
    count_supply,
    receive_supply,
    remove_supply,
    set_refill,
)
from pillweb.supply.forms import CountForm, GoneForm, ReceivedForm, RefillForm
from pillweb.supply.models import Stock
from pillweb.supply.queries.outlook import fetchers_of
from pillweb.web.forms import Form, said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

supply_changes = Blueprint("supply_changes", __name__)

PAGE = "/patients/<int:patient_id>/supply/<int:medication_id>"
TITLES = {
    "received": gettext_noop("I got more"),
    "counted": gettext_noop("I counted"),
    "gone": gettext_noop("Lost or thrown away"),
    "refill": gettext_noop("How more is got"),
}


def _open(
    patient_id: int, medication_id: int, *, need: Level
) -> tuple[Door, Medication]:
    door = open_door(session(), signed_in(), patient_id, need=need)
    return door, medication_of(session(), door.patient_id, medication_id)


def _asked(door: Door, row: Medication, form: Form, what: str) -> dict[str, object]:
    here = f"{door.base_url}/supply/{row.id}"
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "medicine": row,
        "form": form,
        "title": _(TITLES[what]),
        "action": f"{here}/{what}",
        "back_url": here,
    }


def _ask(door: Door, row: Medication, form: Form, what: str) -> ResponseReturnValue:
    return page("supply/ask.html", **_asked(door, row, form, what))


def _again(door: Door, row: Medication, form: Form, what: str) -> ResponseReturnValue:
    return bad_form("supply/ask.html", **_asked(door, row, form, what))


def _done(door: Door, row: Medication) -> ResponseReturnValue:
    return go(f"{door.base_url}/supply/{row.id}", notice=_("Saved."))


def _stock(row: Medication) -> Stock | None:
    return session().get(Stock, row.id)


@supply_changes.get(f"{PAGE}/received")
def show_received(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Ask how many came."""
    door, row = _open(patient_id, medication_id, need=Level.MARK)
    return _ask(door, row, ReceivedForm(row, _stock(row)), "received")


@supply_changes.post(f"{PAGE}/received")
def post_received(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Write down that more came; pressing twice is once."""
    door, row = _open(patient_id, medication_id, need=Level.MARK)
    form = ReceivedForm(row, _stock(row))
    if not form.validate():
        return _again(door, row, form, "received")
    receive_supply(
        session(),
        row,
        quantity=form.quantity(),
        uses_repeat=form.used_repeat(),
        account_id=signed_in().account_id,
        press=form.press.data or None,
        now=now(),
    )
    return _done(door, row)


@supply_changes.get(f"{PAGE}/counted")
def show_counted(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Ask how many there are."""
    door, row = _open(patient_id, medication_id, need=Level.MARK)
    return _ask(door, row, CountForm(row), "counted")


@supply_changes.post(f"{PAGE}/counted")
def post_counted(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Write down how many there are, whatever the record said."""
    door, row = _open(patient_id, medication_id, need=Level.MARK)
    form = CountForm(row)
    if not form.validate():
        return _again(door, row, form, "counted")
    count_supply(
        session(),
        row,
        counted=form.quantity(),
        account_id=signed_in().account_id,
        press=form.press.data or None,
        now=now(),
    )
    return _done(door, row)


@supply_changes.get(f"{PAGE}/gone")
def show_gone(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Ask how many are gone, and why."""
    door, row = _open(patient_id, medication_id, need=Level.MARK)
    return _ask(door, row, GoneForm(row), "gone")


@supply_changes.post(f"{PAGE}/gone")
def post_gone(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Write down that some are gone without being taken; pressing twice is once."""
    door, row = _open(patient_id, medication_id, need=Level.MARK)
    form = GoneForm(row)
    if not form.validate():
        return _again(door, row, form, "gone")
    remove_supply(
        session(),
        row,
        quantity=form.quantity(),
        cause=form.cause.data,
        account_id=signed_in().account_id,
        press=form.press.data or None,
        now=now(),
        note=said(form.note),
    )
    return _done(door, row)


def _refill_form(door: Door, row: Medication) -> RefillForm:
    return RefillForm(
        _stock(row), fetchers_of(session(), door.patient_id), door.patient_name
    )


@supply_changes.get(f"{PAGE}/refill")
def show_refill(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Ask how more is got, and who fetches it."""
    door, row = _open(patient_id, medication_id, need=Level.MANAGE)
    return _ask(door, row, _refill_form(door, row), "refill")


@supply_changes.post(f"{PAGE}/refill")
def post_refill(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Keep how more is got, and who fetches it."""
    door, row = _open(patient_id, medication_id, need=Level.MANAGE)
    form = _refill_form(door, row)
    if not form.validate():
        return _again(door, row, form, "refill")
    set_refill(session(), row, now=now(), **form.facts())
    return _done(door, row)
