"""Hearing of changes as they happen, from a real server."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.directory.sources.follow import FollowingEnded, follow
from syncd.settings.model import DirectorySettings
from tests.directory_settings import directory_settings
from tests.integration.slapd import LIMITED, READER, SYNCPROV, Slapd

LONG = 30
QUIET = 0.6
"""Seconds in which nothing that should not come comes."""


@pytest.fixture
def provider(server: Callable[[str], str], tmp_path: Path) -> Iterator[Slapd]:
    """A server of one's own, with content synchronisation: here it is stopped, too."""
    running = Slapd(server, tmp_path, SYNCPROV)
    yield running
    running.stop()


class Ear:
    """Who follows a directory in a thread; ``heard`` gets ``listening``, ``changed`` and the
    end."""

    def __init__(self, settings: DirectorySettings) -> None:
        self.heard: queue.Queue[str] = queue.Queue()
        self.stop = threading.Event()
        self._settings = settings
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            follow(
                self._settings,
                self.stop,
                lambda url: self.heard.put("listening"),
                lambda: self.heard.put("changed"),
            )
        except FollowingEnded as ended:
            self.heard.put(str(ended))
        else:
            self.heard.put("stopped")

    def next(self) -> str:
        return self.heard.get(timeout=LONG)

    def nothing(self) -> None:
        with pytest.raises(queue.Empty):
            self.heard.get(timeout=QUIET)


@pytest.fixture
def listening(secret: Path) -> Iterator[Callable[..., Ear]]:
    """Give a function that follows a server; all are stopped afterwards."""
    ears: list[Ear] = []

    def start(slapd: Slapd, **options: Any) -> Ear:
        given = {"servers": (slapd.url,), "bind_dn": READER, "bind_password_file": secret}
        ears.append(Ear(directory_settings(**(given | options))))
        return ears[-1]

    yield start
    for ear in ears:
        ear.stop.set()
        ear.thread.join(LONG)
        assert not ear.thread.is_alive()


def test_whatever_changes_is_heard_and_nothing_else(
    provider: Slapd, listening: Callable[..., Ear]
) -> None:
    provider.add("before")
    ear = listening(provider)
    assert [ear.next(), ear.next()] == ["listening", "changed"]
    ear.nothing()
    provider.add("anna", telephoneNumber="2001")
    assert ear.next() == "changed"
    provider.modify("anna", telephoneNumber="2002")
    assert ear.next() == "changed"
    provider.rename("anna", "ann")
    assert ear.next() == "changed"
    provider.delete("ann")
    assert ear.next() == "changed"
    ear.nothing()
    ear.stop.set()
    assert ear.next() == "stopped"


def test_many_changes_are_heard_as_a_few(provider: Slapd, listening: Callable[..., Ear]) -> None:
    ear = listening(provider)
    assert [ear.next(), ear.next()] == ["listening", "changed"]
    for number in range(100):
        provider.add(f"u{number}", telephoneNumber=str(2000 + number))
    assert ear.next() == "changed"
    ear.stop.set()
    more = iter(ear.next, "stopped")
    assert len(list(more)) < 50


def test_over_tls(provider: Slapd, listening: Callable[..., Ear]) -> None:
    authority = provider.home / "ca.pem"
    ear = listening(provider, servers=(provider.tls_url,), tls="ldaps", ca_file=authority)
    assert [ear.next(), ear.next()] == ["listening", "changed"]
    provider.add("anna")
    assert ear.next() == "changed"


def test_a_server_that_ends_is_noticed(provider: Slapd, listening: Callable[..., Ear]) -> None:
    ear = listening(provider)
    assert [ear.next(), ear.next()] == ["listening", "changed"]
    provider.process.terminate()
    reason = ear.next()
    assert "closed the connection" in reason or "ended it" in reason or "cut" in reason
    provider.process.wait(LONG)
    assert "could not" in (why := listening(provider).next()) or "refused" in why, why


def test_a_server_that_cannot(slapd: Slapd, listening: Callable[..., Ear]) -> None:
    assert "no content synchronisation" in listening(slapd).next()


def test_a_user_who_may_not(provider: Slapd, listening: Callable[..., Ear]) -> None:
    reason = listening(provider, bind_dn=LIMITED, bind_password_file=None).next()
    assert "password" in reason or "refused" in reason
