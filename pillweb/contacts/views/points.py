"""Where somebody is reached: shown, added, tested, put in order, removed."""

from datetime import datetime

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.channels.registry import Channel, browser_key, channels, ready_channels
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.changing import put_first, remove_contact, start_contact
from pillweb.contacts.actions.posting import send_contact_test
from pillweb.contacts.forms import AddressForm
from pillweb.contacts.models import ContactPoint, ContactTest
from pillweb.contacts.queries import (
    contact_of,
    contacts_of,
    newest_tests,
    ways_to_remind,
)
from pillweb.contacts.rules import (
    ACTIVE,
    BROWSER,
    FAILING,
    GONE,
    MOST_POINTS,
    OPEN_PAGE,
    STOPPED,
    UNPROVEN,
    is_reached,
    spelled_address,
)
from pillweb.contacts.views.owner import (
    OWN,
    PATIENT,
    Opened,
    open_owner,
    person_of,
    sign_in_email,
)
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.security import limiter
from pillweb.web.transaction import session, wake_after_commit

contacts = Blueprint("contacts", __name__)

TESTS = "10 per hour"
HINTS = {
    "email": gettext_noop("A letter on a computer, a tablet or a phone."),
    BROWSER: gettext_noop("A message on the screen of this phone or computer."),
    OPEN_PAGE: gettext_noop("For a tablet on the wall: the open page says it."),
    "sms": gettext_noop("A short text on any mobile phone."),
    "voice": gettext_noop("The phone rings, and a voice says it."),
    "ntfy": gettext_noop("An app for phones, with buttons to answer."),
}
STATES = {
    ACTIVE: gettext_noop("Works"),
    FAILING: gettext_noop("Messages do not arrive"),
    GONE: gettext_noop("Does not exist any more"),
    STOPPED: gettext_noop("Stopped"),
}


def label_of(channel: str) -> str:
    """Return how people call a channel."""
    known = channels().get(channel)
    return _(known.LABEL) if known else channel


def _state_words(contact: ContactPoint, test: ContactTest | None) -> str:
    if contact.state == UNPROVEN:
        return _("No answer yet") if test else _("Not tested yet")
    return _(STATES[contact.state])


def _card(
    contact: ContactPoint, test: ContactTest | None, place: str
) -> dict[str, object]:
    """Return what the list tells of one contact point."""

    def when(sentence: str, instant: datetime) -> str:
        at = local(instant, zone(place))
        words = {"time": time_words(at.time()), "date": date_words(at.date())}
        return _(sentence, **words)

    told = []
    if not spelled_address(contact.channel, contact.address):
        told.append(
            when(gettext_noop("Added at %(time)s on %(date)s."), contact.created_at)
        )
    if contact.last_ok_at is not None:
        told.append(
            when(
                gettext_noop("A message last went through at %(time)s on %(date)s."),
                contact.last_ok_at,
            )
        )
    if test and test.answered_at is None and contact.state != STOPPED:
        told.append(
            when(
                gettext_noop("A test left at %(time)s on %(date)s. No answer yet."),
                test.created_at,
            )
        )
    return {
        "id": contact.id,
        "label": label_of(contact.channel),
        "address": spelled_address(contact.channel, contact.address),
        "works": contact.state == ACTIVE,
        "is_stopped": contact.state == STOPPED,
        "state_words": _state_words(contact, test),
        "told": told,
    }


def _no_reach_without(opened: Opened, contact: ContactPoint) -> bool:
    """Say whether this is the only way that works of a patient."""
    if opened.for_helper or contact.state != ACTIVE:
        return False
    left = ways_to_remind(session(), opened.owner.number, besides=contact.id)
    return not is_reached(left, has_lost=True)


@contacts.get(f"{OWN}/contacts")
@contacts.get(f"{PATIENT}/contacts")
def show_contacts(patient_id: int | None = None) -> ResponseReturnValue:
    """Show where somebody is reached, and whether that works."""
    opened = open_owner(patient_id)
    mine = contacts_of(session(), opened.owner)
    tests = newest_tests(session(), [one.id for one in mine])
    return page(
        "contacts/list.html",
        points=[_card(one, tests.get(one.id), opened.zone) for one in mine],
        sign_in_email=sign_in_email(opened),
        **opened.context,
    )


@contacts.get(f"{OWN}/contacts/new")
@contacts.get(f"{PATIENT}/contacts/new")
def show_channels(patient_id: int | None = None) -> ResponseReturnValue:
    """Ask by which channel somebody is to be reached, too."""
    opened = open_owner(patient_id)
    offered = [
        (one.NAME, _(one.LABEL), _(HINTS[one.NAME]) if one.NAME in HINTS else "")
        for one in ready_channels()
    ]
    return page("contacts/channels.html", channels=offered, **opened.context)


