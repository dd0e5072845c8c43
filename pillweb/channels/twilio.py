"""The provider of SMS and calls, by the REST interface that Twilio made common."""

from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape, quoteattr

from requests.auth import HTTPBasicAuth

from pillweb.base.config import settings
from pillweb.base.links import link
from pillweb.channels import Message, Receipt, SendError
from pillweb.channels.http import Line, Reply, refusal

# twilio.com/docs/api/errors: no such number, no mobile, said STOP, a dead number.
NUMBER_IS_DEAD = frozenset({21211, 21214, 21217, 21610, 21614, 30005, 30006})
# Sign-in, account, our own number, filtered as spam.
OURS = frozenset({20003, 20005, 21212, 21603, 21606, 30002, 30007, 30034})
OURS_STATUS = frozenset({401, 402})
TAKEN = frozenset({200, 201})
LONGEST_SID = 64
# What it calls the parts of a reply, and of the key that was pressed.
SENDER, TEXT, KEY = "From", "Body", "Digits"
# Stands in the address to which a key is posted that was asked for once more.
ONCE_MORE = "again"
LONGEST_VALIDITY_S, RINGS_S, LISTENS_S = 36000, 30, 8


def account() -> tuple[str, str]:
    """Return the account and the secret that SMS_URL names; both sign and verify."""
    parts = urlsplit(settings().sms_url)
    return unquote(parts.username or ""), unquote(parts.password or "")


def failure_of(channel: str, code: int) -> SendError:
    """Return what an error code of the provider means, also in a status callback."""
    return SendError(
        f"{channel}_{code}", permanent=code in NUMBER_IS_DEAD, is_ours=code in OURS
    )


def _receipt(channel: str, reply: Reply) -> Receipt:
    said = reply.said
    code = said.get("error_code") or said.get("code") or 0
    if isinstance(code, int) and code:
        failure = failure_of(channel, code)
        failure.retry_after_s = reply.retry_after_s
        raise failure
    sid = said.get("sid")
    if reply.status not in TAKEN:
        raise refusal(channel, reply, is_ours=reply.status in OURS_STATUS)
    if not (isinstance(sid, str) and 0 < len(sid) <= LONGEST_SID):
        raise SendError(f"{channel}_answer")
    return Receipt(sid)


def _post(
    line: Line, channel: str, resource: str, message: Message, form: Mapping[str, str]
) -> Receipt:
    """Post one message or call; its reference is the provider's `sid`.

    The far side can tell a repeat by the header `Idempotency-Key`. What becomes of it
    is posted to /hooks/status.
    """
    parts = urlsplit(settings().sms_url)
    name, secret = account()
    host = parts.netloc.rpartition("@")[2]
    reply = line.post(
        f"{parts.scheme}://{host}/2010-04-01/Accounts/{name}/{resource}.json",
        data={
            "To": message.recipient,
            "StatusCallback": link(f"/hooks/status?delivery={message.delivery_id}"),
            **form,
        },
        headers={"idempotency-key": sha256(message.key.encode()).hexdigest()[:32]},
        auth=HTTPBasicAuth(name, secret),
    )
    return _receipt(channel, reply)


def post_text(line: Line, channel: str, message: Message, *, text: str) -> Receipt:
    """Send an SMS; raise SendError."""
    sender = settings().sms_from
    form = {
        # The one is Twilio's name for a pool of numbers.
        "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
        "Body": text,
        "ValidityPeriod": str(min(max(message.lasts_s, 1), LONGEST_VALIDITY_S)),
    }
    return _post(line, channel, "Messages", message, form)


def post_call(
    line: Line, channel: str, message: Message, *, words: str, voice: str
) -> Receipt:
    """Call, say the words twice and listen for one key; raise SendError."""
    form = {
        "From": settings().voice_from,
        "Twiml": call_script(words, voice=voice, delivery_id=message.delivery_id),
        "Timeout": str(RINGS_S),
    }
    return _post(line, channel, "Calls", message, form)


def call_script(words: str, *, voice: str, delivery_id: int) -> str:
    """Return what a call does, as TwiML; the key pressed is posted to /hooks/voice."""
    action = quoteattr(link(f"/hooks/voice?delivery={delivery_id}"))
    say = f'<Say language="{voice}">{escape(words)}</Say><Pause length="1"/>'
    return (
        f'<Response><Gather numDigits="1" timeout="{LISTENS_S}" method="POST" '
        f"action={action}>{say}{say}</Gather></Response>"
    )


def reply_script(words: str) -> str:
    """Return TwiML that replies in one SMS; nothing where there is nothing to say."""
    said = f"<Message>{escape(words)}</Message>" if words else ""
    return f"<Response>{said}</Response>"


def say_script(words: str, *, voice: str) -> str:
    """Return TwiML that says one sentence and ends the call."""
    said = f"<Say language={quoteattr(voice)}>{escape(words)}</Say>"
    return f"<Response>{said}</Response>"


def ask_script(words: str, *, voice: str, delivery_id: int) -> str:
    """Return TwiML that says one sentence and listens for one more key."""
    path = f"/hooks/voice?delivery={delivery_id}&{ONCE_MORE}=1"
    action = quoteattr(link(path))
    return (
        f'<Response><Gather numDigits="1" timeout="{LISTENS_S}" method="POST" '
        f"action={action}><Say language={quoteattr(voice)}>{escape(words)}</Say>"
        "</Gather></Response>"
    )
