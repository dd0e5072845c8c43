"""The transaction of a request: the one place where a page's work is kept."""

from collections.abc import Callable

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from pillweb.base.db import ReadOnlyError
from pillweb.base.queue import REMINDERS, wake
from pillweb.base.web_db import web_database

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FIRST_FAILURE = 400


def session() -> Session:
    """Return the request's session: one that cannot write where the method is safe."""
    if "session" not in g:
        db = web_database()
        g.session = db.reading() if request.method in SAFE else db.writing()
    kept: Session = g.session
    return kept


def let_others_write() -> None:
    """Give the database's lock back before waiting for somebody outside.

    What was read is read anew after it; nothing may have been changed yet.
    """
    session().rollback()


def after_commit(call: Callable[[], object]) -> None:
    """Do something once the request's work is kept; never when it is not."""
    g.setdefault("after_commit", []).append(call)


def wake_after_commit(job: str, *, queue: str = REMINDERS, timeout_s: int = 30) -> None:
    """Ring a job's bell once the request's work is kept."""
    after_commit(lambda: wake(job, queue=queue, timeout_s=timeout_s))


def keep_anyway() -> None:
    """Keep the request's work though its answer says no: a wrong try counts."""
    g.keep_anyway = True


def _keep(response: Response) -> Response:
    kept: Session | None = g.get("session")
    if kept is None:
        return response
    if request.method in SAFE:
        if kept.new or kept.dirty or kept.deleted:
            raise ReadOnlyError
    elif response.status_code < FIRST_FAILURE or g.get("keep_anyway"):
        kept.commit()
        for call in g.pop("after_commit", []):
            call()
    return response


def _close(_error: BaseException | None) -> None:
    kept: Session | None = g.pop("session", None)
    if kept is not None:
        kept.close()


def install_transactions(app: Flask) -> None:
    """Commit after an answer below 400, or told to `keep_anyway`; else roll back."""
    app.after_request(_keep)
    app.teardown_appcontext(_close)
