"""What may never stand in our code or templates: `python -m tools.lint`.

Rules that no other linter has; each line it prints names a file, a line and the rule.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


class Rule(NamedTuple):
    """What may not be found where, but for the places that say why they may."""

    why: str
    pattern: re.Pattern[str]
    suffix: str
    besides: tuple[str, ...] = ()


RULES = (
    Rule(
        "no inline style, script or handler: the Content-Security-Policy refuses it",
        re.compile(
            r"<style|<script(?![^>]*\ssrc=)|\sstyle\s*=|\son[a-z]+\s*=|\shx-on"
            r"|javascript:|[\"']js:|srcdoc=|http-equiv",
            re.IGNORECASE,
        ),
        ".html",
        # A mail is no page: there a style sheet can only stand inside.
        ("pillweb/templates/messages/",),
    ),
    Rule(
        "every text is escaped",
        re.compile(r"\|\s*(safe|forceescape|xmlattr)\b|Markup\(|autoescape false"),
        ".html",
    ),
    Rule(
        "every text is escaped",
        re.compile(r"Markup\(|render_template_string|\|\s*safe\b"),
        ".py",
        # A sentence on safety marks up its own two languages, and escapes both.
        ("pillweb/base/i18n.py",),
    ),
    Rule(
        "SQL is never put together from text",
        re.compile(
            r"\b(text|exec_driver_sql)\(\s*(f[\"']|[^()]*[\"']\s*(%|\+|\.format)\s)"
        ),
        ".py",
        # Names of our own tables and columns.
        ("pillweb/base/many_rows.py", "pillweb/base/turns.py"),
    ),
    Rule(
        "nothing is read that can run: no pickle, yaml.load, eval, exec or shell",
        re.compile(
            r"\bpickle\b|yaml\.load\(|(?<![\w.])(eval|exec)\(|shell=True|os\.system\("
        ),
        ".py",
    ),
    Rule(
        "no pattern is built of a text that is not escaped",
        re.compile(r"\bre\.[a-z]+\(\s*r?f[\"'](?!.*re\.escape\()"),
        ".py",
        # Of signs that stand beside it.
        ("pillweb/schedules/forms/reading.py",),
    ),
    Rule(
        "AES-GCM and age are the only ciphers",
        re.compile(r"\bciphers\b(?!\.aead import AESGCM\n)|\bFernet\b"),
        ".py",
    ),
)


def broken_rules(file: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the rule of whatever may not stand in a file of this name."""
    if file.endswith(".html"):
        # What is left out keeps its lines, so that the others keep their numbers.
        text = COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    for rule in RULES:
        if file.endswith(rule.suffix) and not file.startswith(rule.besides or ("\0",)):
            for found in rule.pattern.finditer(text):
                yield text.count("\n", 0, found.start() + 1) + 1, rule.why


def main() -> int:
    """Look at everything that is served or run; return 1 when a rule is broken."""
    wrong = 0
    for folder in ("pillweb", "jobs"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix in {".html", ".py"}:
                file = path.relative_to(ROOT).as_posix()
                for line, why in broken_rules(file, path.read_text("utf-8")):
                    print(f"{file}:{line}: {why}")
                    wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
