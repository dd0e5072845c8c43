"""Each line lives in its room; docs/map.md says which."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from importlinter import configuration
from importlinter.application import use_cases

from tests.house.source import (
    CODE,
    body_lines,
    functions_of,
    imports_of,
    name_of,
    python_files,
    tree_of,
    uses,
)
from tests.services import ROOT

ROLES = {"rules", "models", "queries", "actions", "forms", "views"}
KITS = {"base", "channels", "web"}
NAMELESS = {"utils", "util", "helpers", "common", "misc"}
COMMITS = {"pillweb/web/transaction.py", "pillweb/base/db.py", "jobs/runtime.py"}
LONGEST_FILE = 400
LONGEST_BODY = 40
FEATURES = sorted(
    folder
    for folder in (ROOT / "pillweb").iterdir()
    if (folder / "__init__.py").exists() and folder.name not in KITS
)


def actions() -> Iterator[tuple[str, Path]]:
    """Yield each public action with the file it stands in."""
    for file in python_files("pillweb"):
        if "actions" in {file.stem, file.parent.name}:
            for function in functions_of(file):
                if not function.name.startswith("_"):
                    yield function.name, file


def test_every_import_follows_the_order() -> None:
    # The command's own entry would silence every logger that there is by now.
    configuration.configure()
    assert use_cases.lint_imports(str(ROOT / "pyproject.toml"), cache_dir=None)


def test_a_feature_holds_only_the_six_roles() -> None:
    assert FEATURES
    found = {
        (folder.name, entry.stem)
        for folder in FEATURES
        for entry in folder.iterdir()
        if entry.name not in {"__init__.py", "__pycache__"}
    }
    assert {one for one in found if one[1] not in ROLES} == set()


def test_only_pages_know_flask() -> None:
    wrong = [
        name_of(file)
        for file in python_files("pillweb", "jobs")
        if any("flask" in name for name in imports_of(file))
        and not {"views", "forms", "web", "factory"} & {file.stem, *file.parts}
    ]
    assert wrong == []


def test_work_is_kept_at_the_edges_alone() -> None:
    keeping = {
        name_of(file) for file in CODE if uses(file, "commit") or uses(file, "begin")
    }
    assert keeping <= COMMITS


def test_one_module_reads_the_clock() -> None:
    reading = {
        name_of(file)
        for file in CODE
        for what, of in (
            ("now", "datetime"),
            ("utcnow", "datetime"),
            ("today", "date"),
            ("today", "datetime"),
        )
        if uses(file, what, of=of)
    }
    assert reading == {"pillweb/base/clock.py"}


def test_every_file_has_a_name_that_says_something() -> None:
    files = [*CODE, *python_files("tests", "migrations")]
    wrong = {name_of(f) for f in files if {f.stem, *f.parts} & NAMELESS}
    assert wrong == set()


def test_an_action_has_a_name_of_its_own() -> None:
    counted = Counter(name for name, _ in actions())
    assert len(counted) > 10
    assert [name for name, times in counted.items() if times > 1] == []


def test_a_file_fits_in_one_head() -> None:
    files = [*CODE, *python_files("tests/house")]
    lines = {name_of(file): len(file.read_text().splitlines()) for file in files}
    assert {name: n for name, n in lines.items() if n > LONGEST_FILE} == {}


def test_a_function_fits_on_one_screen() -> None:
    long = {
        f"{name_of(file)}: {function.name}": body_lines(function)
        for file in CODE
        for function in functions_of(file)
        if body_lines(function) > LONGEST_BODY
    }
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(file) for file in CODE if not _says(file)]
    assert silent == []


def _says(file: Path) -> bool:
    tree = tree_of(file)
    first = tree.body[0] if tree.body else None
    return first is None or ast.get_docstring(tree) is not None
