"""A browser without scripts: cookies, links, forms and buttons, nothing else."""

import html
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from pillweb.web.press import SHOWN

READING_S = 3.1
TAG = re.compile(r"<[^>]+>")


@dataclass
class Form:
    """A form as the page holds it: where it goes, what it holds, its buttons."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list["Button"] = field(default_factory=list)


@dataclass(frozen=True)
class Button:
    """A button: its words, where it goes if not where the form does, what it sends."""

    words: str
    action: str
    sends: tuple[tuple[str, str], ...] = ()


@dataclass
class Page:
    """What a request ended at."""

    status: int
    url: str
    text: str
    content: bytes
    forms: list[Form]

    @property
    def path(self) -> str:
        """The path of the address it ended at."""
        return urlsplit(self.url).path

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(html.unescape(TAG.sub(" ", self.text)).split())


class _Forms(HTMLParser):
    """Finds the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False
        self._select = ""
        self._button: Button | None = None
        self._area: tuple[str, str] | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("action", "")))
            self._inside = True
        if not self._inside:
            return
        form = self.forms[-1]
        if tag == "input" and "name" in has:
            ticked = has.get("type") not in {"radio", "checkbox"} or "checked" in has
            if ticked:
                form.fields.append((has["name"], has.get("value", "on")))
        elif tag == "select":
            self._select = has.get("name", "")
        elif tag == "option" and "selected" in has:
            form.fields.append((self._select, has.get("value", "")))
        elif tag == "button":
            sends = ((has["name"], has.get("value", "")),) if "name" in has else ()
            self._button = Button("", has.get("formaction", ""), sends)
            self._words = ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "button" and self._button is not None:
            words = " ".join(self._words.split())
            if self._inside:
                self.forms[-1].buttons.append(replace(self._button, words=words))
            self._button = None


class Browser:
    """One person's browser at one PillWeb."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.cookies = CookieJar()
        handlers = [
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(self.cookies),
        ]
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, where: str) -> Page:
        """Open an address or a path."""
        return self._ask(urljoin(self.home, where), None)

    def post(self, where: str, **values: str) -> Page:
        """Send fields to a path, as no page of it offers to."""
        return self._ask(urljoin(self.home, where), list(values.items()))

    def press(self, page: Page, button: str, **values: Any) -> Page:  # noqa: ANN401
        """Fill in a form and press its button; the words of the button begin so.

        Raises:
            LookupError: the page has no such button.
        """
        for form in page.forms:
            for one in form.buttons:
                if one.words.startswith(button):
                    kept = [pair for pair in form.fields if pair[0] not in values]
                    where = urljoin(page.url, one.action or form.action or page.url)
                    if any(name == SHOWN for name, _value in form.fields):
                        # What presses at once may be a machine.
                        time.sleep(READING_S)
                    return self._ask(where, [*kept, *one.sends, *values.items()])
        raise LookupError(f"no button {button!r} on {page.url}: {page.words}")

    def _ask(self, url: str, fields: list[tuple[str, str]] | None) -> Page:
        data = None if fields is None else urlencode(fields).encode()
        request = urllib.request.Request(url, data)  # noqa: S310 - our own server
        try:
            answer = self._opener.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            content = answer.read()
            is_text = answer.headers.get_content_maintype() == "text"
            text = content.decode() if is_text else ""
            found = _Forms()
            found.feed(text)
            return Page(answer.status, answer.url, text, content, found.forms)
