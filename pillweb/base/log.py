"""Logs: one JSON line an event, with ids and never a name, medicine or address."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

TOKEN = re.compile(r"(/(?:t|s|a)/)[A-Za-z0-9_-]{8,}")


def mask(text: str) -> str:
    """Return the text with every link's token hidden."""
    return TOKEN.sub(r"\1***", text)


def _mask_values(
    _logger: Any,  # noqa: ANN401
    _name: str,
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = mask(value)
    return event


def start_logging(level: str) -> None:
    """Write log lines of this level and above to standard error."""
    logging.basicConfig(level=level, format="%(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask_values,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level]
        ),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )


log = structlog.stdlib.get_logger()
