"""No line of a log, and no request, can be made to look like two."""

import logging

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from pillweb.base.log import MaskingFormatter
from tests.security.corpora import LOGGED, SMUGGLED


@pytest.mark.parametrize("words", LOGGED)
def test_a_line_of_another_logger_stays_one_line(words: str) -> None:
    """(9)"""
    record = logging.LogRecord("x", logging.INFO, "f", 1, "got %s", (words,), None)
    line = MaskingFormatter("%(message)s").format(record)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "\x00" not in line


def test_what_was_raised_is_still_told_line_by_line() -> None:
    raised = (ValueError, ValueError("of\nmany"), None)
    record = logging.LogRecord("x", logging.INFO, "f", 1, "fault", (), raised)
    assert "of\nmany" in MaskingFormatter("%(message)s").format(record)


@pytest.mark.parametrize("kind", SMUGGLED)
def test_a_request_that_can_be_read_in_two_ways_is_refused(kind: str) -> None:
    """(24)"""
    raw = b"POST /look HTTP/1.1\r\nHost: a.example\r\n" + SMUGGLED[kind]
    body = b"\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a.example\r\n\r\n"
    parser = RequestParser(Config(), iter([raw + body]), ("127.0.0.1", 1))
    try:
        request = next(parser)
    except Exception as refused:  # noqa: BLE001 - each has a class of its own
        assert type(refused).__module__ == "gunicorn.http.errors"  # noqa: PT017
    else:
        # Dropped is as good: nobody reads a length out of it.
        assert kind == "a name with an underscore"
        assert "CONTENT_LENGTH" not in {name for name, _value in request.headers}
