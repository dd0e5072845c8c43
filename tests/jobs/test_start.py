"""Processes that a test has not warmed up: what they import is all they have."""

import subprocess
import sys

import pytest

from tests.services import ROOT

KNOWS_ALL_TABLES = "from pillweb.base.db import Base; Base.metadata.sorted_tables"


@pytest.mark.parametrize("process", ["clock", "worker", "fire_reminders", "deliver"])
def test_a_process_knows_every_table_its_rows_point_to(process: str) -> None:
    code = f"import jobs.{process}; {KNOWS_ALL_TABLES}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
