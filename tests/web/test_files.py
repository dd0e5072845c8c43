"""Style, script and fonts: small on the wire, and exactly what was vendored."""

import gzip
from hashlib import sha256

import pytest
from flask import Flask

from pillweb.web.files import STATIC
from pillweb.web.filters import asset

TEXTS = ["app.css", "dark.css", "contrast.css", "app.js", "vendor/htmx/htmx.min.js"]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_sent_compressed_to_whoever_can_read_it(
    name: str, web_app: Flask
) -> None:
    client = web_app.test_client()
    written = (STATIC / name).read_bytes()
    plain = client.get(asset(name), buffered=True)
    small = client.get(asset(name), headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert plain.data == written
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(small.data) == written
    assert len(small.data) < len(written)


def test_every_vendored_file_is_the_one_that_was_listed() -> None:
    folder = STATIC / "vendor"
    listed = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        listed[name] = digest
    found = {
        file.relative_to(folder).as_posix(): sha256(file.read_bytes()).hexdigest()
        for file in folder.glob("*/*")
    }
    assert found == listed
