import json
import socket
import time
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.providers import Provider, Reply, error, fake_provider, redirect_to


def post(provider: Provider, path: str, body: str = "", **more: float) -> int:
    url = provider.url + path
    return requests.post(
        url, data=body, timeout=more.get("timeout", 5), allow_redirects=False
    ).status_code


def test_it_speaks_as_each_provider_does() -> None:
    with fake_provider() as provider:
        assert post(provider, "/push/rosa") == 201
        assert post(provider, "/2010-04-01/Accounts/AC1/Messages.json") == 201
        assert post(provider, "/", json.dumps({"topic": "t", "message": "hi"})) == 200
        kept = requests.get(f"{provider.url}/t/json?poll=1", timeout=5).text
        assert [json.loads(line)["message"] for line in kept.splitlines()] == ["hi"]
        assert len(provider.accepted) == 4


def test_it_misbehaves_once_or_until_told_otherwise() -> None:
    with fake_provider() as provider:
        provider.script(error(503), redirect_to("http://127.0.0.1:1/"), path="/push/")
        provider.behave(error(410), path="/push/gone")
        said = [post(provider, "/push/rosa") for _ in range(3)]
        assert said == [503, 307, 201]
        assert post(provider, "/push/gone") == 410
        provider.behave(path="/push/gone")
        assert post(provider, "/push/gone") == 201
        assert [call.accepted for call in provider.calls] == [
            False,
            False,
            True,
            False,
            True,
        ]


def test_what_is_dropped_after_it_was_taken_counts_as_taken() -> None:
    with fake_provider() as provider, requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=0))
        provider.script(Reply(drop=True), Reply(503, drop=True))
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                session.post(f"{provider.url}/push/rosa", timeout=5)
        assert [call.accepted for call in provider.calls] == [True, False]


def test_a_hanging_provider_lets_go_when_it_ends() -> None:
    with fake_provider() as provider:
        provider.script(Reply(hang=True))
        line = socket.create_connection((provider.host, provider.port), timeout=5)
        line.sendall(
            b"POST /push/rosa HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        )
        until = time.monotonic() + 5
        while not provider.calls and time.monotonic() < until:
            time.sleep(0.01)
    assert line.recv(1) == b""
    line.close()


def test_its_log_outlives_the_processes(tmp_path: Path) -> None:
    log_file = tmp_path / "provider.jsonl"
    with fake_provider(log_file=log_file) as provider:
        post(provider, "/push/rosa")
        provider.behave(error(500))
        post(provider, "/push/rosa")
    lines = [json.loads(line) for line in log_file.read_text().splitlines()]
    assert [line["accepted"] for line in lines] == [True, False]
    assert lines[0]["path"] == "/push/rosa"
