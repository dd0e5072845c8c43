"""How dear is Today, and a tap on "I have taken it"?

The patient has 20 medicines and a year of recorded doses and lives where it is past
8 in the morning now, so that the page is the same at whatever hour this runs.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import delete, select, update

from bench.browser import Browser, bare, signed_in
from bench.hello import app as hello
from bench.load import Load, load, served
from bench.people import morning_zone, year_of
from bench.place import SQLITE, database_kinds, new_database
from bench.table import Answer, interleaved, ratio
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import OPEN
from pillweb.factory import create_app

ROUNDS = 40
HELLOS = 20
SERVED_ROUNDS = 6
SERVED_S = 1.0
MANY_CONNECTIONS = 8
KILOBYTE = 1000
CARD = b'<li class="dose '
LAG_GOAL_MS = 100.0
GOALS = {SQLITE: (15.0, 18.0), "Postgres": (20.0, 25.0)}


def answer(folder: Path) -> Answer:
    """Measure it on every database there is."""
    found = Answer("today")
    for kind in database_kinds():
        with new_database(kind, folder):
            _measure(found, kind)
    return found


def _measure(found: Answer, kind: str) -> None:
    at = now()
    with database().transaction() as session:
        patient_id, token = year_of(session, now=at, zone=morning_zone(at))
    app = create_app()
    path = f"/patients/{patient_id}/today"
    browser = signed_in(app, token, path)
    get = browser.get(path)
    timed = interleaved(
        {"today": get, "hello": bare(hello)},
        rounds=ROUNDS,
        times={"today": 3, "hello": HELLOS},
        clock=time.process_time,
    )
    page = get()
    cost = statistics.median(timed["today"]) * 1000
    found.add(
        f"{kind}: Today, CPU / hello",
        ratio(timed, "today", "hello"),
        at_most=GOALS[kind][0],
        detail=f"{cost:.2f} ms, {page.count(CARD)} cards",
    )
    found.add(f"{kind}: Today, HTML", len(page) / KILOBYTE, at_most=30, unit="kB")
    doses = _todays_doses(patient_id, at)
    _measure_taps(found, kind, browser, path, doses)
    _measure_served(found, kind, browser, path)


def _todays_doses(patient_id: int, at: datetime) -> Sequence[int]:
    with database().reading() as session:
        return session.scalars(
            select(Dose.id).where(
                Dose.patient_id == patient_id,
                Dose.state == OPEN,
                Dose.due_at.between(at - timedelta(hours=3), at + timedelta(hours=6)),
            )
        ).all()


def _reopen(doses: Sequence[int]) -> None:
    """Forget the taps, so that there is something to tap on again."""
    with database().transaction() as session:
        nothing = dict.fromkeys(("recorded_at", "taken_at", "taken_amount"))
        session.execute(
            update(Dose).where(Dose.id.in_(doses)).values(state=OPEN, **nothing)
        )
        session.execute(delete(DoseEvent).where(DoseEvent.dose_id.in_(doses)))


def _measure_taps(
    found: Answer,
    kind: str,
    browser: Browser,
    path: str,
    doses: Sequence[int],
) -> None:
    taps = [browser.tap(f"{path[: -len('today')]}doses/{i}/take") for i in doses]
    plain = bare(hello)
    sizes = [len(tap()) for tap in taps]
    ratios, costs = [], []
    for _ in range(ROUNDS):
        _reopen(doses)
        cost = _cpu_of(taps)
        hello_cost = _cpu_of([plain] * HELLOS)
        costs.append(cost * 1000)
        ratios.append(cost / hello_cost)
    _check_recorded(doses)
    _reopen(doses)
    found.add(
        f"{kind}: a tap, CPU / hello",
        statistics.median(ratios),
        at_most=GOALS[kind][1],
        detail=f"{statistics.median(costs):.2f} ms",
    )
    found.add(f"{kind}: a tap, answer", max(sizes) / KILOBYTE, at_most=3, unit="kB")


def _cpu_of(calls: Sequence[Callable[[], object]]) -> float:
    began = time.process_time()
    for call in calls:
        call()
    return (time.process_time() - began) / len(calls)


def _check_recorded(doses: Sequence[int]) -> None:
    with database().reading() as session:
        states = session.scalars(select(Dose.state).where(Dose.id.in_(doses))).all()
        events = session.scalars(
            select(DoseEvent.id).where(DoseEvent.dose_id.in_(doses))
        ).all()
    assert set(states) == {"taken"}, states
    assert len(events) == len(doses), "each tap leaves one event"


def _measure_served(found: Answer, kind: str, browser: Browser, path: str) -> None:
    with served("tests.unlimited:app") as ours, served("bench.hello:app") as theirs:
        calm = _in_turns(browser, path, ours, theirs, connections=2)
        busy = _in_turns(browser, path, ours, theirs, connections=MANY_CONNECTIONS)
    rates = [a.rate / b.rate for a, b in busy]
    found.add(
        f"{kind}: served, requests/s of bare Flask's",
        statistics.median(rates),
        at_least=0.40,
        detail=f"{statistics.median(a.rate for a, _ in busy):.0f}/s, "
        f"{MANY_CONNECTIONS} connections",
    )
    found.add(
        f"{kind}: served, p95 at 2 connections / bare Flask's",
        statistics.median(a.p95 / b.p95 for a, b in calm),
        at_most=4,
    )
    for name, stretch in (("2", calm), (str(MANY_CONNECTIONS), busy)):
        found.add(
            f"{kind}: served, p95 of Today at {name} connections",
            statistics.median(a.p95 for a, _ in stretch) * 1000,
            at_most=LAG_GOAL_MS,
            unit="ms",
        )


def _in_turns(
    browser: Browser, path: str, ours: int, theirs: int, *, connections: int
) -> list[tuple[Load, Load]]:
    """Load both servers in turns, after a first stretch that only warms them."""
    found = []
    for _ in range(SERVED_ROUNDS + 1):
        ask = partial(load, connections=connections, seconds=SERVED_S)
        a = ask(ours, path, headers=browser.headers)
        b = ask(theirs, "/", headers={})
        found.append((a, b))
    return found[1:]
