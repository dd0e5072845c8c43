"""What monitors read, as Prometheus writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How messages do now, as the database tells: so it is true of all processes.

    `lately` counts messages of the last hour by channel and state, `dead` all that
    were given up, `beats` are seconds since each instance was well, `canaries` since
    a test message last came back, `backups` since a backup and a test of one last
    succeeded. `open_breakers` are channels nobody calls now.
    """

    lag_s: float
    due: Mapping[str, int] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)
    lately: Mapping[tuple[str, str], int] = field(default_factory=dict)
    beats: Mapping[tuple[str, str], float] = field(default_factory=dict)
    incidents: Mapping[tuple[str, str], float] = field(default_factory=dict)
    failing: Mapping[str, float] = field(default_factory=dict)
    open_breakers: frozenset[str] = frozenset()
    canaries: Mapping[str, float] = field(default_factory=dict)
    backups: Mapping[str, float] = field(default_factory=dict)


def metrics_text(figures: Figures) -> bytes:
    """Return the figures in the text format of Prometheus."""
    registry = CollectorRegistry()

    def show(
        name: str, text: str, labels: Sequence[str], values: Mapping[Any, float]
    ) -> None:
        gauge = Gauge(f"pillweb_{name}", text, labels, registry=registry)
        for key, value in values.items():
            gauge.labels(*([key] if isinstance(key, str) else key)).set(value)

    lag = Gauge("pillweb_reminder_lag_seconds", "Age of what is due", registry=registry)
    lag.set(figures.lag_s)
    show("due", "Messages due and unsent", ["channel"], figures.due)
    show("dead", "Messages given up", ["channel"], figures.dead)
    show("lately", "Messages of an hour", ["channel", "state"], figures.lately)
    show("beat_age_seconds", "Last well", ["component", "instance"], figures.beats)
    show("incident_seconds", "Open since", ["kind", "about"], figures.incidents)
    show("failing_seconds", "Provider fails since", ["channel"], figures.failing)
    closed = {
        channel: float(channel in figures.open_breakers) for channel in figures.failing
    }
    show("breaker_open", "Provider left alone", ["channel"], closed)
    show("canary_age_seconds", "Test last came back", ["channel"], figures.canaries)
    show("backup_age_seconds", "Last good backup, and test", ["kind"], figures.backups)
    return generate_latest(registry)
