"""What was taken as needed, on top of the plan, or not as much as it says."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.emergency import help_in
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import safety
from pillweb.base.tokens import new_token
from pillweb.base.viewer import Asker
from pillweb.base.words import join_words, time_words, units_name
from pillweb.base.zones import local, zone
from pillweb.doses.actions.alerting import tell_of_too_much
from pillweb.doses.actions.intakes import (
    Told,
    record_another,
    record_needed,
    undo_intake,
)
from pillweb.doses.actions.marking import mark_amount
from pillweb.doses.forms import AmountForm, IntakeForm, WhyForm, plain_amount
from pillweb.doses.queries.days import dose_facts
from pillweb.doses.queries.intakes import missed_advice_of, shelf_of
from pillweb.doses.rules.days import (
    PART,
    TAKEN,
    DoseFacts,
    is_late_entry,
    may_take,
    read_day,
)
from pillweb.doses.rules.sentences import amount_of
from pillweb.medications.queries import medication_of
from pillweb.medications.rules import needs_help_at_once
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import Dose as Amount
from pillweb.schedules.rules.needed import Needed
from pillweb.schedules.rules.words import dose_words
from pillweb.sharing.queries.access import told_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import form_key, said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import who_asks

intakes = Blueprint("intakes", __name__)

LONGEST_KEY = 40


def _opened(patient_id: int, need: Level = Level.MARK) -> tuple[Door, Asker]:
    viewer = who_asks()
    return open_door(session(), viewer, patient_id, need=need), viewer


def _base(door: Door) -> dict[str, object]:
    return {"nav": nav_of(door), "base_url": door.base_url}


def _needed(door: Door, medication_id: int) -> Needed:
    found = shelf_of(session(), door.patient_id, now=now()).find(medication_id)
    if found is None:
        raise NotFoundError
    return found


def _dose(door: Door, dose_id: int) -> DoseFacts:
    found = dose_facts(session(), door.patient_id, dose_id)
    if found is None:
        raise NotFoundError
    return found


def _as_words(planned: Amount | None, amount: Decimal | None) -> Amount | None:
    """Return an amount in the unit of the plan's words; the plan's own for none."""
    if amount is None:
        return planned
    unit = planned.unit if planned else ""
    text = f"{plain_amount(amount)} {unit}".strip()
    return replace(read_dose(text), fraction=Fraction(amount), amount=amount)


def _form_key(medication_id: int) -> str:
    """Return the key of the form that was shown: the same form is the same intake."""
    return f"{form_key(LONGEST_KEY)}-{medication_id}"


@intakes.get("/patients/<int:patient_id>/medicines/<int:medication_id>/intake")
def show_intake(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Ask when and how much was taken of a medicine taken as needed."""
    door = _opened(patient_id)[0]
    needed = _needed(door, medication_id)
    amount = needed.line.dose.amount if needed.line.dose else None
    form = IntakeForm({"when": "now", "amount": plain_amount(amount)})
    return page("doses/intake.html", **_intake_page(door, needed, form))


def _intake_page(door: Door, needed: Needed, form: IntakeForm) -> dict[str, object]:
    unit = (needed.line.dose.unit if needed.line.dose else "") or needed.medicine.unit
    return _base(door) | {
        "name": needed.medicine.name,
        "strength": needed.strength,
        "unit_words": units_name(unit),
        "form": form,
        "key": new_token(),
        "action": f"{door.base_url}/medicines/{needed.medicine.id}/intake",
    }


