import ast

import pytest

from tests.faults.table import FAULTS, Fault
from tests.services import ROOT

COUNT = 26


def test_every_fault_has_its_line() -> None:
    assert [fault.number for fault in FAULTS] == [*range(1, COUNT + 1)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"F{fault.number}")
def test_every_fault_names_tests_that_exist(fault: Fault) -> None:
    assert fault.tests
    for test in fault.tests:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert name in {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        }, test
        assert name.startswith("test_")


def test_the_page_of_the_faults_has_each() -> None:
    page = (ROOT / "docs/reliability.md").read_text()
    missing = [f.number for f in FAULTS if f"| {f.number} | {f.words} |" not in page]
    assert not missing
