"""Logs: one JSON line an event, with ids and never a name, medicine or address."""

import logging
import re
from typing import Any

import structlog

TOKEN = re.compile(r"(/(?:t|s|a|e|p|m|u|h|i|r|l|d|ics|live)/)[A-Za-z0-9_-]{8,}")

UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def mask(text: str) -> str:
    """Return the text with every link's token hidden."""
    return TOKEN.sub(r"\1***", text)


class MaskingFormatter(logging.Formatter):
    """Formats the lines of other people's loggers, with tokens hidden.

    What was logged is one line, whatever it holds; only what was raised has several.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name
        """Return the message with every control character written out."""
        line = super().formatMessage(record)
        return UNPRINTED.sub(lambda found: ascii(found[0])[1:-1], line)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and what was raised."""
        return mask(super().format(record))


def _mask_line(_logger: Any, _name: str, line: Any) -> str:  # noqa: ANN401
    return mask(line)


def start_logging(level: str) -> None:
    """Write log lines of this level and above to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
            _mask_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level]
        ),
        logger_factory=structlog.PrintLoggerFactory(),
    )


log = structlog.stdlib.get_logger()
