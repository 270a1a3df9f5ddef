"""What the daemon knows of its own work: for STATUS, /readyz and the watchdog."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from syncd.settings.schedule import Schedule

STUCK_SECONDS = 900.0
"""A unit of work that gives no sign of life for so long is stuck; a directory gets the time limits of
its own servers on top."""
LATE_SECONDS = 60
"""What a unit may need beyond its schedule before it counts as late."""


@dataclass(slots=True)
class UnitState:
    """One unit of work: a directory, a folder, the roll-ups. Times are epoch seconds, 0 for never;
    ``beat`` is the monotonic time of the last sign of life, 0 while it does not run."""

    kind: str
    name: str
    schedule: Schedule
    patience: float = STUCK_SECONDS
    """Seconds without a sign of life after which it counts as stuck."""
    ended_at: int = 0
    succeeded_at: int = 0
    failures: int = 0
    """Failures since the last success."""
    message: str = ""
    """Of the last failure, empty after a success."""
    beat: float = 0.0
    elsewhere: bool = False
    """Another process does it."""

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}".strip()

    def late(self, now: int, zone: ZoneInfo) -> bool:
        """Say whether two runs in a row have failed to succeed in time."""
        if not self.succeeded_at:
            return True
        first = self.schedule.next_after(self.succeeded_at, zone)
        return now > self.schedule.next_after(first, zone) + LATE_SECONDS


class DaemonState:
    """The state of all units. Every method may be called from any thread."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._lock = threading.Lock()
        self._units: dict[tuple[str, str], UnitState] = {}
        self.zone = zone
        self.totals: dict[str, int] = {}

    def replace(self, units: Iterable[UnitState], zone: ZoneInfo) -> None:
        """Take a new set of units; those that were there already keep their past."""
        with self._lock:
            old = self._units
            self._units = {}
            self.zone = zone
            for unit in units:
                known = old.get((unit.kind, unit.name))
                if known is not None:
                    known.schedule, known.patience = unit.schedule, unit.patience
                self._units[unit.kind, unit.name] = known or unit

    def move(self, elsewhere: Callable[[str, str], bool]) -> None:
        """Take note of which units another process does, by kind and name."""
        with self._lock:
            for unit in self._units.values():
                unit.elsewhere = elsewhere(unit.kind, unit.name)
                if unit.elsewhere:
                    unit.succeeded_at = unit.failures = 0
                    unit.message = ""

    def elsewhere(self) -> set[tuple[str, str]]:
        """Return kind and name of the units that another process does."""
        with self._lock:
            return {key for key, unit in self._units.items() if unit.elsewhere}

    def begin(self, kind: str, name: str, monotonic: float) -> None:
        """A unit starts, or gives a sign of life."""
        with self._lock:
            unit = self._units.get((kind, name))
            if unit is not None:
                unit.beat = monotonic

    def succeed(self, kind: str, name: str, now: int, counts: dict[str, int]) -> None:
        """A unit ended well, having done what ``counts`` says."""
        with self._lock:
            unit = self._units.get((kind, name))
            if unit is not None:
                unit.ended_at = unit.succeeded_at = now
                unit.failures, unit.message, unit.beat = 0, "", 0.0
            for what, count in counts.items():
                self.totals[what] = self.totals.get(what, 0) + count

    def fail(self, kind: str, name: str, now: int, message: str) -> None:
        """A unit ended badly."""
        with self._lock:
            unit = self._units.get((kind, name))
            if unit is not None:
                unit.ended_at = now
                unit.failures += 1
                unit.message, unit.beat = message, 0.0

    def not_after(self, now: int) -> None:
        """The clock was set back to ``now``: nothing has succeeded after it."""
        with self._lock:
            for unit in self._units.values():
                unit.ended_at, unit.succeeded_at = (
                    min(unit.ended_at, now),
                    min(unit.succeeded_at, now),
                )

    def leave(self, kind: str, name: str) -> None:
        """A unit was not done, since another process does it."""
        with self._lock:
            unit = self._units.get((kind, name))
            if unit is not None:
                unit.beat = 0.0

    def running(self) -> list[str]:
        """Return the titles of the units that run at this moment."""
        with self._lock:
            return [unit.title for unit in self._units.values() if unit.beat]

    def stuck(self, monotonic: float) -> list[str]:
        """Return the titles of the units that have given no sign of life for too long."""
        with self._lock:
            return [
                unit.title
                for unit in self._units.values()
                if unit.beat and monotonic - unit.beat > unit.patience
            ]

    def status(self) -> str:
        """Return one line of counts."""
        with self._lock:
            units = [unit for unit in self._units.values() if not unit.elsewhere]
            totals = dict(self.totals)
        parts = []
        for kind, word in (("sync", "directories synced"), ("ingest", "folders read")):
            of_kind = [unit for unit in units if unit.kind == kind]
            good = sum(1 for unit in of_kind if unit.succeeded_at and not unit.failures)
            parts.append(f"{good}/{len(of_kind)} {word}")
        parts += [f"{totals.get(what, 0)} {what}" for what in ("files", "records", "calls")]
        failing = [unit.title for unit in units if unit.failures]
        if failing:
            parts.append(f"failing: {', '.join(failing)}")
        busy = [unit.title for unit in units if unit.beat]
        if busy:
            parts.append(f"running: {', '.join(busy)}")
        return "; ".join(parts)

    def readiness(self, now: int) -> tuple[bool, dict[str, Any]]:
        """Return whether every unit did its work in time, and each unit's age in seconds.

        The message of a failure stays in the log: who asks here need not be an administrator.
        """
        with self._lock:
            report: dict[str, Any] = {}
            ready = True
            for unit in self._units.values():
                if unit.elsewhere:
                    continue
                late = unit.late(now, self.zone)
                ready = ready and not late
                report[unit.title] = {
                    "age": now - unit.succeeded_at if unit.succeeded_at else None,
                    "late": late,
                    "failures": unit.failures,
                }
            return ready, report


class WorkSignal(threading.Event):
    """The daemon's wish that a unit of work stop at the next safe point: it ends, or another process
    does this unit now.

    A unit asks ``is_set()`` between two transactions, which is at the same time its sign of life.
    """

    def __init__(
        self,
        state: DaemonState,
        kind: str,
        name: str,
        stop: threading.Event,
        lost: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self._state = state
        self._unit = kind, name
        self._stop = stop
        self._lost = lost

    def is_set(self) -> bool:
        self._state.begin(*self._unit, time.monotonic())
        return self._stop.is_set() or self._lost()
