"""PDF from HTML, by WeasyPrint, which is loaded only where PDFs are made."""

from functools import cache
from importlib import import_module
from typing import Any

from pillweb.base.native import load_native_libraries


@cache
def load_printer() -> Any:  # noqa: ANN401
    """Load WeasyPrint and its native libraries; half a second the first time."""
    load_native_libraries()
    return import_module("weasyprint")


def to_pdf(html: str, *, css: str) -> bytes:
    """Return a tagged PDF (PDF/UA-1) of an HTML page.

    Nothing is fetched but `data:` addresses, so a page cannot reach files or hosts.
    """
    printer = load_printer()
    fetcher = printer.URLFetcher(
        allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True
    )
    fonts = import_module("weasyprint.text.fonts").FontConfiguration()
    style = printer.CSS(string=css, font_config=fonts, url_fetcher=fetcher)
    document = printer.HTML(string=html, url_fetcher=fetcher)
    made: bytes = document.write_pdf(
        stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1"
    )
    return made