def _ready(name: str) -> Channel:
    found = [one for one in ready_channels() if name == one.NAME]
    if not found:
        raise NotFoundError
    return found[0]


def _new_page(opened: Opened, channel: Channel, form: AddressForm) -> dict[str, object]:
    name = channel.NAME
    return {
        "form": form,
        "channel": name,
        "label": _(channel.LABEL),
        "hint": _(HINTS[name]) if name in HINTS else "",
        "action": f"{opened.url}/new/{name}",
        "browser_key": browser_key() if name == BROWSER else "",
        **opened.context,
    }


def _template(channel: Channel) -> str:
    is_here = channel.NAME in {BROWSER, OPEN_PAGE}
    return "contacts/browser.html" if is_here else "contacts/address.html"


@contacts.get(f"{OWN}/contacts/new/<channel>")
@contacts.get(f"{PATIENT}/contacts/new/<channel>")
def show_new_contact(
    channel: str, patient_id: int | None = None
) -> ResponseReturnValue:
    """Ask for an address, or for the press that makes this browser one."""
    opened, chosen = open_owner(patient_id), _ready(channel)
    known = sign_in_email(opened) if channel == "email" else ""
    form = AddressForm(chosen, data={"address": known})
    return page(_template(chosen), **_new_page(opened, chosen, form))


@contacts.post(f"{OWN}/contacts/new/<channel>")
@contacts.post(f"{PATIENT}/contacts/new/<channel>")
@limiter.limit(TESTS)
def post_new_contact(
    channel: str, patient_id: int | None = None
) -> ResponseReturnValue:
    """Keep an address, and send a test there."""
    opened, chosen = open_owner(patient_id), _ready(channel)
    form = AddressForm(chosen)
    good = form.validate()
    if good and len(contacts_of(session(), opened.owner)) >= MOST_POINTS:
        form.address.errors = [_("These are many ways. Please remove one first.")]
        good = False
    if not good:
        return bad_form(_template(chosen), **_new_page(opened, chosen, form))
    contact = add_contact(
        session(),
        channel=channel,
        address=form.read,
        rank=MOST_POINTS,
        **opened.owner._asdict(),
        now=now(),
    )
    return _test(opened, contact)


def _test(opened: Opened, contact: ContactPoint) -> ResponseReturnValue:
    start_contact(session(), contact, now=now())
    send_contact_test(session(), contact, person_of(opened), now=now())
    wake_after_commit("deliver")
    notice = _("A test is on its way. It works as soon as somebody has answered it.")
    return go(opened.url, notice=notice)


@contacts.post(f"{OWN}/contacts/<int:contact_id>/test")
@contacts.post(f"{PATIENT}/contacts/<int:contact_id>/test")
@limiter.limit(TESTS)
def post_contact_test(
    contact_id: int, patient_id: int | None = None
) -> ResponseReturnValue:
    """Send a test; what was stopped begins again by it."""
    opened = open_owner(patient_id)
    return _test(opened, contact_of(session(), opened.owner, contact_id))


@contacts.post(f"{OWN}/contacts/<int:contact_id>/first")
@contacts.post(f"{PATIENT}/contacts/<int:contact_id>/first")
def post_first(contact_id: int, patient_id: int | None = None) -> ResponseReturnValue:
    """Let a contact point be the first."""
    opened = open_owner(patient_id)
    put_first(session(), contact_of(session(), opened.owner, contact_id))
    return go(opened.url)


@contacts.get(f"{OWN}/contacts/<int:contact_id>/remove")
@contacts.get(f"{PATIENT}/contacts/<int:contact_id>/remove")
def show_removal(contact_id: int, patient_id: int | None = None) -> ResponseReturnValue:
    """Ask whether to remove a contact point, and say what follows."""
    opened = open_owner(patient_id)
    contact = contact_of(session(), opened.owner, contact_id)
    return page(
        "contacts/remove.html",
        point=_card(contact, None, opened.zone),
        action=f"{opened.url}/{contact.id}/remove",
        is_last=_no_reach_without(opened, contact),
        **opened.context,
    )


@contacts.post(f"{OWN}/contacts/<int:contact_id>/remove")
@contacts.post(f"{PATIENT}/contacts/<int:contact_id>/remove")
def post_removal(contact_id: int, patient_id: int | None = None) -> ResponseReturnValue:
    """Remove a contact point; who helps is told when it was the last."""
    opened = open_owner(patient_id)
    contact = contact_of(session(), opened.owner, contact_id)
    remove_contact(session(), contact, now=now())
    wake_after_commit("deliver")
    return go(opened.url, notice=_("Removed. Nothing more goes there."))
