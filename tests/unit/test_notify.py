"""sd_notify: what the service manager receives, byte for byte."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.daemon.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A listening datagram socket, and the address by which NOTIFY_SOCKET names it."""
    if request.param == "path":
        address = name = str(tmp_path / "notify")
    else:
        address = f"@syncd-test-{os.getpid()}-{time.monotonic_ns()}"
        name = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name)
        listener.settimeout(10)
        yield listener, address


def test_each_message_is_one_datagram(manager: tuple[socket.socket, str]) -> None:
    listener, address = manager
    notifier = Notifier(address)
    notifier.ready("3 folders\n  idle")
    assert listener.recv(4096) == b"READY=1\nSTATUS=3 folders idle"
    notifier.status("busy\nREADY=0")
    assert listener.recv(4096) == b"STATUS=busy READY=0"
    notifier.alive()
    assert listener.recv(4096) == b"WATCHDOG=1"
    notifier.stopping()
    assert listener.recv(4096).split(b"\n")[0] == b"STOPPING=1"
    notifier.close()


def test_reloading_carries_the_monotonic_clock(manager: tuple[socket.socket, str]) -> None:
    listener, address = manager
    notifier = Notifier(address)
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    after = time.monotonic_ns() // 1000
    lines = listener.recv(4096).decode().split("\n")
    notifier.close()
    assert lines[0] == "RELOADING=1"
    name, _, value = lines[1].partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(value) <= after


def test_nobody_listens(tmp_path: Path) -> None:
    assert Notifier("").send("READY=1") is False
    notifier = Notifier(str(tmp_path / "absent"))
    assert notifier.send("READY=1") is False
    notifier.close()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2500000"}, 2.5),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "77"}, 2.5),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "78"}, 0),
        ({"NOTIFY_SOCKET": "/x"}, 0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, 0),
        ({"WATCHDOG_USEC": "2500000"}, 0),
    ],
)
def test_environment(environment: dict[str, str], seconds: float) -> None:
    notifier = Notifier.from_environment(environment, process=77)
    assert notifier.watchdog_seconds == seconds
    assert notifier.address == environment.get("NOTIFY_SOCKET", "")
