"""A line of the table of storms."""

from typing import NamedTuple

from tests.faults.checks import Tally

MOST_REPEATED, RECOVERY_S = 0.005, 45.0
HEAD = (
    "fault",
    "database",
    "due",
    "lost",
    "repeated",
    "left open",
    "lag p50",
    "lag p95",
    "worst lag",
    "recovery",
)


class Figures(NamedTuple):
    """What was counted in one storm; `recovery_s` is from the last fault to calm."""

    fault: str
    database: str
    found: Tally
    recovery_s: float | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of its line."""
        found = self.found
        return (
            self.fault,
            self.database,
            str(found.due),
            str(found.lost),
            str(found.repeated),
            str(found.left_open),
            *(f"{found.lag_at(share):.1f}" for share in (0.5, 0.95, 1.0)),
            "" if self.recovery_s is None else f"{self.recovery_s:.1f}",
        )

    def judge(self, *, is_storm: bool) -> None:
        """Assert that nothing was lost, little repeated, and calm came soon."""
        assert self.found.lost == 0
        allowed = MOST_REPEATED * self.found.due if is_storm else 0
        assert self.found.repeated <= allowed
        assert self.recovery_s is None or self.recovery_s <= RECOVERY_S
