"""Questions about the record: what it holds, and whether it is whole."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from sqlalchemy import bindparam, select, tuple_, union
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.audit.models import AuditEntry, AuditHead
from pillweb.audit.rules.chain import (
    GENESIS,
    HEAD,
    ONE_LOOK,
    TRUNCATED,
    Fault,
    Head,
    Linked,
    Roots,
    Seal,
    faults_among,
    what_place,
)
from pillweb.audit.rules.words import OWN, act_words, who_words
from pillweb.base.crypto import UnreadableError, unseal
from pillweb.base.db import UTCDateTime, ask
from pillweb.base.hiding import hides
from pillweb.base.sealed import key_or_house
from pillweb.base.visits import LINK, TABLET, Visit
from pillweb.devices.models import DevicePlace
from pillweb.doses.models import Dose, Intake
from pillweb.medications.models import Medication
from pillweb.schedules.models import PlanDraft
from pillweb.sharing.models import ShareLink

BATCH = 1000
# What an entry is about, of all that can be hidden.
_ABOUT: Mapping[str, Any] = {
    "medication_id": Medication,
    "dose_id": Dose,
    "intake_id": Intake,
    "draft_id": PlanDraft,
}
_LOOKS = (
    select(AuditEntry.seq, AuditEntry.what)
    .where(
        AuditEntry.patient_id == bindparam("patient_id"),
        AuditEntry.at > bindparam("since", type_=UTCDateTime()),
        AuditEntry.act == bindparam("act"),
        AuditEntry.by == bindparam("by"),
        AuditEntry.account_id.is_not_distinct_from(bindparam("account_id")),
        AuditEntry.link_id.is_not_distinct_from(bindparam("link_id")),
    )
    .order_by(AuditEntry.seq.desc())
)


def written_ids(ids: Mapping[str, int]) -> bytes:
    """Return what an act was about, as an entry seals it."""
    return json.dumps(dict(ids)).encode()


def looked_lately(
    session: Session, visit: Visit, *, act: str, ids: Mapping[str, int], now: datetime
) -> bool:
    """Say whether the same person's look at the same was written in the last 10 min."""
    asked = {
        "patient_id": visit.patient_id,
        "since": now - ONE_LOOK,
        "act": act,
        "by": visit.by,
        "account_id": visit.account_id,
        "link_id": visit.link_id,
    }
    key, same = key_or_house(session, visit.patient_id), written_ids(ids)
    for seq, what in ask(session, _LOOKS, asked):
        # Sealed before the patient had a key: another entry says what this one may not.
        with suppress(UnreadableError):
            if unseal(what, key, place=what_place(visit.patient_id, seq)) == same:
                return True
    return False


def entries_of(
    session: Session,
    patient_id: int,
    *,
    before: int | None,
    limit: int,
    is_own: bool,
) -> Sequence[AuditEntry]:
    """Return a patient's entries, newest first, from before a number of theirs.

    What is theirs alone stands only where `is_own`; of what is hidden nothing does.
    """
    asked = select(AuditEntry).where(AuditEntry.patient_id == patient_id)
    if not is_own:
        asked = asked.where(AuditEntry.act.not_in(OWN))
    found: list[AuditEntry] = []
    while len(found) < limit:
        older = asked if before is None else asked.where(AuditEntry.seq < before)
        some = session.scalars(older.order_by(AuditEntry.seq.desc()).limit(limit)).all()
        found += _left(session, patient_id, some)
        if len(some) < limit:
            break
        before = some[-1].seq
    return found[:limit]


def _left(
    session: Session, patient_id: int, entries: Sequence[AuditEntry]
) -> Sequence[AuditEntry]:
    """Return the entries but for those about what is hidden from this session."""
    if not hides(session):
        return entries
    key = key_or_house(session, patient_id)
    about = [
        json.loads(unseal(one.what, key, place=what_place(patient_id, one.seq)))
        for one in entries
    ]
    gone = {name: _unseen(session, name, about) for name in _ABOUT}
    return [
        one
        for one, ids in zip(entries, about, strict=True)
        if not any(ids.get(name) in gone[name] for name in _ABOUT)
    ]


def _unseen(
    session: Session, name: str, about: Sequence[Mapping[str, int]]
) -> set[int]:
    """Return which rows of one kind are named and not to be found."""
    named = {ids[name] for ids in about if name in ids}
    row = _ABOUT[name]
    return named - set(session.scalars(select(row.id).where(row.id.in_(named))))


def names_among(
    session: Session, entries: Iterable[AuditEntry]
) -> tuple[Mapping[int, str], Mapping[tuple[str, int], str]]:
    """Return the names of accounts by id, and of links and tablets by kind and id."""
    found = list(entries)
    accounts = {one.account_id for one in found if one.account_id}
    links = {one.link_id for one in found if one.link_id and one.by == LINK}
    places = {one.link_id for one in found if one.link_id and one.by == TABLET}
    names = session.execute(
        select(Account.id, Account.name).where(Account.id.in_(accounts))
    )
    labels = session.execute(
        select(ShareLink.id, ShareLink.label).where(ShareLink.id.in_(links))
    )
    tablets = session.execute(
        select(DevicePlace.id, DevicePlace.name).where(DevicePlace.id.in_(places))
    )
    called = {(LINK, row.id): row.label for row in labels}
    called |= {(TABLET, row.id): row.name for row in tablets}
    return {row.id: row.name for row in names}, called


