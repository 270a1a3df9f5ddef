"""Telling the service manager how the daemon is: sd_notify(3), one datagram a message."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Self


class Notifier:
    """Sends to the socket that the service manager named; without one it does nothing."""

    def __init__(self, address: str = "", watchdog_seconds: float = 0.0) -> None:
        """``address`` is a path, or ``@name`` for the abstract namespace; ``watchdog_seconds`` is
        the time within which the manager wants to hear from us, 0 for never."""
        self.address = address
        self.watchdog_seconds = watchdog_seconds
        self._socket: socket.socket | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], process: int | None = None) -> Self:
        """Return the notifier that NOTIFY_SOCKET and WATCHDOG_USEC describe.

        A WATCHDOG_PID that names another process means that the watchdog is not ours.
        """
        address = environment.get("NOTIFY_SOCKET", "")
        microseconds = environment.get("WATCHDOG_USEC", "")
        owner = environment.get("WATCHDOG_PID", "")
        ours = not owner or owner == str(os.getpid() if process is None else process)
        watched = bool(address) and ours and microseconds.isdigit()
        return cls(address, int(microseconds) / 1_000_000 if watched else 0.0)

    def send(self, *assignments: str) -> bool:
        """Send ``NAME=value`` lines as one message. Returns whether it left us.

        A manager that does not listen is no reason to stop working, so nothing is raised.
        """
        if not self.address:
            return False
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            if self._socket is None:
                self._socket = socket.socket(
                    socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
                )
                # A full queue must not hold up the daemon.
                self._socket.settimeout(1.0)
            self._socket.sendto("\n".join(assignments).encode(), name)
        except OSError:
            return False
        return True

    def ready(self, status: str) -> None:
        """Start-up, or a reload, is finished."""
        self.send("READY=1", f"STATUS={_line(status)}")

    def status(self, status: str) -> None:
        """What the daemon is doing, as one line."""
        self.send(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """Work is progressing."""
        self.send("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read again; ``ready`` follows."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.send("RELOADING=1", f"MONOTONIC_USEC={microseconds}", "STATUS=reloading")

    def stopping(self) -> None:
        """The daemon is about to end."""
        self.send("STOPPING=1", "STATUS=stopping")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _line(text: str) -> str:
    """Return the text as a single line: a line break would begin another assignment."""
    return " ".join(text.split())
