"""What the URLs answer that only providers, mail servers and our worker call."""

import hmac

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from pillweb.answers.actions import note_delivery
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.sight import see_everybody
from pillweb.channels.bounces import LONGEST_NOTE, bounce_in
from pillweb.channels.marks import is_mark
from pillweb.channels.twilio import (
    KEY,
    ONCE_MORE,
    SENDER,
    TEXT,
    account,
    ask_script,
    failure_of,
    reply_script,
    say_script,
)
from pillweb.channels.voice import VOICES, spoken
from pillweb.channels.webpush import receipt_fact
from pillweb.contacts.models import ContactPoint
from pillweb.hooks.actions import (
    answer_message,
    move_browser,
    note_bounce,
    note_push_shown,
    note_undelivered,
    take_reply,
)
from pillweb.hooks.queries import (
    contacts_at,
    delivery_by_reference,
    person_of,
)
from pillweb.hooks.rules import (
    ARRIVED,
    BY_DIGIT,
    LOST,
    UNANSWERED,
    is_signed,
)
from pillweb.outbox.models import Delivery
from pillweb.web.numbers import row_number
from pillweb.web.security import csrf, limiter
from pillweb.web.transaction import session, wake_after_commit

hooks = Blueprint("hooks", __name__)
# A signature or a mark is the permission: no cookie is needed or set.
csrf.exempt(hooks)

OFTEN = "600 per minute"
MOST_FORM_BYTES = 16_384


@hooks.before_request
def _limit_size() -> None:
    # Whose message it is about is what they tell us.
    see_everybody(session())
    is_note = request.endpoint == "hooks.post_bounce"
    request.max_content_length = LONGEST_NOTE if is_note else MOST_FORM_BYTES


def _must_be_signed() -> None:
    """Refuse what our provider of SMS and calls did not sign for our own address."""
    query = request.query_string.decode("latin-1")
    url = link(request.path) + (f"?{query}" if query else "")
    _account, secret = account()
    form = [(name, value) for name, value in request.form.items(multi=True)]
    signature = request.headers.get("X-Twilio-Signature", "")
    if not is_signed(url, form, secret=secret, signature=signature):
        abort(403)


def _twiml(text: str) -> Response:
    return Response(text, mimetype="text/xml")


@hooks.post("/hooks/sms")
@limiter.limit(OFTEN)
def post_sms() -> ResponseReturnValue:
    """Do what somebody replied by SMS, and answer in one sentence.

    Who has an unknown number gets no answer.
    """
    _must_be_signed()
    found = contacts_at(session(), "sms", request.form.get(SENDER, ""))
    if not found:
        return _twiml(reply_script(""))
    body = request.form.get(TEXT, "")
    words = take_reply(session(), list(found), body, now=now())
    wake_after_commit("deliver")
    return _twiml(reply_script(words))


@hooks.post("/hooks/voice")
@limiter.limit(OFTEN)
def post_voice() -> ResponseReturnValue:
    """Do what the key says that was pressed in a call, and say what became of it."""
    _must_be_signed()
    told = session().get(Delivery, request.args.get("delivery", 0, type=row_number))
    contact = session().get(ContactPoint, told.contact_id or 0) if told else None
    verb = BY_DIGIT.get(request.form.get(KEY, ""), "")
    if told is None or contact is None or told.channel != "voice" or not verb:
        return _twiml(reply_script(""))
    person = person_of(session(), contact, now=now())
    speech = spoken(person.speech)
    with speaking(speech):
        reply = answer_message(
            session(),
            contact,
            told,
            verb,
            person,
            now=now(),
            is_warned=ONCE_MORE in request.args,
        )
    wake_after_commit("deliver")
    voice = VOICES[speech.language]
    if reply.asks:
        return _twiml(ask_script(reply.words, voice=voice, delivery_id=told.id))
    said = say_script(reply.words, voice=voice) if reply.words else reply_script("")
    return _twiml(said)


@hooks.post("/hooks/status")
@limiter.limit(OFTEN)
def post_status() -> ResponseReturnValue:
    """Note what became of an SMS or a call."""
    _must_be_signed()
    form = request.form
    reference = form.get("MessageSid") or form.get("CallSid") or "none"
    status = form.get("MessageStatus") or form.get("CallStatus") or ""
    mine = request.args.get("delivery", type=row_number)
    delivery = delivery_by_reference(session(), reference, mine)
    if delivery is None or delivery.channel not in {"sms", "voice"}:
        return "", 204
    if status in ARRIVED:
        note_delivery(session(), delivery.id, delivered_at=now())
    elif status in LOST:
        code = form.get("ErrorCode", 0, type=row_number) or 0
        failure = failure_of(delivery.channel, code)
        note_undelivered(
            session(),
            delivery,
            error=failure.code if code else f"{delivery.channel}_{status}",
            permanent=failure.permanent,
            is_fault=status not in UNANSWERED and not failure.is_ours,
            now=now(),
        )
        wake_after_commit("deliver")
    return "", 204


@hooks.post("/hooks/push")
@limiter.limit(OFTEN)
def post_push() -> ResponseReturnValue:
    """Note that our worker showed a push; only its payload holds the mark."""
    delivery_id = request.form.get("delivery", 0, type=row_number) or 0
    mark = request.form.get("receipt", "")
    if not is_mark(mark, receipt_fact(delivery_id)):
        abort(403)
    note_push_shown(session(), delivery_id, now=now())
    return "", 204


@hooks.post("/hooks/push/moved")
@limiter.limit(OFTEN)
def post_push_moved() -> ResponseReturnValue:
    """Reach a browser at its new address; that it knows the old one proves whose."""
    before, after = request.form.get("before", ""), request.form.get("after", "")
    if not move_browser(session(), before=before, after=after):
        abort(403)
    return "", 204


@hooks.post("/hooks/bounce")
@limiter.limit(OFTEN)
def post_bounce() -> ResponseReturnValue:
    """Note a mail that came back, as the mail server hands it over (RFC 3464)."""
    secret = settings().bounce_secret
    given = request.headers.get("X-Bounce-Secret", "")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        abort(403)
    bounce = bounce_in(request.get_data(), now=now())
    if bounce is None:
        abort(400)
    if note_bounce(session(), bounce, now=now()):
        wake_after_commit("deliver")
    return "", 204
