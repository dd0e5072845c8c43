"""What became of what helpers were told of: seen to, recorded, taken back."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.words import join_words, time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import Post, post_messages
from pillweb.contacts.rules import ALERTS, chosen_points, quiet_until
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.alerts import (
    alerted_accounts,
    has_open,
    is_changed,
    outcome_of,
)
from pillweb.reminders.queries.waiting import passed_over, undone
from pillweb.reminders.rules.course import ALERT_RESOLVED
from pillweb.reminders.rules.ladder import BUZZING
from pillweb.sharing.queries.hiding import hidden_of


def see_to(
    session: Session, reminder_ids: Collection[int], *, account_id: int, now: datetime
) -> None:
    """Note that a helper sees to these: nobody else is alerted. The first stands."""
    session.execute(
        update(Reminder)
        .where(Reminder.id.in_(reminder_ids), Reminder.acknowledged_at.is_(None))
        .values(acknowledged_by=account_id, acknowledged_at=now),
        execution_options={"synchronize_session": False},
    )


def resolve_alerts(session: Session, *, now: datetime, limit: int) -> int:
    """Tell everybody who was alerted that it is recorded, each once; return how many.

    That counts reminders. What was recorded and taken back since is told of anew.
    """
    rows = session.execute(
        select(Reminder, has_open().label("is_open"))
        .where(is_changed(now), Reminder.patient_id.not_in(passed_over(session)))
        .order_by(Reminder.patient_id, Reminder.due_at)
        .limit(limit)
        .with_for_update(of=Reminder, skip_locked=True)
    ).all()
    settled: dict[int, list[Reminder]] = {}
    for reminder, is_open in rows:
        if is_open:
            _begin_again(reminder, now=now)
        else:
            reminder.resolved_at = now
            settled.setdefault(reminder.patient_id, []).append(reminder)
    session.flush()
    posts = [
        post
        for patient_id, reminders in settled.items()
        for post in _posts_of(session, patient_id, reminders, now=now)
    ]
    if posts:
        post_messages(session, posts, now=now)
    return len(rows)


def reopen_undone(session: Session, *, now: datetime) -> int:
    """Look once more at what was done when it was taken back; return at how many.

    Its ladder is over: who is to be told by now is told, the patient no more.
    """
    ids = sorted(undone(session))
    session.execute(
        update(Reminder)
        .where(Reminder.id.in_(ids), Reminder.state == "done")
        .values(state="open", next_at=now),
        execution_options={"synchronize_session": False},
    )
    return len(ids)


def _begin_again(reminder: Reminder, *, now: datetime) -> None:
    """Let the ladder speak again of what is without a record after all."""
    reminder.round += 1
    reminder.state, reminder.next_at = "open", now
    reminder.resolved_at = None
    reminder.acknowledged_at = reminder.acknowledged_by = None


def _alerting(
    session: Session, reminders: Sequence[Reminder], account_id: int
) -> list[Reminder]:
    """Return those of which an account was alerted."""
    return [
        one for one in reminders if account_id in alerted_accounts(session, [one.id])
    ]


def _posts_of(
    session: Session, patient_id: int, reminders: Sequence[Reminder], *, now: datetime
) -> list[Post]:
    """Return what those who were alerted of a patient are to hear."""
    ids = [reminder.id for reminder in reminders]
    accounts = alerted_accounts(session, ids)
    if not accounts:
        return []
    patient = session.get_one(Patient, patient_id)
    outcome = outcome_of(session, ids, patient_name=patient.name)
    people = helpers_to_tell(session, patient_id, accounts, now=now)
    place = zone(zone_at(session, patient_id, at=now))
    hidden = hidden_of(session, patient_id, accounts)
    posts = []
    for account_id, person in people.items():
        sees_all = account_id not in hidden
        told = reminders if sees_all else _alerting(session, reminders, account_id)
        with speaking(person.speech):
            clocks = [time_words(local(one.due_at, place).time()) for one in told]
            said = time_words(local(outcome.at or now, place).time())
            times = join_words([*dict.fromkeys(clocks)])
        context = {
            "first_name": person.name,
            "patient_name": patient.name,
            "times": times,
            "is_taken": outcome.is_taken,
            "at_words": said,
            "by": outcome.by,
            "link": link(f"/patients/{patient_id}/today"),
        }
        posts += [
            Post(
                person=person,
                point=point,
                kind=ALERT_RESOLVED,
                about=f"{told[0].id}.{told[0].round}",
                context=context,
                not_before=None if outcome.is_urgent else quiet_until(person, now),
                patient_id=patient_id,
                subject_id=told[0].id,
            )
            for point in chosen_points(person, ALERTS, loudest=BUZZING)
        ]
    return posts
