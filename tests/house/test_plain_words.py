"""Every page a patient reads is in plain words: SMOG 10 at most, short sentences.

The grade is McLaughlin's of 1969: 1.043 times the root of the words of three syllables
or more in 30 sentences, plus 3.1291. He counted 30 sentences of a text; a page that has
fewer is counted whole. Each heading, label and button is a sentence, names and numbers
are left out. The libraries that tell it (textstat) bring dictionaries
to count syllables; counting groups of vowels is enough for a limit.
"""

import math
import re
from html.parser import HTMLParser

import pytest
from flask import Flask

from pillweb.web.security import limiter
from tests.house.cast import LINK, NOBODY, TABLET, Cast
from tests.house.policy import POLICY

HARDEST = 10
LONGEST = 20
# The words of the NHS (domain 4.1), kept as they are.
OF_THE_NHS = "If it is nearly time for your next dose leave out the missed one"
ARGUMENT = re.compile(r"<(?:int:)?(\w+)>")
# Not read by patients: for phones, for the operator, and for who builds pages.
OTHERS = {
    "/ics/<token>",
    "/live/<token>",
    "/mailbox",
    "/mailbox/<key>",
    "/mailbox/<key>/<int:number>",
    "/design",
}
PAGES = [
    rule
    for rule in (route.split()[1] for route in POLICY if route.startswith("GET "))
    if rule not in OTHERS and not rule.endswith((".pdf", ".zip", ".json", ".js", "z"))
]
INSIDE = {"a", "abbr", "b", "em", "i", "span", "strong", "time"}
UNREAD = {"bdi", "option", "script", "style", "svg", "template", "title"}
EMPTY = {"br", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """The words of a page, a sentence or less in each piece."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.unread = "", 0
        self.feed(html.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.unread += tag in UNREAD
        self.text += "" if tag in INSIDE | UNREAD else "\n"

    def handle_endtag(self, tag: str) -> None:
        self.unread -= tag in UNREAD
        self.text += "" if tag in INSIDE | UNREAD | EMPTY else "\n"

    def handle_data(self, data: str) -> None:
        self.text += " ".join(data.split("\n")) if not self.unread else " "

    def sentences(self) -> list[list[str]]:
        pieces = re.split(r"\n|(?<=[.!?:;])\s", self.text)
        words = (re.findall(r"[A-Za-z][A-Za-z'-]*", piece) for piece in pieces)
        return [found for found in words if found]


def syllables(word: str) -> int:
    """Count the groups of vowels, without the endings that are not heard."""
    heard = word.lower().removesuffix("'s")
    heard = re.sub(r"(?<![dt])ed$|(?<![cgsxzh])es$|(?<![bcdfgkptz]l)e$", "", heard)
    heard = re.sub(r"e(?=(ly|ment|ful|less)$)", "", heard)
    return max(1, len(re.findall(r"[aeiouy]+|(?<=i)[ao](?=[nu]?$)", heard)))


def grade(sentences: list[list[str]]) -> float:
    """Return the years of school a reader needs."""
    hard = sum(syllables(word) >= 3 for sentence in sentences for word in sentence)
    return 1.043 * math.sqrt(30 * hard / max(len(sentences), 1)) + 3.1291


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("take", 1),
        ("taken", 2),
        ("tablet", 2),
        ("missed", 1),
        ("needed", 2),
        ("times", 1),
        ("safely", 2),
        ("medicine", 3),
        ("reminder", 3),
        ("calendar", 3),
        ("emergency", 4),
        ("people", 2),
        ("table", 2),
        ("doses", 2),
        ("changed", 1),
    ],
)
def test_syllables_are_counted(word: str, count: int) -> None:
    assert syllables(word) == count


def test_hard_words_are_found() -> None:
    hard = Page("<p>Pharmaceutical adherence necessitates individualised monitoring.")
    assert grade(hard.sentences()) > HARDEST


@pytest.mark.parametrize("rule", PAGES)
def test_a_page_is_in_plain_words(app: Flask, cast: Cast, rule: str) -> None:
    path = cast.url(rule, dict.fromkeys(ARGUMENT.findall(rule), "rosa"))
    for person in ("rosa", NOBODY, LINK, TABLET):
        limiter.reset()
        answer = cast.browser(app, person).get(path)
        if answer.mimetype != "text/html" or answer.status_code in {302, 303}:
            continue
        sentences = Page(answer.text).sentences()
        long = [" ".join(words) for words in sentences if len(words) > LONGEST]
        assert [words for words in long if not words.startswith(OF_THE_NHS)] == []
        assert grade(sentences) <= HARDEST
