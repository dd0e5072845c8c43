"""The installed page: its manifest and worker, and what it sends and asks for."""

from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from pillweb.base.clean import clean_text
from pillweb.base.clock import now
from pillweb.base.i18n import Speech, speech
from pillweb.base.i18n import gettext as _
from pillweb.base.viewer import Asker, Tablet
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.queries.days import dose_facts
from pillweb.doses.queries.intakes import who_recorded
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level
from pillweb.sync.actions import note_shown, replay_answer
from pillweb.sync.forms import ReplayForm
from pillweb.sync.models import Replay
from pillweb.sync.queries import moments_of, notes_to_show, open_page, replays_of
from pillweb.sync.rules import Presser, needs_a_look, outcome_words
from pillweb.web.filters import asset
from pillweb.web.htmx import fragment
from pillweb.web.security import client_key, fresh_token, is_miss, limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import who_asks, whose_browser

sync = Blueprint("sync", __name__)

MOST_TOLD = 50
# What waits on a device holds up what is pressed next: a week of a family must pass.
REPLAYS = "600 per hour"
GUESSES = "30 per 10 minutes"
ICONS = (
    ("icons/192.png", "192x192", "any"),
    ("icons/512.png", "512x512", "any"),
    ("icons/maskable.png", "512x512", "maskable"),
)


@sync.get("/sw.js")
def show_worker() -> ResponseReturnValue:
    """Name the script that keeps Today, at the root, for it serves all pages.

    The scripts themselves are static files, compressed and under their content's hash.
    """
    script = f'importScripts("{asset("notebook.js")}", "{asset("worker.js")}");'
    answer = Response(script, mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@sync.get("/app.webmanifest")
def show_manifest() -> ResponseReturnValue:
    """Say under which name and picture the pages are installed."""
    answer = jsonify(
        id="/",
        name="PillWeb",
        short_name="PillWeb",
        description=_("Your medicines, each at its time."),
        start_url="/",
        scope="/",
        display="standalone",
        lang=speech().language,
        dir=speech().direction,
        background_color="#ffffff",
        theme_color="#0c4a45",
        icons=[
            {"src": asset(name), "sizes": size, "type": "image/png", "purpose": use}
            for name, size, use in ICONS
        ],
    )
    answer.mimetype = "application/manifest+json"
    return answer


@sync.get("/device/words")
def show_words() -> ResponseReturnValue:
    """Say everything our scripts may have to say, in the language of this browser."""
    return fragment("sync/words.html")


@lru_cache(maxsize=64)
def _edition(_how: Speech) -> str:
    return sha256(render_template("sync/words.html").encode()).hexdigest()[:12]


@sync.app_context_processor
def _know_words() -> dict[str, object]:
    """Let Today name the words its scripts say, by their content's hash."""
    return {"device_words": lambda: f"/device/words?v={_edition(speech())}"}


@sync.get("/device/key")
def show_key() -> ResponseReturnValue:
    """Say whose browser this is, and give the token its kept answers go with."""
    return jsonify(account=whose_browser(), token=fresh_token())


def _account() -> str:
    """Return whom a limit counts: an account, wherever it is signed in, or a tablet."""
    whose = whose_browser()
    return f"account:{whose}" if whose else client_key()


def _presser(asker: Asker) -> Presser:
    if isinstance(asker, Tablet):
        return Presser(device_id=asker.device_id)
    return Presser(account_id=asker.account_id)


@sync.post("/patients/<int:patient_id>/doses/<int:dose_id>/replay")
@limiter.limit(REPLAYS, key_func=_account)
def post_replay(patient_id: int, dose_id: int) -> ResponseReturnValue:
    """Record what a device kept while it had no connection; the same press once."""
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.MARK, shows=())
    form = ReplayForm()
    if not form.validate():
        return jsonify(outcome="unreadable"), 422
    replay = replay_answer(
        session(),
        form.answer(dose_id),
        patient_id=door.patient_id,
        presser=_presser(viewer),
        now=now(),
    )
    return jsonify(outcome=replay.outcome)


@sync.get("/patients/<int:patient_id>/sent")
def show_sent(patient_id: int) -> ResponseReturnValue:
    """Tell in words what became of answers that this device sent."""
    viewer = who_asks()
    door = open_door(session(), viewer, patient_id, need=Level.VIEW, shows=())
    keys = [clean_text(key) for key in request.args.getlist("key")[:MOST_TOLD]]
    found = replays_of(session(), _presser(viewer), patient_id, keys)
    told = [_told(door, replay) for replay in found]
    return fragment("sync/sent.html", told=told, base_url=door.base_url)


def _told(door: Door, replay: Replay) -> dict[str, object]:
    dose = dose_facts(session(), door.patient_id, replay.dose_id)
    recorded_at = dose.recorded_at if dose else None
    return {
        "name": dose.name if dose and door.shows_names else "",
        "words": outcome_words(
            replay.outcome,
            replay.deed,
            pressed=_clock(door, replay.pressed_at),
            recorded=_clock(door, recorded_at) if recorded_at else "",
            by=who_recorded(session(), replay.dose_id),
        ),
        "day": dose.nominal_date if dose and needs_a_look(replay.outcome) else None,
    }


def _clock(door: Door, moment: datetime) -> str:
    place = zone(door.zone)
    here, today = local(moment, place), local(now(), place).date()
    clock = time_words(here.time())
    if here.date() == today:
        return clock
    return _("%(time)s on %(date)s", time=clock, date=date_words(here.date()))


@sync.get("/patients/<int:patient_id>/moments")
def show_moments(patient_id: int) -> ResponseReturnValue:
    """List when to ring in the next two days, in words that name no medicine."""
    door = open_door(session(), who_asks(), patient_id, need=Level.VIEW, shows=())
    place = zone(door.zone)
    return jsonify(
        [
            {
                "at": int(due_at.timestamp() * 1000),
                "doses": doses,
                "words": _bell_words(door, time_words(local(due_at, place).time())),
            }
            for due_at, doses in moments_of(session(), patient_id, now=now())
        ]
    )


def _bell_words(door: Door, clock: str) -> str:
    if door.is_self:
        return _("It is %(time)s. Time for your medicines.", time=clock)
    return _("It is %(time)s. Time for medicines.", time=clock)


@sync.get("/live/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_notes(token: str) -> ResponseReturnValue:
    """List what the open page with this secret is to say; 304 where nothing is new."""
    notes = notes_to_show(session(), open_page(session(), token), now=now())
    answer = jsonify(
        [
            {
                "id": one.id,
                "words": one.words,
                "link": one.link,
                "urgent": one.is_urgent,
            }
            for one in notes
        ]
    )
    answer.add_etag()
    return answer.make_conditional(request)


@sync.post("/live/<token>/<int:note_id>/shown")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_shown(token: str, note_id: int) -> ResponseReturnValue:
    """Note that the open page said it."""
    note_shown(session(), open_page(session(), token), note_id, now=now())
    return "", 204
