"""What came in is done: a reply recorded, an arrival noted, a failure followed."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pillweb.answers.actions import answer_reminder, doubt_link, note_delivery
from pillweb.answers.rules import (
    LATE,
    TAKEN,
    Outcome,
    outcome_words,
    times_words,
)
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import safety, speaking
from pillweb.base.visits import MESSAGE, Visit, note_visit
from pillweb.base.zones import zone
from pillweb.channels import DIGITS
from pillweb.channels.bounces import Bounce
from pillweb.channels.voice import NAME as VOICE
from pillweb.channels.webpush import read_address
from pillweb.contacts.actions.arriving import note_failure, note_seen
from pillweb.contacts.actions.changing import (
    answer_contact_test,
    start_contact,
    stop_contact,
)
from pillweb.contacts.actions.reach import note_reach
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import address_index
from pillweb.contacts.rules import (
    ACTIVE,
    CONTACT_TEST,
    FAILING,
    UNPROVEN,
    UNSEEN,
    Owner,
    Person,
)
from pillweb.hooks.queries import (
    PUSH,
    contacts_at,
    open_test,
    person_of,
    reminder_told_by,
    told_at,
    unseen_browsers,
    was_heard_of,
)
from pillweb.hooks.rules import START, STOP, is_believed, read_reply
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import ANSWERS
from pillweb.patients.queries import zone_at
from pillweb.reminders.actions.following import say_again
from pillweb.reminders.actions.resolving import see_to
from pillweb.reminders.queries.alerts import alerted_by, seen_to
from pillweb.reminders.rules.course import DOSE_ALERT, DOSE_DUE


def take_reply(
    session: Session, contacts: list[ContactPoint], text: str, *, now: datetime
) -> str:
    """Do what a reply from an address says; return one sentence for who wrote it.

    Where two people who share it have something open, nobody knows whose it is.
    """
    found = told_at(session, contacts, now=now)
    told = found[0] if len(found) == 1 else None
    contact = contacts[0]
    if told is not None:
        contact = next(one for one in contacts if one.id == told.contact_id)
    person = person_of(session, contact, now=now)
    with speaking(person.speech):
        return _do_reply(session, contact, told, text, person, now=now)


def _do_reply(
    session: Session,
    contact: ContactPoint,
    told: Delivery | None,
    text: str,
    person: Person,
    *,
    now: datetime,
) -> str:
    verb = read_reply(text)
    at_number = contacts_at(session, contact.channel, contact.address)
    if verb == STOP:
        for one in at_number:
            stop_contact(session, one, now=now)
        return _("You get no more messages at this number. Reply START to get them.")
    if verb == START:
        for one in at_number:
            start_contact(session, one, now=now)
        return _("You get messages at this number again.")
    if told is not None and verb:
        return answer_message(session, contact, told, verb, person, now=now).words
    return _what_to_reply(told)


def _what_to_reply(told: Delivery | None) -> str:
    unclear = _("We did not understand this. Please open the link in our message.")
    if told is None or told.kind != DOSE_DUE:
        return unclear
    choices = ", ".join(f"{DIGITS[verb]} {_(word)}" for verb, word in ANSWERS.items())
    return " ".join([unclear, _("Reply with a number: %(choices)s.", choices=choices)])


class Reply(NamedTuple):
    """What is said back to an answer, and whether it asks for the answer once more."""

    words: str
    asks: bool = False


def answer_message(
    session: Session,
    contact: ContactPoint,
    told: Delivery,
    verb: str,
    person: Person,
    *,
    now: datetime,
    is_warned: bool = False,
) -> Reply:
    """Do what somebody answered to one message; return one sentence for them.

    `is_warned` where they were asked, just before, to say it once more.
    """
    found = reminder_told_by(session, told) if told.kind == DOSE_DUE else None
    if found is not None:
        reminder, link = found
        outcome = answer_reminder(
            session,
            reminder,
            verb=verb,
            channel=told.channel,
            now=now,
            delivery_id=told.id,
            is_warned=is_warned
            or (link is not None and is_believed(link.doubted_at, now=now)),
        )
        if outcome.kind == LATE and link is not None:
            doubt_link(link, now=now)
            return Reply(_asked_again(outcome, person, now=now), asks=True)
        place = zone(person.zone)
        return Reply(outcome_words(outcome, name=person.name, place=place, now=now))
    words = None
    if verb == TAKEN and told.kind == CONTACT_TEST:
        words = _answer_test(session, contact, now=now)
    elif verb == TAKEN and told.channel == VOICE and told.kind == DOSE_ALERT:
        words = _see_to(session, told, person, now=now)
    elif verb == TAKEN and told.channel == VOICE and told.kind != DOSE_DUE:
        # It only asked to say that it was heard.
        words = ""
    if words is None:
        return Reply(_("Please open the link in our last message."))
    note_delivery(session, told.id, answered_at=now)
    return Reply(words)


def _asked_again(outcome: Outcome, person: Person, *, now: datetime) -> str:
    place = zone(person.zone)
    return safety(
        "It is now %(now)s. Reply 1 once more only if you took your %(time)s "
        "medicines.",
        now=times_words([now], place),
        time=times_words(outcome.moments, place),
    )


def _answer_test(
    session: Session, contact: ContactPoint, *, now: datetime
) -> str | None:
    test = open_test(session, contact.id, now=now)
    if test is None:
        return None
    answer_contact_test(session, test, now=now)
    return _("Thank you. Reminders arrive here.")


def _see_to(
    session: Session, told: Delivery, person: Person, *, now: datetime
) -> str | None:
    """Note that whom an alert went to sees to it, if they still help; say who does."""
    reminder_ids = alerted_by(session, told.id, now=now)
    if not reminder_ids or told.patient_id is None or told.account_id is None:
        return None
    note_visit(session, Visit(told.patient_id, MESSAGE, told.account_id))
    see_to(session, reminder_ids, account_id=told.account_id, now=now)
    known = seen_to(session, reminder_ids)
    name, at = (known[0].name, known[0].at) if known else (person.name, now)
    place = zone(zone_at(session, told.patient_id, at=now))
    clock = times_words([at], place)
    return _("%(name)s is seeing to it, %(time)s.", name=name, time=clock)


def note_undelivered(
    session: Session,
    delivery: Delivery,
    *,
    error: str,
    now: datetime,
    permanent: bool = False,
    is_fault: bool = True,
) -> bool:
    """Note that a message that was taken over never arrived; say whether that is new.

    A dead address is gone, and what it reminded of is said at once by what is left
    (`say_again`). Without `is_fault` the address is as good as before: nobody took the
    call.
    """
    lost = session.execute(
        update(Delivery)
        .where(
            Delivery.id == delivery.id,
            Delivery.state == "accepted",
            Delivery.delivered_at.is_(None),
        )
        .values(state="dead", last_error=error)
        .returning(Delivery.id),
        execution_options={"synchronize_session": False},
    ).first()
    if lost is None:
        return False
    if is_fault and delivery.contact_id is not None:
        note_failure(
            session, delivery.contact_id, error=error, permanent=permanent, now=now
        )
    say_again(session, delivery, now=now)
    return True


def note_bounce(session: Session, bounce: Bounce, *, now: datetime) -> bool:
    """Note that a mail came back because its address is dead; say if that is new.

    What came back for another reason may arrive tomorrow, and changes nothing.
    """
    delivery = session.get(Delivery, bounce.delivery_id)
    if delivery is None or delivery.channel != "email" or not bounce.permanent:
        return False
    if was_heard_of(session, delivery):
        # Somebody has it: what came back is of another address, behind theirs.
        return False
    # A server may say so long after it took the mail over, or even delivered it.
    delivery.delivered_at = None
    session.flush()
    return note_undelivered(session, delivery, error="bounced", permanent=True, now=now)


def note_push_shown(session: Session, delivery_id: int, *, now: datetime) -> bool:
    """Note that a browser showed a push; one that seemed lost works again."""
    contact = session.scalar(
        select(ContactPoint)
        .join(Delivery, Delivery.contact_id == ContactPoint.id)
        .where(Delivery.id == delivery_id, Delivery.channel == PUSH)
    )
    if contact is None:
        return False
    note_delivery(session, delivery_id, delivered_at=now)
    note_seen(session, contact, now=now)
    return True


def move_browser(session: Session, *, before: str, after: str) -> bool:
    """Reach a browser at another address of its push service; say if it was known.

    Both are what a browser calls a subscription, in JSON. Where it is known by the new
    one already, that stays, and works if the old one did.
    """
    try:
        old, new = read_address(before), read_address(after)
    except InvalidError:
        return False
    found = contacts_at(session, PUSH, old)
    if old == new:
        return bool(found)
    twins = {_owner(twin): twin for twin in contacts_at(session, PUSH, new)}
    for contact in found:
        twin = twins.get(_owner(contact))
        if twin is None:
            contact.address, contact.address_index = new, address_index(PUSH, new)
            continue
        if twin.state == UNPROVEN and contact.state == ACTIVE:
            twin.state, twin.proven_at = ACTIVE, contact.proven_at
        session.delete(contact)
    return bool(found)


def _owner(contact: ContactPoint) -> Owner:
    return Owner(contact.patient_id, contact.account_id)


def note_unseen(session: Session, *, now: datetime, limit: int) -> int:
    """Note which browsers show nothing any more; return how many.

    Push services answer "taken over" for browsers that are long gone.
    """
    found = unseen_browsers(session, now=now, limit=limit)
    for contact, newest in found:
        # No send failed, so that one more send does not mend it.
        contact.state, contact.last_error, contact.failed_at = FAILING, UNSEEN, now
        session.flush()
        say_again(session, newest, now=now)
        if contact.patient_id is not None:
            note_reach(session, contact.patient_id, now=now)
    return len(found)
