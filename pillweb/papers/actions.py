"""What happens to papers."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.base.tokens import new_token, token_hash
from pillweb.papers.models import Paper, PaperCode
from pillweb.papers.rules.sheet import WEEK
from pillweb.patients.models import Patient

CODES_LIFE = timedelta(days=14)
A_MOMENT = timedelta(minutes=1)


def want_paper(
    session: Session,
    patient: Patient,
    *,
    kind: str,
    first: date,
    clocks: Iterable[str],
    show_names: bool,
    look: str,
    made_by_id: int | None,
    now: datetime,
) -> Paper:
    """Ask for a paper, with a code for each clock; pressing twice in a minute is one.

    The patient's row is to be locked. Papers whose time is over are thrown away.
    """
    mine = Paper.patient_id == patient.id
    session.execute(delete(Paper).where(mine, Paper.expires_at <= now))
    facts = {
        "kind": kind,
        "first_on": first,
        "show_names": show_names,
        "look": look,
        "plan_revision": patient.plan_revision,
    }
    twin = session.scalar(
        select(Paper)
        .filter_by(**facts)
        .where(mine, Paper.void_at.is_(None), Paper.created_at > now - A_MOMENT)
        .limit(1)
    )
    if twin is not None:
        return twin
    made = Paper(
        patient_id=patient.id,
        made_by_id=made_by_id,
        state="wanted",
        created_at=now,
        expires_at=now + CODES_LIFE,
        **facts,
    )
    session.add(made)
    session.flush()
    session.add_all(_code(made, clock) for clock in clocks)
    return made


def _code(paper: Paper, clock: str) -> PaperCode:
    token = new_token()
    return PaperCode(
        paper_id=paper.id,
        patient_id=paper.patient_id,
        clock=clock,
        token=token,
        token_hash=token_hash(token),
    )


def void_sheets(session: Session, *, patient_id: int, now: datetime) -> None:
    """Let no code printed so far work any more, and throw the files away."""
    session.execute(
        update(Paper)
        .where(
            Paper.patient_id == patient_id,
            Paper.kind == WEEK,
            Paper.void_at.is_(None),
        )
        .values(void_at=now, pdf=None, state="void"),
        execution_options={"synchronize_session": False},
    )
