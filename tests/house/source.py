"""The code as text and as trees, for tests that read it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.services import ROOT

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[Path]:
    """Return every Python file below these folders of the repository."""
    return sorted(file for name in folders for file in (ROOT / name).rglob("*.py"))


CODE = [*python_files("pillweb", "jobs", "tools"), ROOT / "app.py"]


def name_of(file: Path) -> str:
    """Return the path of a file inside the repository."""
    return file.relative_to(ROOT).as_posix()


@cache
def tree_of(file: Path) -> ast.Module:
    """Return what a file says."""
    return ast.parse(file.read_text(encoding="utf-8"))


def functions_of(file: Path) -> Iterator[Function]:
    """Yield every function and method of a file."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: Function) -> int:
    """Return how many lines a function has below its signature and docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imports_of(file: Path) -> set[str]:
    """Return the names of the packages a file imports."""
    found = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def uses(file: Path, attribute: str, *, of: str | None = None) -> bool:
    """Say whether a file calls `….attribute(`, where `of` names what is before it."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == attribute
        and (of is None or ast.unparse(node.func.value).split(".")[-1] == of)
        for node in ast.walk(tree_of(file))
    )
