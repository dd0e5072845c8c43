"""The doorbell: tells a worker to look at its table. It carries no facts."""

from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue

from pillweb.base.config import settings
from pillweb.base.log import log

ENTRY = "jobs.bell.answer"
REMINDERS = "reminders"
REPORTS = "reports"
BELL_MS = 2000


@cache
def redis_client() -> Redis:
    """Return a client that never makes a page wait: it fails within 0.3 s."""
    return Redis.from_url(
        settings().redis_url,
        socket_timeout=0.3,
        socket_connect_timeout=0.3,
        retry=Retry(NoBackoff(), 0),
    )


def redis_answers() -> bool:
    """Say whether there is a Redis and it answers."""
    if not settings().redis_url:
        return False
    try:
        redis_client().ping()
    except RedisError:
        return False
    return True


def bell_key(job: str) -> str:
    """Return the key that stands while a bell rung for a job is unanswered."""
    return f"pillweb:bell:{job}"


def wake(job: str, *, queue: str = REMINDERS, timeout_s: int = 30) -> bool:
    """Ring the bell of a job; say whether Redis heard it.

    Rings within two seconds of each other are one. Call it after the commit.
    Silent without Redis: the clock process finds the work in its table.
    """
    if not settings().redis_url:
        return False
    client = redis_client()
    try:
        if client.set(bell_key(job), 1, nx=True, px=BELL_MS):
            Queue(queue, connection=client, serializer="json").enqueue_call(
                ENTRY, args=(job,), timeout=timeout_s, result_ttl=0, ttl=10
            )
    except RedisError as error:
        log.warning("bell_unheard", job=job, error=type(error).__name__)
        return False
    return True
