"""PDF from HTML, by WeasyPrint, which is loaded only where PDFs are made."""

import re
import unicodedata
from functools import cache
from html import unescape
from importlib import import_module
from typing import Any

from pillweb.base.fonts import family_rule, script_faces
from pillweb.base.native import load_native_libraries

_ISOLATED = re.compile(r"<bdi>([^<]*)")
_LEFT, _RIGHT = ("L",), ("R", "AL")


@cache
def load_printer() -> Any:  # noqa: ANN401
    """Load WeasyPrint and its native libraries; half a second the first time."""
    load_native_libraries()
    return import_module("weasyprint")


def with_directions(html: str) -> str:
    """Write at each `<bdi>` where its text begins, as a browser finds out itself.

    >>> with_directions("<bdi>500 mg</bdi>")
    '<bdi dir="ltr">500 mg</bdi>'
    """
    return _ISOLATED.sub(_with_direction, html)


def _with_direction(found: re.Match[str]) -> str:
    kinds = (unicodedata.bidirectional(letter) for letter in unescape(found[1]))
    first = next((kind for kind in kinds if kind in _LEFT + _RIGHT), "L")
    return f'<bdi dir="{"rtl" if first in _RIGHT else "ltr"}">{found[1]}'


def to_pdf(*pages: str, css: str) -> bytes:
    """Return a tagged PDF (PDF/UA-1) of an HTML page, in fonts of all its scripts.

    Of several settings of one page the first is taken that fits one sheet, or else the
    last. Nothing is fetched but `data:` addresses, so a page cannot reach files or
    hosts.
    """
    printer = load_printer()
    fonts = import_module("weasyprint.text.fonts").FontConfiguration()

    def style(written: str, *allowed: str) -> Any:  # noqa: ANN401
        fetcher = _fetcher(printer, *allowed)
        return printer.CSS(string=written, font_config=fonts, url_fetcher=fetcher)

    # Only the rules made here may name files: our own fonts.
    styles = [
        style(script_faces(pages[0]), "file"),
        style(css),
        style(family_rule(pages[0])),
    ]
    for html in pages:
        page = printer.HTML(string=with_directions(html), url_fetcher=_fetcher(printer))
        laid_out = page.render(
            stylesheets=styles, font_config=fonts, pdf_variant="pdf/ua-1"
        )
        if len(laid_out.pages) == 1:
            break
    made: bytes = laid_out.write_pdf(pdf_variant="pdf/ua-1")
    return made


def _fetcher(printer: Any, *allowed: str) -> Any:  # noqa: ANN401
    return printer.URLFetcher(
        allowed_protocols={"data", *allowed},
        allow_redirects=False,
        fail_on_errors=True,
    )
