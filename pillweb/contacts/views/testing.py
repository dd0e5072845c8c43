"""The page behind a test message, where nobody signs in."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.rules import NEW_NUMBER
from pillweb.accounts.views.entering import SMS
from pillweb.accounts.views.signing import tell
from pillweb.base.clock import now
from pillweb.contacts.actions.changing import answer_contact_test
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import contact_test_behind
from pillweb.web.htmx import go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session

contact_tests = Blueprint("contact_tests", __name__)

GUESSES = "30 per 10 minutes"


def _test_page(token: str, *, is_answered: bool) -> ResponseReturnValue:
    context = {"action": f"/m/{token}", "is_answered": is_answered}
    return page("contacts/got_it.html", shown=shown_here(), **context)


@contact_tests.get("/m/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_contact_test(token: str) -> ResponseReturnValue:
    """Show one button: mail scanners open links, people press buttons."""
    row = contact_test_behind(session(), token, now=now())
    return _test_page(token, is_answered=row.answered_at is not None)


@contact_tests.post("/m/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_contact_test(token: str) -> ResponseReturnValue:
    """Note that the test arrived."""
    test = contact_test_behind(session(), token, now=now())
    if not is_pressed():
        return go(once_more(f"/m/{token}"))
    contact = session().get_one(ContactPoint, test.contact_id)
    is_new_way = bool(contact.account_id) and contact.channel == SMS
    if is_new_way and not contact.proven_at:
        tell(contact.account_id or 0, NEW_NUMBER)
    answer_contact_test(session(), test, now=now())
    return go(f"/m/{token}")
