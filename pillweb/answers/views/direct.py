"""Answers by the buttons of a notification: no page, so no press to doubt."""

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from pillweb.answers.actions import answer_reminder, ask_to_open
from pillweb.answers.queries import link_behind
from pillweb.answers.rules import LATE, VERBS, outcome_words
from pillweb.base.clock import now
from pillweb.base.errors import LinkGoneError
from pillweb.base.i18n import speaking
from pillweb.base.zones import zone
from pillweb.contacts.queries import patients_to_tell
from pillweb.reminders.queries.buttons import DIRECT
from pillweb.web.security import csrf, is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import ask_nobody

direct_answers = Blueprint("direct_answers", __name__)
# The secret in the address is the permission.
csrf.exempt(direct_answers)
direct_answers.before_request(ask_nobody)

GUESSES = "30 per 10 minutes"


@direct_answers.after_request
def _let_any_page_post(answer: Response) -> Response:
    """Let a page of any origin press, without cookies (Fetch: CORS protocol).

    `web.security.FROM_ANYWHERE` lets it through.
    """
    answer.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        answer.headers["Access-Control-Allow-Methods"] = "POST"
    return answer


@direct_answers.post("/t/<token>/direct/<verb>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_direct(token: str, verb: str) -> ResponseReturnValue:
    """Do what a notification's button says, and tell in one sentence what became of it.

    What comes too late is not recorded: a message asks to open the page, which warns.
    """
    link, reminder = link_behind(session(), token, now=now())
    if link.channel not in DIRECT or verb not in VERBS:
        raise LinkGoneError
    outcome = answer_reminder(
        session(),
        reminder,
        verb=verb,
        channel=link.channel,
        now=now(),
        delivery_id=link.delivery_id,
        is_warned=False,
    )
    if outcome.kind == LATE:
        ask_to_open(session(), link, reminder, outcome.moments, token=token, now=now())
        wake_after_commit("deliver")
    whose = reminder.patient_id
    person = patients_to_tell(session(), [whose], now=now())[whose]
    with speaking(person.speech):
        words = outcome_words(
            outcome, name=person.name, place=zone(person.zone), now=now()
        )
    return jsonify(outcome=outcome.kind, words=words)