@intakes.post("/patients/<int:patient_id>/medicines/<int:medication_id>/intake")
def post_intake(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Record a medicine taken as needed; where it is too much, ask before saving."""
    door, viewer = _opened(patient_id)
    needed = _needed(door, medication_id)
    form = IntakeForm()
    at = now()
    taken_at = form.taken_at(place=zone(door.zone), now=at) if form.validate() else None
    if taken_at is None:
        return bad_form("doses/intake.html", **_intake_page(door, needed, form))
    told = Told(
        taken_at=taken_at,
        dose=_as_words(needed.line.dose, form.how_much),
        key=_form_key(medication_id),
        was_asked="was_asked" in request.form,
        why=said(form.why),
    )
    ended = record_needed(
        session(),
        needed,
        told,
        patient_id=patient_id,
        account_id=viewer.account_id,
        channel=viewer.channel,
        place=zone(door.zone),
        now=at,
    )
    if ended.intake is None:
        return _ask_needed(door, needed, form, ended.question)
    if ended.intake.was_asked:
        return _after_too_much(
            door, viewer, f"intake:{ended.intake.id}", medication_id, now=at
        )
    return go(f"{door.base_url}/today", notice=_("It is recorded."))


def _ask_needed(
    door: Door, needed: Needed, form: IntakeForm, question: str
) -> ResponseReturnValue:
    return page(
        "doses/ask.html",
        **_base(door),
        name=needed.medicine.name,
        strength=needed.strength,
        question=question,
        form=form,
        no_words=_("I did not take it again"),
        yes_words=_("I took another one"),
        action=f"{door.base_url}/medicines/{needed.medicine.id}/intake",
        kept={
            "key": new_token(),
            "when": form.when.data or "now",
            "at": said(form.at),
            "amount": said(form.amount),
            "was_asked": "y",
        },
    )


def _after_too_much(
    door: Door, viewer: Asker, about: str, medication_id: int, *, now: datetime
) -> ResponseReturnValue:
    """Tell the chosen helpers, and show whom to call."""
    told = tell_of_too_much(
        session(),
        door,
        about=about,
        account_id=viewer.account_id,
        recorded_by=viewer.name or door.patient_name,
        now=now,
    )
    if told:
        wake_after_commit("deliver")
    return go(f"{door.base_url}/medicines/{medication_id}/too-much")


@intakes.get("/patients/<int:patient_id>/medicines/<int:medication_id>/too-much")
def show_too_much(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show whom to call where too much was taken."""
    door, viewer = _opened(patient_id)
    row = medication_of(session(), patient_id, medication_id)
    told = told_of(session(), patient_id, besides=viewer.account_id)
    return page(
        "doses/too_much.html",
        **_base(door),
        name=row.name,
        strength=row.strength,
        at_once=needs_help_at_once(row.name, row.ingredients, row.category),
        numbers=help_in(door.zone, settings()),
        told=join_words([helper[1] for helper in told]),
    )


@intakes.post("/patients/<int:patient_id>/intakes/<int:intake_id>/undo")
def post_undo_intake(patient_id: int, intake_id: int) -> ResponseReturnValue:
    """Take back one intake; the row stays and says so."""
    door, viewer = _opened(patient_id)
    undo_intake(
        session(),
        intake_id,
        patient_id=patient_id,
        account_id=viewer.account_id,
        now=now(),
    )
    on = read_day(request.form.get("day", ""))
    return go(f"{door.base_url}/days/{on}" if on else f"{door.base_url}/today")


@intakes.get("/patients/<int:patient_id>/doses/<int:dose_id>/again")
def show_again(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Ask whether one more was taken of a dose that is recorded; nothing is saved."""
    door = _opened(patient_id)[0]
    dose = _dose(door, dose_id)
    if dose.state not in (TAKEN, PART):
        return go(f"{door.base_url}/today")
    recorded = dose.taken_at or dose.recorded_at or now()
    clock = time_words(local(recorded, zone(door.zone)).time())
    return page(
        "doses/ask.html",
        **_base(door),
        name=dose.name,
        strength=dose.strength,
        question=safety(
            "You already recorded this at %(time)s. Do not take it again.", time=clock
        ),
        form=WhyForm(),
        no_words=_("I did not take it again"),
        yes_words=_("I took another one"),
        action=f"{door.base_url}/doses/{dose_id}/again",
        kept={"key": new_token()},
    )


@intakes.post("/patients/<int:patient_id>/doses/<int:dose_id>/again")
def post_again(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Record one more of a dose that was taken already: what is true is always kept."""
    door, viewer = _opened(patient_id)
    dose = _dose(door, dose_id)
    if dose.state not in (TAKEN, PART):
        return go(f"{door.base_url}/today")
    at = now()
    form = WhyForm()
    form.validate()
    ended = record_another(
        session(),
        dose_id,
        Told(
            taken_at=at,
            dose=_as_words(read_dose(dose.dose_text or dose_amount(dose)), None),
            key=_form_key(dose.medication_id),
            was_asked=True,
            why=said(form.why),
        ),
        patient_id=patient_id,
        medication_id=dose.medication_id,
        account_id=viewer.account_id,
        channel=viewer.channel,
        now=at,
    )
    about = f"intake:{ended.intake.id if ended.intake else 0}"
    return _after_too_much(door, viewer, about, dose.medication_id, now=at)


def dose_amount(dose: DoseFacts) -> str:
    """Return the amount of a dose in words that can be read again."""
    return plain_amount(dose.amount) or "1"


@intakes.get("/patients/<int:patient_id>/doses/<int:dose_id>/amount")
def show_amount(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Ask how much of a dose was taken."""
    door = _opened(patient_id)[0]
    dose = _dose(door, dose_id)
    if not may_take(dose, now=now()):
        return go(f"{door.base_url}/today")
    form = AmountForm({"amount": ""})
    return page("doses/amount.html", **_amount_page(door, dose, form))


def _amount_page(door: Door, dose: DoseFacts, form: AmountForm) -> dict[str, object]:
    unit = (read_dose(dose.dose_text).unit if dose.dose_text else "") or dose.unit
    return _base(door) | {
        "name": dose.name,
        "strength": dose.strength,
        "planned": amount_of(dose),
        "unit_words": units_name(unit),
        "form": form,
        "action": f"{door.base_url}/doses/{dose.id}/amount",
    }


@intakes.post("/patients/<int:patient_id>/doses/<int:dose_id>/amount")
def post_amount(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Record how much of a dose was taken; where it is more than planned, ask first."""
    door, viewer = _opened(patient_id)
    dose = _dose(door, dose_id)
    form = AmountForm()
    if not form.validate():
        return bad_form("doses/amount.html", **_amount_page(door, dose, form))
    is_more = dose.amount is not None and form.how_much > dose.amount
    if is_more and "was_asked" not in request.form:
        return _ask_more(door, dose, form)
    at = now()
    late = is_late_entry(dose, today=local(at, zone(door.zone)).date(), now=at)
    marked = mark_amount(
        session(),
        dose_id,
        patient_id=patient_id,
        account_id=viewer.account_id,
        channel=viewer.channel,
        amount=form.how_much,
        taken_at=None if late else at,
        now=at,
        why=said(form.why),
    )
    if is_more and marked:
        about = f"dose:{dose_id}:{int(at.timestamp())}"
        return _after_too_much(door, viewer, about, dose.medication_id, now=at)
    where = f"days/{dose.nominal_date}" if late else "today"
    return go(f"{door.base_url}/{where}?said={dose_id}")


def _ask_more(door: Door, dose: DoseFacts, form: AmountForm) -> ResponseReturnValue:
    planned = read_dose(dose.dose_text) if dose.dose_text else None
    return page(
        "doses/ask.html",
        **_base(door),
        name=dose.name,
        strength=dose.strength,
        question=safety(
            "The plan says %(amount)s. Do not take more.", amount=amount_of(dose)
        ),
        form=form,
        no_words=_("I did not take more"),
        yes_words=_(
            "I took %(amount)s",
            amount=dose_words(_as_words(planned, form.how_much), dose.unit),
        ),
        action=f"{door.base_url}/doses/{dose.id}/amount",
        kept={"amount": plain_amount(form.how_much), "was_asked": "y"},
    )


@intakes.get("/patients/<int:patient_id>/doses/<int:dose_id>/missed")
def show_missed(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Show what may be said about a dose whose time is over without a record."""
    door = _opened(patient_id, Level.VIEW)[0]
    dose = _dose(door, dose_id)
    advice = missed_advice_of(session(), patient_id, dose_id, now=now())
    return page(
        "doses/missed.html",
        **_base(door),
        name=dose.name,
        clock=time_words(dose.clock),
        advice=advice,
    )
