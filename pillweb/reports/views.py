"""Pages to order, look at and send the doctor's report."""

from datetime import date

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import LANGUAGES, Speech, gettext_noop, speaking, speech
from pillweb.base.i18n import gettext as _
from pillweb.base.queue import REPORTS
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.patients.models import Patient
from pillweb.reports.actions import end_order, order_report, want_report
from pillweb.reports.forms import OrderForm
from pillweb.reports.queries import (
    gather_report,
    order_of,
    order_to,
    orders_of,
    report_file,
    reports_of,
)
from pillweb.reports.rules import MONTHLY, NEVER, WEEKLY, period_ending
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import EVERYTHING, Door, Level, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

reports = Blueprint("reports", __name__)

STATE_WORDS = {
    "wanted": gettext_noop("Being made"),
    "ready": gettext_noop("Made and sent on its way"),
    "failed": gettext_noop("Could not be made"),
}
EVERY_WORDS = {
    NEVER: gettext_noop("Only when you ask"),
    WEEKLY: gettext_noop("Every Monday"),
    MONTHLY: gettext_noop("On the first day of every month"),
}


def _today(door: Door) -> date:
    return local(now(), zone(door.zone)).date()


def _list_page(door: Door, form: OrderForm) -> dict[str, object]:
    place = zone(door.zone)
    sent = []
    for report_id, made_at, state, doctor in reports_of(session(), door.patient_id):
        at = local(made_at, place)
        sent.append(
            {
                "url": f"{door.base_url}/reports/{report_id}.pdf"
                if state == "ready"
                else None,
                "at_words": _(
                    "%(date)s at %(time)s",
                    date=date_words(at.date()),
                    time=time_words(at.time()),
                ),
                "to_words": doctor,
                "state_words": _(STATE_WORDS[state]),
            }
        )
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "action": f"{door.base_url}/reports",
        "preview_url": f"{door.base_url}/reports/now",
        "orders": [
            {
                "id": order.id,
                "doctor_name": order.doctor_name,
                "email": order.email,
                "every_words": _(EVERY_WORDS[order.every]),
                "language": order.language,
                "language_words": LANGUAGES[order.language],
            }
            for order in orders_of(session(), door.patient_id)
        ],
        "sent": sent,
    }


@reports.get("/patients/<int:patient_id>/reports")
def show_reports(patient_id: int) -> ResponseReturnValue:
    """Show who gets reports, and which were made."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("reports/list.html", **_list_page(door, OrderForm()))


@reports.post("/patients/<int:patient_id>/reports")
def post_order(patient_id: int) -> ResponseReturnValue:
    """Write down who gets the report."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = OrderForm()
    if not form.validate():
        return bad_form("reports/list.html", **_list_page(door, form))
    # Locked, so that two presses at once take turns.
    patient = session().get_one(Patient, door.patient_id, with_for_update=True)
    if twin := order_to(session(), door.patient_id, said(form.email)):
        asked = (form.how_often.data, form.language.data)
        if (twin.every, twin.language) == asked:
            return go(f"{door.base_url}/reports", notice=_("Saved."))
        form.email.errors = [_("This address gets the report already.")]
        return bad_form("reports/list.html", **_list_page(door, form))
    order_report(
        session(),
        patient=patient,
        made_by_id=viewer.account_id,
        doctor_name=said(form.doctor_name),
        email=said(form.email),
        every=form.how_often.data,
        language=form.language.data,
        now=now(),
    )
    return go(f"{door.base_url}/reports", notice=_("Saved."))


@reports.post("/patients/<int:patient_id>/reports/<int:order_id>/send")
def post_send(patient_id: int, order_id: int) -> ResponseReturnValue:
    """Have the report made and sent now; pressing twice in a minute is one."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    order = order_of(session(), door.patient_id, order_id)
    want_report(
        session(),
        order,
        last=_today(door),
        occasion=f"asked:{now():%Y%m%d%H%M}",
        now=now(),
    )
    wake_after_commit("build_reports", queue=REPORTS, timeout_s=120)
    return go(f"{door.base_url}/reports", notice=_("The report is on its way."))


@reports.post("/patients/<int:patient_id>/reports/<int:order_id>/end")
def post_end(patient_id: int, order_id: int) -> ResponseReturnValue:
    """Send this doctor nothing more."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    end_order(order_of(session(), door.patient_id, order_id), now=now())
    notice = _("Saved. Nothing more is sent there.")
    return go(f"{door.base_url}/reports", notice=notice)


@reports.get("/patients/<int:patient_id>/reports/now")
def show_report(patient_id: int) -> ResponseReturnValue:
    """Show on the screen what the report says, in the language that is asked for."""
    door = open_door(
        session(), signed_in(), patient_id, need=Level.VIEW, shows=EVERYTHING
    )
    first, last = period_ending(_today(door))
    asked = request.args.get("language", "")
    how = Speech(asked) if asked in LANGUAGES else speech()
    with speaking(how):
        found = gather_report(
            session(), door.patient_id, first=first, last=last, now=now()
        )
        return page(
            "reports/show.html", nav=nav_of(door), base_url=door.base_url, report=found
        )


@reports.get("/patients/<int:patient_id>/reports/<int:report_id>.pdf")
def show_pdf(patient_id: int, report_id: int) -> ResponseReturnValue:
    """Give out a finished report."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    name, content = report_file(session(), door.patient_id, report_id)
    return Response(
        content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )
