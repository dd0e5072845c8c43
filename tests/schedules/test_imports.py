"""A FHIR file on the page: drafts to be checked, and nothing live before that."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.schedules.forms import importing
from pillweb.schedules.models import Plan, PlanDraft
from pillweb.schedules.queries import answers_in, drafts_of
from pillweb.schedules.rules.line_json import line_from_json
from tests.schedules.fhir.samples import SAMPLES, Json, bundle, request
from tests.schedules.pages import (
    count,
    follow,
    lines_of,
    medicine_url,
    medicines_url,
    newest,
    newest_draft,
    replan,
    send,
    submit,
    take_as,
)
from tests.world import World, csrf_of, signed_in

FILES = sorted(path.name for path in SAMPLES.glob("*.json"))
NONE_KNOWN = "aups-noknownx.json"
DAILY = {
    "timing": {
        "repeat": {
            "frequency": 1,
            "period": 1,
            "periodUnit": "d",
            "timeOfDay": ["08:00:00"],
        }
    },
    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
}


def import_url(world: World) -> str:
    return f"{medicines_url(world)}/import"


def upload(
    client: FlaskClient, world: World, raw: bytes, *, text: str = ""
) -> TestResponse:
    data = {
        "csrf_token": csrf_of(client, "/people/new"),
        "file": (BytesIO(raw), "file.json"),
        "text": text,
    }
    return client.post(import_url(world), data=data)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def active(name: str, **more: object) -> bytes:
    return json.dumps({**json.loads(sample(name)), "status": "active", **more}).encode()


def waiting(db: Database, world: World, now: datetime) -> list[PlanDraft]:
    with db.reading() as session:
        return list(drafts_of(session, world.patient, now=now))


def go_through(
    client: FlaskClient, world: World, db: Database, pages: Mapping[str, Json]
) -> str:
    """Answer each question that the newest draft asks; return where that ends."""
    draft, _ = newest_draft(db)
    here = f"{medicines_url(world)}/drafts/{draft.id}"
    asked, first = [], client.get(here)
    path = follow(client, first) if first.status_code == 303 else here
    while path != here:
        question = path.removeprefix(f"{here}/")
        asked.append(question)
        assert len(asked) <= len(pages), asked
        path = follow(client, submit(client, path, pages.get(question, {})))
    assert asked == list(pages)
    return here


def kinds(db: Database) -> tuple[int, int, int]:
    return count(db, Medication), count(db, Plan), count(db, Dose)


@pytest.mark.parametrize("name", FILES)
def test_every_sample_becomes_drafts_and_nothing_live(
    name: str, rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    before = kinds(db)
    for _ in range(2):
        answer = upload(rosa, world, sample(name))
        assert (answer.status_code, answer.location) == (303, import_url(world))
    expected = 0 if name == NONE_KNOWN else 1
    drafts = waiting(db, world, now)
    assert [draft.source for draft in drafts] == ["import"] * expected
    shown = rosa.get(import_url(world))
    assert shown.status_code == 200
    assert shown.text.count("Check this one") == expected
    for draft in drafts:
        here = f"{medicines_url(world)}/drafts/{draft.id}"
        assert rosa.get(here, follow_redirects=True).status_code == 200
    replan(db, now)
    assert kinds(db)[:2] == before[:2]
    if expected:
        assert (answers_in(drafts[0]).reasons or answers_in(drafts[0]).standing) != ""


def test_a_summary_without_medicines_says_so(rosa: FlaskClient, world: World) -> None:
    upload(rosa, world, sample(NONE_KNOWN))
    assert "no medicines are known" in rosa.get(import_url(world)).text
    upload(rosa, world, b'{"resourceType": "Bundle", "type": "document"}')
    assert "We found no medicines" in rosa.get(import_url(world)).text


def test_a_whole_file_goes_live_after_its_check(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    upload(rosa, world, active("chmed-dosage-6.2.json"))
    named = {"name": "Example", "form": "tablet"}
    here = go_through(rosa, world, db, {"0/medicine": named})
    before = count(db, Medication)
    assert submit(rosa, here).location == medicines_url(world)
    row, lines = newest(db)
    assert (count(db, Medication), row.name) == (before + 1, "Example")
    assert [str(entry.at)[:5] for entry in lines[0].times] == ["08:00"]
    assert upload(rosa, world, active("chmed-dosage-6.2.json")).status_code == 303
    assert waiting(db, world, now) == []
    assert "in use already" in rosa.get(import_url(world)).text


def test_a_completed_medicine_wants_one_more_yes(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    upload(rosa, world, sample("chmed-dosage-6.2.json"))
    assert "this is completed" in rosa.get(import_url(world)).text
    named = {"name": "Example", "form": "tablet"}
    here = go_through(rosa, world, db, {"0/medicine": named})
    before = kinds(db)
    refused = submit(rosa, here)
    assert (refused.status_code, kinds(db)) == (422, before)
    assert "Is it taken all the same?" in refused.text
    assert submit(rosa, here, {"standing": "y"}).status_code == 303
    assert count(db, Medication) == before[0] + 1


@pytest.mark.parametrize("status", ["entered-in-error", "stopped", "unknown", "bad"])
def test_every_standing_but_taken_is_asked(
    status: str, rosa: FlaskClient, world: World, db: Database
) -> None:
    upload(rosa, world, json.dumps(request(DAILY, status=status)).encode())
    draft, answers = newest_draft(db)
    assert answers.standing
    assert answers.open == ()
    refused = submit(rosa, f"{medicines_url(world)}/drafts/{draft.id}")
    assert refused.status_code == 422


def test_triatec_wants_its_time(rosa: FlaskClient, world: World, db: Database) -> None:
    upload(rosa, world, sample("chemed-2-1-triatec.json"))
    shown = rosa.get(import_url(world)).text
    assert "0.5 tablet, in the morning" in shown
    assert "choose the time" in shown
    pages = {"0/times": {"at_0": "7.30am"}, "0/text": {}}
    here = go_through(rosa, world, db, pages)
    assert submit(rosa, here).location == medicines_url(world)
    row, (line,) = newest(db)
    assert (row.name, row.form) == ("TRIATEC Tabl 2.5 mg", "tablet")
    assert '"code": "7680538751228"' in (row.codes or "")
    assert json.loads(row.ingredients or "") == [
        {"name": "Ramipril", "amount": "2.5 mg"}
    ]
    assert [str(entry.at)[:5] for entry in line.times] == ["07:30"]
    assert line.dose is not None
    assert line.dose.text == "0.5 tablet"


def test_a_taper_is_one_plan_of_steps(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    upload(rosa, world, sample("nhs-sequential-sequence.json"))
    pages: dict[str, Json] = {
        "0/medicine": {"name": "Prednisolone", "form": "tablet"},
        "0/steps": {"at_0": "8am"},
        "0/text": {},
    }
    here = go_through(rosa, world, db, pages)
    assert submit(rosa, here).location == medicines_url(world)
    _, (line,) = newest(db)
    told = [(step.days, str(step.times[0].dose)) for step in line.steps]
    assert [days for days, _ in told] == [4, 1, 1, 1, 1, 1]
    amounts = ["60 mg", "50 mg", "40 mg", "30 mg", "20 mg", "10 mg"]
    assert all(amount in dose for amount, (_, dose) in zip(amounts, told, strict=True))
    assert line.start_date == now.date()


def test_parallel_parts_stay_parts(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    upload(rosa, world, sample("nhs-parallel-sequence.json"))
    _, answers = newest_draft(db)
    assert [part.line["dose"] for part in answers.parts] == ["2 tablet", "1 tablet"]
    assert {"times", "dates", "text"} == set(answers.parts[0].open)


def test_what_was_thrown_away_can_be_read_again(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    file = active("chemed-2-1-triatec.json")
    upload(rosa, world, file)
    (draft,) = waiting(db, world, now)
    send(rosa, f"{medicines_url(world)}/drafts/{draft.id}/throw-away")
    assert waiting(db, world, now) == []
    upload(rosa, world, file)
    (again,) = waiting(db, world, now)
    assert answers_in(again).medicine["name"] == "TRIATEC Tabl 2.5 mg"


def test_answers_are_not_lost_when_a_file_is_read_again(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    file = sample("chemed-2-1-triatec.json")
    upload(rosa, world, file)
    draft, _ = newest_draft(db)
    here = f"{medicines_url(world)}/drafts/{draft.id}"
    submit(rosa, f"{here}/0/times", {"at_0": "9pm"})
    upload(rosa, world, file)
    _, answers = newest_draft(db)
    assert answers.parts[0].line["times"] == [{"at": "21:00"}]


def test_another_content_is_another_draft(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    upload(rosa, world, sample("chemed-2-1-triatec.json"))
    upload(rosa, world, active("chemed-2-1-triatec.json", note=[{"text": "New"}]))
    assert len(waiting(db, world, now)) == 2


def test_a_file_changes_a_medicine_that_is_there(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    with db.transaction() as session:
        row = session.get_one(Medication, world.medication)
        row.name, row.form, row.reason = "Amlodipine 5 mg tablet", "tablet", "pressure"
    day = f"{now:%Y-%m-%d}"
    old = {"kind": "clock", "start_date": day, "times": ["20:00"], "dose": "1 tablet"}
    take_as(db, world, line_from_json(old), now=now)
    before = count(db, Medication)
    upload(rosa, world, json.dumps(bundle(request(DAILY))).encode())
    draft, _ = newest_draft(db)
    here = f"{medicines_url(world)}/drafts/{draft.id}"
    belongs = f"{here}/belongs/{world.medication}"
    assert belongs in rosa.get(import_url(world)).text
    assert submit(rosa, here).status_code == 422
    assert send(rosa, belongs).location == here
    assert belongs not in rosa.get(import_url(world)).text
    assert submit(rosa, here).location == medicines_url(world)
    assert count(db, Medication) == before
    (line,) = lines_of(db, world.medication)
    assert [str(entry.at)[:5] for entry in line.times] == ["08:00"]
    assert "From a file" in rosa.get(f"{medicine_url(world)}/history").text
    with db.reading() as session:
        assert session.get_one(Medication, world.medication).reason == "pressure"


def test_a_plan_changed_since_may_be_read_again(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    file = json.dumps(request(DAILY)).encode()
    upload(rosa, world, file)
    draft, _ = newest_draft(db)
    submit(rosa, f"{medicines_url(world)}/drafts/{draft.id}")
    row, _ = newest(db)
    upload(rosa, world, file)
    assert waiting(db, world, now) == []
    send(rosa, f"{medicines_url(world)}/{row.id}/stop", {"why": ""})
    upload(rosa, world, file)
    (again,) = waiting(db, world, now)
    assert again.medication_id is None


def test_a_forgotten_draft_begins_anew(
    app: Flask, world: World, db: Database, now: datetime
) -> None:
    file = sample("chemed-2-1-triatec.json")
    for later in (now, now + timedelta(days=91)):
        with time_machine.travel(later, tick=False):
            client = signed_in(app, world.rosa, now=later)
            upload(client, world, file)
            assert len(waiting(db, world, later)) == 1


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "Choose a file"),
        (b"%PDF-1.7 \xff\xfe", "FHIR file in JSON"),
        (b"take one tablet", "not JSON"),
        (b'{"resourceType": "Patient"}', "Patient"),
        (b"[" * 100_000, "deep"),
        (json.dumps(request(DAILY, id="\ud800")).encode(), "nobody can read"),
        (
            json.dumps(
                bundle(*[request(DAILY, id=str(n)) for n in range(201)])
            ).encode(),
            "more than 200 medicines",
        ),
    ],
)
def test_a_wrong_file_gets_a_sentence(
    raw: bytes, said: str, rosa: FlaskClient, world: World, db: Database
) -> None:
    answer = upload(rosa, world, raw)
    assert answer.status_code == 422
    assert said in answer.text
    assert count(db, PlanDraft) == 0


def test_a_file_that_is_too_long_gets_a_sentence(
    rosa: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LONGEST_FILE", 100)
    answer = upload(rosa, world, b" " * 101)
    assert answer.status_code == 422
    assert "longer than 10 MB" in answer.text


def test_too_much_at_once_gets_a_sentence(rosa: FlaskClient, world: World) -> None:
    answer = rosa.post(
        import_url(world),
        data=b"--x",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": "12000001"},
    )
    assert answer.status_code == 413
    assert "10 MB" in answer.text
    assert upload(rosa, world, b"", text="x" * 500_001).status_code == 413


def test_a_pasted_text_is_read_as_well(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    text = "\ufeff" + sample("chemed-2-1-triatec.json").decode()
    assert upload(rosa, world, b"{}", text=text).status_code == 422
    assert upload(rosa, world, b"", text=text).status_code == 303
    assert count(db, PlanDraft) == 1


def test_names_from_a_file_are_shown_safely(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    name = "<b>Amlo</b>\u202e \u0628\u0627\u0631\u0627 5 mg tablet"
    given = request(DAILY, medicationCodeableConcept={"text": name})
    upload(rosa, world, json.dumps(given).encode())
    shown = rosa.get(import_url(world)).text
    assert "&lt;b&gt;Amlo&lt;/b&gt;" in shown
    assert "\u202e" not in shown
    assert "\u0628\u0627\u0631\u0627" in shown


def test_the_list_of_medicines_leads_there(rosa: FlaskClient, world: World) -> None:
    assert import_url(world) in rosa.get(medicines_url(world)).text


def test_the_columns_do_not_tell_what_was_in_the_file(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    upload(rosa, world, sample("chemed-2-1-triatec.json"))
    with db.reading() as session:
        told = str(session.execute(sa.text("select * from plan_draft")).all())
    assert "TRIATEC" not in told
