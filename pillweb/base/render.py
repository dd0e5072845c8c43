"""Templates for mails and reports, filled without a request."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pillweb.base.config import settings

TEMPLATES = Path(__file__).parents[1] / "templates"


@cache
def environment() -> Environment:
    """Return the environment that escapes everything but plain text."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: not (name or "").endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["emergency_number"] = settings().emergency_number
    return made


def render(template: str, **context: Any) -> str:  # noqa: ANN401
    """Return a template filled with these values."""
    return environment().get_template(template).render(**context)
