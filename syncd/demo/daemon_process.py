"""The real daemon as a child process, followed by its log and its pages."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from syncd.domain.errors import UserError

STALL_SECONDS = 30.0
"""How long nothing may move before the demonstration gives up."""
STOP_SECONDS = 10.0
"""What the daemon gets to stop; it promises to need half of it."""
TICK_SECONDS = 0.05
TAIL_LINES = 12
NOT_INHERITED = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM")
"""A service manager that started us must not take the child's messages for ours."""

Event = dict[str, Any]


class DemonstrationFailed(UserError):
    """The daemon died, refused or stood still."""


class DaemonProcess:
    """``syncd run`` on a configuration, as a context manager that ends it whatever happens.

    ``events`` are its log lines so far.
    """

    def __init__(self, ini: Path, log: Path, *, stall_seconds: float = STALL_SECONDS) -> None:
        self.log = log
        self.stall_seconds = stall_seconds
        self.events: list[Event] = []
        self._read = 0
        environment = {
            name: value for name, value in os.environ.items() if name not in NOT_INHERITED
        }
        with log.open("wb") as output:
            # In a group of its own: an interrupt at the terminal is for us, who then end it.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "--config", str(ini), "run"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                process_group=0,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    # --- what it says ----------------------------------------------------------------------------

    def follow(self) -> None:
        """Take what was logged since. Raises DemonstrationFailed when that is an error, or when the
        daemon has ended."""
        ended = self._process.poll()
        with self.log.open("rb") as stream:
            stream.seek(self._read)
            lines = stream.read().splitlines(keepends=True)
        for line in lines:
            if not line.endswith(b"\n"):
                break
            self._read += len(line)
            event = _event(line)
            self.events.append(event)
            if event.get("level") in ("error", "critical"):
                raise self._failed(f"the daemon reports {event.get('event')}")
        if ended is not None:
            raise self._failed(f"the daemon ended by itself with exit code {ended}")

    def named(self, *names: str) -> list[Event]:
        """Return the events so far that have one of these names."""
        return [event for event in self.events if event.get("event") in names]

    def wait(self, what: str, reached: Callable[[], bool]) -> None:
        """Wait until ``reached``. Raises DemonstrationFailed, as ``follow`` does, and when nothing
        is logged for ``stall_seconds``."""
        moved, seen = time.monotonic(), len(self.events)
        while True:
            self.follow()
            if reached():
                return
            if len(self.events) > seen:
                moved, seen = time.monotonic(), len(self.events)
            if time.monotonic() - moved > self.stall_seconds:
                raise self._failed(f"nothing moved for {self.stall_seconds:g} s; waited for {what}")
            time.sleep(TICK_SECONDS)

    def ready(self) -> bool:
        """Say whether ``/readyz`` reports that every unit of work has done its work."""
        started = self.named("daemon_started")
        if not started:
            return False
        address = str(started[0]["listening"]).removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    # --- how it is told --------------------------------------------------------------------------

    def reload(self) -> None:
        """Have it read its configuration and its directories again (SIGHUP)."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it by SIGTERM. Raises DemonstrationFailed when that does not go well."""
        code = self._end()
        self._take_rest()
        if code:
            raise self._failed(f"the daemon ended with exit code {code}")

    def _end(self) -> int:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        except BaseException:  # a second interrupt: nothing may stay behind
            self._process.kill()
            self._process.wait()
            raise

    def _take_rest(self) -> None:
        with self.log.open("rb") as stream:
            stream.seek(self._read)
            self.events += [_event(line) for line in stream]

    def _failed(self, message: str) -> DemonstrationFailed:
        lines = self.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
        tail = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
        return DemonstrationFailed(f"{message}. The end of its log:\n{tail}")


def _event(line: bytes) -> Event:
    """Return a log line as an event; what is no JSON has no name."""
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"text": line.decode("utf-8", "replace").rstrip()}


class Verbs:
    """Runs the real verbs on a configuration, each as a process."""

    def __init__(self, ini: Path) -> None:
        # The command lines that are shown find their configuration in the environment.
        self._environment = {**os.environ, "SYNCD_CONFIG": str(ini)}

    def show(self, *arguments: str) -> None:
        """Run a verb whose output goes where ours goes. Raises DemonstrationFailed."""
        sys.stdout.flush()
        done = subprocess.run(
            # Unbuffered: its table and its remarks keep their order on one stream.
            [sys.executable, "-u", "-m", "syncd", *arguments],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            env=self._environment,
            check=False,
        )
        _must_succeed(arguments, done.returncode)

    def json(self, *arguments: str) -> Any:
        """Return what a verb prints as JSON. Raises DemonstrationFailed."""
        done = subprocess.run(
            [sys.executable, "-m", "syncd", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self._environment,
            check=False,
        )
        _must_succeed(arguments, done.returncode, done.stderr.decode("utf-8", "replace"))
        return json.loads(done.stdout)


def _must_succeed(arguments: tuple[str, ...], code: int, said: str = "") -> None:
    if code:
        raise DemonstrationFailed(
            f"syncd {' '.join(arguments)} ended with exit code {code}{said and ': ' + said}".rstrip()
        )