def told_record(
    session: Session, patient_id: int, *, patient_name: str, is_own: bool
) -> Iterator[tuple[datetime, str]]:
    """Yield (when, who did what) of a patient's whole record, newest first."""
    before = None
    while found := entries_of(
        session, patient_id, before=before, limit=BATCH, is_own=is_own
    ):
        names, labels = names_among(session, found)
        for one in found:
            who = who_words(
                one.by,
                account_id=one.account_id,
                name=names.get(one.account_id or 0),
                label=labels.get((one.by, one.link_id or 0)),
                patient_name=patient_name,
            )
            yield one.at, act_words(one.act, who)
        before = found[-1].seq
        session.expunge_all()


def chained_patients(session: Session) -> Sequence[int]:
    """Return whose chains there are, in order."""
    ids = union(select(AuditHead.patient_id), select(AuditEntry.patient_id).distinct())
    return sorted(session.scalars(ids))


def _following(
    session: Session, patient_id: int, after: tuple[int, int]
) -> Iterator[Linked]:
    """Yield a chain's entries from after a (number, row) on, all there are by then."""
    while batch := session.execute(
        select(*AuditEntry.__table__.columns)
        .where(
            AuditEntry.patient_id == patient_id,
            tuple_(AuditEntry.seq, AuditEntry.id) > after,
        )
        .order_by(AuditEntry.seq, AuditEntry.id)
        .limit(BATCH)
    ).all():
        yield from cast("Sequence[Linked]", batch)
        after = (batch[-1].seq, batch[-1].id)


def _head_of(session: Session, patient_id: int) -> Head:
    row = session.execute(
        select(AuditHead.seq, AuditHead.hash).where(AuditHead.patient_id == patient_id)
    ).first()
    return Head(patient_id, *row) if row else Head(patient_id, 0, GENESIS)


def verify_chain(
    session: Session,
    patient_id: int,
    *,
    known_head: tuple[int, bytes] | None = None,
    roots: Roots | None = None,
) -> Fault | None:
    """Return the first entry of a chain that is not as it was written, or None.

    Finds what was edited, deleted, put in another order or put beside; an end that was
    cut off together with the head is found by a head known from outside (`known_head`,
    `roots`). Entries that are added meanwhile do no harm.
    """
    watch = _Watch(roots, known_head)
    last, row_id = Head(patient_id, 0, GENESIS), 0
    while True:
        entries = _following(session, patient_id, (last.seq, row_id))
        for entry, fault in faults_among(entries, after=last):
            if fault:
                return fault
            watch.pass_by(last, entry)
            last, row_id = Head(patient_id, entry.seq, entry.hash), entry.id
            if watch.contradicts(last):
                return Fault(patient_id, last.seq, HEAD)
        head = _head_of(session, patient_id)
        # Entries may have been added since the last of them was read.
        if head.seq <= last.seq or not any(
            _following(session, patient_id, (last.seq, row_id))
        ):
            break
    if head != last:
        return _end_fault(head, last)
    watch.pass_by(last, None)
    if known_head and known_head[0] > last.seq:
        return Fault(patient_id, last.seq + 1, TRUNCATED)
    return None


def _end_fault(head: Head, last: Head) -> Fault:
    if head.seq > last.seq:
        return Fault(last.patient_id, last.seq + 1, TRUNCATED)
    return Fault(last.patient_id, last.seq, HEAD)


class _Watch:
    """Compares a chain with what is known of it from outside, while it is read."""

    def __init__(
        self, roots: Roots | None, known_head: tuple[int, bytes] | None
    ) -> None:
        self.roots, self.known = roots, known_head
        self.passed = 0

    def pass_by(self, last: Head, entry: Linked | None) -> None:
        """Give each instant before this entry the head that the chain had then."""
        instants = self.roots.instants if self.roots else ()
        while self.passed < len(instants) and (
            entry is None or instants[self.passed] < entry.at
        ):
            if self.roots and last.seq:
                self.roots.take(self.passed, last)
            self.passed += 1

    def contradicts(self, last: Head) -> bool:
        """Say whether a chain is another one here than it was."""
        return bool(
            self.known and self.known[0] == last.seq and self.known[1] != last.hash
        )


def verify_all(
    session: Session, *, seals: Sequence[Seal] = ()
) -> tuple[list[Fault], list[Seal], int]:
    """Return the faults of all chains, seals that do not hold any more, and entries."""
    roots = Roots(seal.at for seal in seals)
    faults, entries = [], 0
    for patient_id in chained_patients(session):
        fault = verify_chain(session, patient_id, roots=roots)
        faults += [fault] if fault else []
        entries += _head_of(session, patient_id).seq
    held = {seal.at: seal for seal in roots.seals()}
    return faults, [seal for seal in seals if held[seal.at] != seal], entries


def seal_at(session: Session, at: datetime) -> Seal:
    """Return the seal of all heads as they were at an instant.

    It must lie so far back that nothing of before it is still being written
    (`rules.chain.SETTLED`).
    """
    roots = Roots([at])
    after = -1
    while batch := session.execute(
        select(AuditHead.patient_id, AuditHead.seq, AuditHead.at, AuditHead.hash)
        .where(AuditHead.patient_id > after)
        .order_by(AuditHead.patient_id)
        .limit(BATCH)
    ).all():
        for row in batch:
            head = Head(row.patient_id, row.seq, row.hash)
            found = head if row.at <= at else _head_at(session, row.patient_id, at)
            if found and found.seq:
                roots.take(0, found)
        after = batch[-1].patient_id
    return roots.seals()[0]


def _head_at(session: Session, patient_id: int, at: datetime) -> Head | None:
    row = session.execute(
        select(AuditEntry.seq, AuditEntry.hash)
        .where(AuditEntry.patient_id == patient_id, AuditEntry.at <= at)
        .order_by(AuditEntry.at.desc(), AuditEntry.seq.desc())
        .limit(1)
    ).first()
    return Head(patient_id, *row) if row else None
