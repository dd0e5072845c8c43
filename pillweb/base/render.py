"""Templates for mails and reports, filled without a request."""

import base64
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pillweb.base.config import settings
from pillweb.base.i18n import teach

TEMPLATES = Path(__file__).parents[1] / "templates"
STATIC = Path(__file__).parents[1] / "static"
HYPERLEGIBLE = "Atkinson Hyperlegible Next"
FONTS = (
    (HYPERLEGIBLE, 400, "atkinson-hyperlegible-next/latin-400.woff2"),
    (HYPERLEGIBLE, 700, "atkinson-hyperlegible-next/latin-700.woff2"),
    (f"{HYPERLEGIBLE} Ext", 400, "atkinson-hyperlegible-next/latin-ext-400.woff2"),
    (f"{HYPERLEGIBLE} Ext", 700, "atkinson-hyperlegible-next/latin-ext-700.woff2"),
)


@cache
def environment() -> Environment:
    """Return the environment that escapes everything but plain text."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        # A mail would ask four times whether its templates have changed.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    teach(made)
    made.globals["emergency_number"] = settings().emergency_number
    made.globals["sender_words"] = f"PillWeb, {settings().public_url}"
    return made


def render(template: str, **context: Any) -> str:  # noqa: ANN401
    """Return a template filled with these values."""
    return environment().get_template(template).render(**context)


class Words(NamedTuple):
    """What a message says; `short` in one sentence.

    `key_words` is what whoever presses 1 in a call says by it.
    """

    subject: str
    text: str
    html: str
    short: str
    key_words: str = ""


def render_mail(kind: str, context: dict[str, Any]) -> Words:
    """Return the words of a kind of message; its text names subject and `short`.

    Both bodies end in how to stop such messages, where the context has a `stop_url`.
    """
    context = {"stop_url": "", **context}
    made = environment().get_template(f"messages/{kind}.txt").make_module(context)
    named = vars(made)
    subject, text = str(named["subject"]), str(made)
    if context["stop_url"]:
        text = f"{text.rstrip()}\n\n{render('messages/_stop.txt', **context)}\n"
    html = render(f"messages/{kind}.html", **context)
    short, key_words = named.get("short", subject), named.get("key_words", "")
    return Words(subject, text, html, str(short), str(key_words))


@cache
def report_css() -> str:
    """Return the style of the printed report, its fonts inside as `data:` addresses."""
    style = (TEMPLATES / "reports" / "report.css").read_text()
    return f"{_font_faces()}\n@page{{size:A4}}\n{style}"


@cache
def paper_css() -> str:
    """Return the style of sheets and cards, its fonts inside as `data:` addresses."""
    files = (TEMPLATES / "papers" / "print.css", STATIC / "paper.css")
    return "\n".join([_font_faces(), *(file.read_text() for file in files)])


@cache
def _font_faces() -> str:
    fonts = []
    for family, weight, name in FONTS:
        data = base64.b64encode((STATIC / "vendor" / name).read_bytes()).decode()
        fonts.append(
            f'@font-face{{font-family:"{family}";font-weight:{weight};'
            f"src:url(data:font/woff2;base64,{data})}}"
        )
    return "\n".join(fonts)
