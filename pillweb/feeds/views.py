"""The page that makes private calendars, and the address that phones read."""

from hashlib import sha256
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.code import code_of
from pillweb.base.config import settings
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.look import read_look
from pillweb.base.words import date_words
from pillweb.base.zones import local, zone
from pillweb.feeds.actions import make_feed, stop_feed
from pillweb.feeds.forms import FeedForm
from pillweb.feeds.queries import feed_behind, feed_moments, feeds_of
from pillweb.feeds.rules import Face, calendar_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.look import spoken_look
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

feeds = Blueprint("feeds", __name__)

GUESSES = "30 per 10 minutes"


def _door(patient_id: int) -> Door:
    return open_door(session(), signed_in(), patient_id, need=Level.MANAGE)


def _context(door: Door, form: FeedForm) -> dict[str, object]:
    place = zone(door.zone)
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "action": f"{door.base_url}/calendar-feed",
        "feeds": [
            (row.id, row.label, date_words(local(row.created_at, place).date()))
            for row in feeds_of(session(), door.patient_id)
        ],
    }


@feeds.get("/patients/<int:patient_id>/calendar-feed")
def show_feeds(patient_id: int) -> ResponseReturnValue:
    """Show which phones ring by a calendar."""
    return page("feeds/feeds.html", **_context(_door(patient_id), FeedForm()))


@feeds.post("/patients/<int:patient_id>/calendar-feed")
def post_feed(patient_id: int) -> ResponseReturnValue:
    """Make a calendar and show its address, this once."""
    door = _door(patient_id)
    form = FeedForm()
    if not form.validate():
        return bad_form("feeds/feeds.html", **_context(door, form))
    row, token = make_feed(
        session(),
        patient_id=door.patient_id,
        made_by_id=signed_in().account_id,
        label=said(form.label),
        shows_names=form.shows_names.data,
        look=spoken_look().written,
        now=now(),
    )
    url = link(f"/ics/{token}")
    phone_url = "webcal" + url.removeprefix(urlsplit(url).scheme)
    return page(
        "feeds/made.html",
        nav=nav_of(door),
        base_url=door.base_url,
        label=row.label,
        feed_url=url,
        phone_url=phone_url,
        code=code_of(phone_url),
        only_here=settings().on_this_machine,
    )


@feeds.post("/patients/<int:patient_id>/calendar-feed/<int:feed_id>/stop")
def post_stop_feed(patient_id: int, feed_id: int) -> ResponseReturnValue:
    """Stop a calendar at once."""
    door = _door(patient_id)
    stop_feed(session(), patient_id=door.patient_id, feed_id=feed_id, now=now())
    notice = _("This calendar is stopped. Please remove it from the phone, too.")
    return go(f"{door.base_url}/calendar-feed", notice=notice)


@feeds.get("/ics/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_feed(token: str) -> ResponseReturnValue:
    """Answer a phone with the times; nothing where they are as it has them."""
    feed = feed_behind(session(), token, now=now())
    face = Face(
        patient_id=feed.patient.id,
        patient_name=feed.patient.name,
        host=urlsplit(link("/")).hostname or "",
        url=link(f"/patients/{feed.patient.id}/today"),
        shows_names=feed.link.shows_names,
    )
    moments = feed_moments(session(), feed, now=now())
    look = feed.link.look or ""
    # To write the file takes ten times as long as to see that nothing changed.
    edition = sha256(repr((moments, face, look)).encode()).hexdigest()
    answer = Response(mimetype="text/calendar")
    answer.set_etag(edition)
    if edition not in request.if_none_match:
        with speaking(read_look(look).speech):
            answer.data = calendar_of(moments, face)
    return answer.make_conditional(request)
