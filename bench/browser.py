"""A signed-in browser without a network: it calls an app as a server would."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

CSRF = re.compile(r'"X-CSRFToken": "([^"]+)"')
OK = "200 OK"


@dataclass(frozen=True)
class Request:
    """One request, to be sent as often as wanted."""

    app: Any
    environ: Mapping[str, Any]

    def __call__(self) -> bytes:
        """Answer the request; fail on anything but 200."""
        told: list[str] = []

        def start(status: str, _headers: object, _info: object = None) -> None:
            told.append(status)

        answer = self.app({**self.environ, "wsgi.input": io.BytesIO()}, start)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if told != [OK]:
            raise RuntimeError(f"{self.environ['PATH_INFO']}: {told} {body[:300]!r}")
        return body


@dataclass(frozen=True)
class Browser:
    """Who is signed in: the headers of every request."""

    app: Flask
    headers: dict[str, str]
    token: str

    def get(self, path: str) -> Request:
        """Return a request for a page."""
        return self._request("GET", path, {})

    def tap(self, path: str) -> Request:
        """Return a press of a button, sent by HTMX."""
        return self._request(
            "POST", path, {"HX-Request": "true", "X-CSRFToken": self.token}
        )

    def _request(self, method: str, path: str, more: dict[str, str]) -> Request:
        headers = {**self.headers, **more}
        builder = EnvironBuilder(
            path,
            base_url="http://127.0.0.1:8000",
            method=method,
            headers=Headers(headers),
        )
        return Request(self.app, builder.get_environ())


def signed_in(app: Flask, token: str, path: str) -> Browser:
    """Return a browser that holds this cookie secret and has opened a page before."""
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    found = CSRF.search(client.get(path).text)
    name = app.config["SESSION_COOKIE_NAME"]
    kept = client.get_cookie(name)
    if found is None or kept is None:
        raise RuntimeError(f"{path} is not the page of somebody signed in")
    return Browser(app, {"Cookie": f"{name}={kept.value}"}, found[1])


def bare(app: Flask) -> Request:
    """Return the request for bare Flask's hello."""
    return Request(app, EnvironBuilder("/").get_environ())
