"""The daemon's little web server."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from syncd.daemon.health import Answer, HealthServer
from syncd.domain.errors import TryAgainError
from syncd.settings.model import Address


def broken() -> Answer:
    raise RuntimeError("password=hunter2")


PAGES = {
    "/healthz": lambda: Answer(200, "text/plain", b"alive\n"),
    "/readyz": lambda: Answer.json(503, {"ready": False}),
    "/broken": broken,
}


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[HealthServer]:
    try:
        made = HealthServer(Address(request.param, 0), PAGES)
    except TryAgainError:
        if request.param == "::1":
            pytest.skip("this machine has no IPv6 loopback")
        raise
    made.start()
    yield made
    made.close()


def ask(server: HealthServer, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()
    finally:
        connection.close()


def test_pages(server: HealthServer) -> None:
    assert ask(server, "/healthz") == (200, "text/plain", b"alive\n")
    assert ask(server, "/healthz?x=1")[0] == 200
    assert ask(server, "/readyz") == (503, "application/json", b'{"ready": false}\n')
    assert ask(server, "/healthz", "HEAD") == (200, "text/plain", b"")
    assert ask(server, "/")[0] == 404
    assert ask(server, "/healthz", "POST")[0] == 501


def test_a_failing_page_says_nothing_of_its_reason(server: HealthServer) -> None:
    status, _, body = ask(server, "/broken")
    assert status == 500
    assert b"hunter2" not in body


def test_an_address_that_is_taken(server: HealthServer) -> None:
    place = urlsplit(server.url)
    with pytest.raises(TryAgainError, match="metrics"):
        HealthServer(Address(place.hostname or "", place.port or 0), {})
