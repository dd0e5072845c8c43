"""What a job changes of a patient is in the record, or there is a reason why not."""

from jobs.timetable import JOBS
from pillweb.audit.rules.words import CHANGES
from tests.services import ROOT

DERIVED = "follows from the plans, which are recorded; nobody decided it"
TRAIL = "what becomes of messages stands in the trail, which the family reads"
HOUSE = "of the house, and of no patient"
WITHOUT = {
    "account_requests": "of who signs in, and of no patient",
    "plan_doses": DERIVED,
    "fire_reminders": TRAIL,
    "tell_late": TRAIL,
    "check_supply": TRAIL,
    "send_digests": TRAIL,
    "deliver": TRAIL,
    "check_shown": TRAIL,
    "read_bounces": TRAIL,
    "order_reports": "who ordered it is recorded, and that it was sent",
    "build_papers": "who wanted it is recorded",
    "forget_deliveries": "what is kept for a time only: docs/privacy.md",
    "forget_drafts": "a plan that never held, and that nobody touched for months",
    "rotate_keys": "says the same by another key",
    "seal_audit": HOUSE,
    "send_canaries": HOUSE,
    "back_up": HOUSE,
    "try_restore": HOUSE,
}
# Where each of the others writes its entry.
WRITES = {
    "look_after_access": "jobs/look_after_access.py",
    "build_reports": "jobs/build_reports.py",
    "take_out": "jobs/take_out.py",
    "bring_in": "pillweb/transfers/actions/bringing.py",
    "erase": "pillweb/rights/actions/purging.py",
}


def test_each_job_is_recorded_or_says_why_not() -> None:
    assert not WITHOUT.keys() & WRITES.keys()
    assert WITHOUT.keys() | WRITES.keys() == JOBS.keys()
    assert {f"jobs.{name}" for name in WRITES} <= CHANGES.keys()
    for name, file in WRITES.items():
        said = (ROOT / file).read_text()
        assert "append_entry(" in said, name
        assert f'"jobs.{name}"' in said, name
