"""The daemon as a process, with a service manager that listens to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONG = 60
"""Seconds after which something that does not come never will; nothing here is measured."""

Event = dict[str, Any]


def syncd(ini: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    return subprocess.run(
        [sys.executable, "-m", "syncd", "--config", str(ini), *arguments],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


def syncd_json(ini: Path, *arguments: str) -> Any:
    """Run a verb that must succeed, and return what it prints as JSON."""
    done = syncd(ini, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Daemon:
    """``syncd run`` with a service manager's socket. ``events`` are its log lines, ``messages``
    the datagrams that the manager got; both grow while it runs."""

    def __init__(self, ini: Path, *, watchdog_seconds: float = 1.0) -> None:
        self.ini = ini
        self.events: list[Event] = []
        self.messages: list[str] = []
        self._news = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = ini.parent / "notify.sock"
        address.unlink(missing_ok=True)
        self._socket.bind(str(address))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "syncd", "--config", str(ini), "run"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={
                **os.environ,
                "NOTIFY_SOCKET": str(address),
                "WATCHDOG_USEC": str(int(watchdog_seconds * 1_000_000)),
            },
        )
        self._threads = [
            threading.Thread(target=self._listen, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        while message := self._socket.recv(65536):
            with self._news:
                self.messages.append(message.decode())
                self._news.notify_all()
        self._socket.close()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                event = json.loads(line) if line.startswith("{") else {"event": "", "text": line}
                with self._news:
                    self.events.append(event)
                    self._news.notify_all()

    # --- waiting ---------------------------------------------------------------------------------

    def wait(self, what: str, found: Callable[[], Any]) -> Any:
        """Wait until ``found`` gives something that is true, and return it."""
        with self._news:
            self._news.wait_for(lambda: found() or self.process.poll() is not None, LONG)
            result = found()
            assert result, f"{what} never came\n{self.messages}\n{self.events}"
            return result

    def message(self, text: str, after: int = 0) -> str:
        """Wait for a message to the manager that holds a text, not one of the first ``after``."""
        return self.wait(
            text, lambda: next((one for one in self.messages[after:] if text in one), None)
        )

    def event(self, name: str, after: int = 0, **fields: Any) -> Event:
        """Wait for a log event with these fields, not one of the first ``after``."""

        def fits(event: Event) -> bool:
            return event["event"] == name and fields.items() <= event.items()

        return self.wait(
            f"{name} {fields}",
            lambda: next((one for one in self.events[after:] if fits(one)), None),
        )

    def ready(self) -> None:
        self.message("READY=1")

    # --- doing -----------------------------------------------------------------------------------

    def reload(self) -> str:
        """Send SIGHUP and wait until the daemon has dealt with it. Returns the event's name."""
        events, messages = len(self.events), len(self.messages)
        self.process.send_signal(signal.SIGHUP)
        self.message("READY=1", messages)
        names = ("configuration_reloaded", "configuration_refused")
        found = self.wait(
            "an answer to SIGHUP",
            lambda: next((one for one in self.events[events:] if one["event"] in names), None),
        )
        return str(found["event"])

    def get(self, path: str) -> tuple[int, str]:
        """Return status and text of one of the daemon's pages."""
        url = (self.ini.parent / "state" / "daemon.address").read_text().strip()
        try:
            with urllib.request.urlopen(url + path, timeout=LONG) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def terminate(self) -> int:
        """Send SIGTERM, wait for the end, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> int:
        """Wait for the end and for the last words. Returns the exit code."""
        code = self.process.wait(LONG)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        for thread in self._threads:
            thread.join(LONG)
        return code

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        if self._threads[0].is_alive():
            self.end()
