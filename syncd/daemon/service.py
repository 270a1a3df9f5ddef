"""The daemon from start to stop: one main thread that waits for signals and tells how things are.

The work is done by the scheduler's threads (``jobs``). Nothing here is done in a signal handler but
to note the signal.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from enum import Enum, auto
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from syncd.application.account import become_owner
from syncd.application.composition import Application, checked
from syncd.application.sharing import told_work
from syncd.application.state_directory import make_state_directory
from syncd.daemon.health import Answer, HealthServer
from syncd.daemon.jobs import Jobs, units_of
from syncd.daemon.membership import Membership
from syncd.daemon.notify import Notifier
from syncd.daemon.state import DaemonState
from syncd.domain.errors import ConfigurationError, Problem, UserError
from syncd.observe import logs
from syncd.observe.metrics import Metrics
from syncd.settings.model import ROLES, Settings
from syncd.store.dialect import is_postgresql
from syncd.store.locks import hold

COMMAND = "syncd run"
STOP_SECONDS = 4.0
"""What a unit of work gets to end its transaction, of the five seconds that a stop may take."""
TICK_SECONDS = 5.0
ADDRESS_FILE = "daemon.address"

DAEMON_STARTED = "daemon_started"
DAEMON_STOPPED = "daemon_stopped"
DAEMON_ABANDONED = "daemon_abandoned_work"
CONFIGURATION_RELOADED = "configuration_reloaded"
CONFIGURATION_REFUSED = "configuration_refused"
CONFIGURATION_WARNED = "configuration_warned"
WATCHDOG_WITHHELD = "watchdog_withheld"

NEED_RESTART = ("state_directory", "database_url", "timezone")
"""What cannot change while the daemon runs, by the attribute of the settings."""

log = structlog.get_logger()


class Wake(Enum):
    """Why the main thread wakes up."""

    STOP = auto()
    RELOAD = auto()
    CHANGED = auto()


def serve(load: Callable[[], Settings], notifier: Notifier) -> int:
    """Run the daemon until SIGTERM or SIGINT. ``load`` reads the settings, again on SIGHUP.

    Returns 0. Raises ConfigurationError for what ``load`` or the checks say, TryAgainError when
    another daemon runs on the same state directory.
    """
    wakes: queue.SimpleQueue[Wake] = queue.SimpleQueue()
    with _signals(wakes):
        settings = load()
        logs.configure(settings.logging.level)
        become_owner(settings.state_directory)
        make_state_directory(settings)
        with hold(settings.state_directory, "daemon", COMMAND, wait=0.0):
            daemon = Daemon(load, settings, notifier, wakes)
            try:
                daemon.start()
                daemon.loop()
            finally:
                abandoned = daemon.stop()
    if abandoned:
        # A stuck unit's transaction is rolled back by the next who opens the database; waiting for
        # it would only have the service manager kill us later.
        os._exit(0)
    return 0


def _check_roles(settings: Settings) -> None:
    """Raise ConfigurationError when the work is to be shared where there is nobody to share it."""
    if settings.daemon.roles != ROLES and settings.database_file is not None:
        raise ConfigurationError(
            f"a daemon that does nothing but {' '.join(settings.daemon.roles)} leaves the rest to"
            " others, and a SQLite database has one daemon",
            "[daemon] roles = intake scheduler, or a PostgreSQL: [database] url",
        )


@contextlib.contextmanager
def _signals(wakes: queue.SimpleQueue[Wake]) -> Iterator[None]:
    """Have signals wake the main thread, and put back what was there before."""

    def note(number: int, _frame: FrameType | None) -> None:
        wakes.put(Wake.RELOAD if number == signal.SIGHUP else Wake.STOP)

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, note) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class Daemon:
    """The parts of the running daemon, and how they begin, change and end together."""

    def __init__(
        self,
        load: Callable[[], Settings],
        settings: Settings,
        notifier: Notifier,
        wakes: queue.SimpleQueue[Wake],
    ) -> None:
        self.load = load
        self.settings = settings
        self.notifier = notifier
        self.wakes = wakes
        self.state = DaemonState(settings.timezone)
        self.metrics = Metrics()
        self.started = time.monotonic()
        self.application: Application | None = None
        self.jobs: Jobs | None = None
        self.health: HealthServer | None = None
        self._status = ""
        self._withheld = False

    def start(self) -> None:
        """Check, open the database, listen, begin to work, and say so."""
        prepared = checked(self.settings)
        _check_roles(self.settings)
        self.application = Application.open(self.settings, command=COMMAND, prepared=prepared)
        self.state.replace(units_of(self.settings), self.settings.timezone)
        self.health = self._listen(self.settings)
        self._tell_address()
        self.jobs = Jobs(
            self.application,
            self.state,
            self.metrics,
            lambda: self.wakes.put(Wake.CHANGED),
            shared=is_postgresql(self.application.database),
        )
        self.jobs.start()
        self._status = self._status_now()
        self.notifier.ready(self._status)
        log.info(
            DAEMON_STARTED,
            pid=os.getpid(),
            configuration=str(self.settings.file),
            directories=len(self.settings.directories),
            folders=len(self.settings.cdr),
            listening=self.health.url if self.health else None,
            seconds=round(time.monotonic() - self.started, 3),
        )
        self._warn(self.settings, prepared.problems)

    def loop(self) -> None:
        """Wait for signals; between them keep the service manager informed."""
        tick = min(TICK_SECONDS, self.notifier.watchdog_seconds / 3 or TICK_SECONDS)
        next_tick = time.monotonic()
        while True:
            try:
                wake = self.wakes.get(timeout=max(0.0, next_tick - time.monotonic()))
            except queue.Empty:
                next_tick = time.monotonic() + tick
                self._tick()
                continue
            if wake is Wake.STOP:
                return
            if wake is Wake.RELOAD:
                self._reload()
            self._tell_status()

    def stop(self) -> bool:
        """End everything within five seconds. Returns whether a unit of work had to be left."""
        self.notifier.stopping()
        running = self.jobs.shut_down(STOP_SECONDS) if self.jobs else []
        if self.health:
            self.health.close()
            self._address_file.unlink(missing_ok=True)
        if self.application:
            self.application.close()
        if running:
            log.warning(DAEMON_ABANDONED, units=running)
        if self.jobs:
            log.info(DAEMON_STOPPED, seconds=round(time.monotonic() - self.started, 3))
        self.notifier.close()
        return bool(running)

    # --- while it runs ---------------------------------------------------------------------------

    def _tick(self) -> None:
        if self.jobs is not None:
            self.jobs.look_at_clock()
        progressing = self.jobs is not None and self.jobs.progressing()
        if progressing:
            self.notifier.alive()
        elif not self._withheld:
            log.error(WATCHDOG_WITHHELD, stuck=self.state.stuck(time.monotonic()))
        self._withheld = not progressing

    def _tell_status(self) -> None:
        status = self._status_now()
        if status != self._status:
            self._status = status
            self.notifier.status(status)

    def _reload(self) -> None:
        """Read the configuration again: take all of it, or keep the old."""
        self.notifier.reloading()
        try:
            self._take(self.load())
        except UserError as error:
            log.error(
                CONFIGURATION_REFUSED,
                reason=error.message,
                hint=error.hint,
                problems=[str(problem) for problem in error.problems],
                kept=str(self.settings.file),
            )
        except Exception as error:
            log.error(CONFIGURATION_REFUSED, reason=str(error), exc_info=error)
        self._status = self._status_now()
        self.notifier.ready(self._status)

    @property
    def _membership(self) -> Membership | None:
        """What this process does where several share the work, None where there is one."""
        return self.jobs.membership if self.jobs else None

    def _status_now(self) -> str:
        """Return one line of counts, and what this process does where several share the work."""
        membership = self._membership
        if membership is None:
            return self.state.status()
        does = told_work(membership.leads, membership.holds)
        return f"{self.state.status()}; does {does or 'nothing at the moment'}"

    def _take(self, settings: Settings) -> None:
        """Swap everything for new settings. Raises UserError before anything was swapped."""
        assert self.application is not None
        assert self.jobs is not None
        changed = [
            name for name in NEED_RESTART if getattr(settings, name) != getattr(self.settings, name)
        ]
        if changed:
            raise ConfigurationError(
                f"{' and '.join(changed)} cannot change while the daemon runs",
                "restart it: systemctl restart syncd",
            )
        prepared = checked(settings)
        _check_roles(settings)
        application = self.application.successor(settings, prepared)
        health = self.health
        if settings.daemon.metrics != self.settings.daemon.metrics:
            health = self._listen(settings)
        # From here on nothing fails.
        old, self.health = self.health, health
        if old is not health and old is not None:
            old.close()
        self.settings, self.application = settings, application
        self._tell_address()
        logs.configure(settings.logging.level)
        self.jobs.replace(application)
        log.info(
            CONFIGURATION_RELOADED,
            configuration=str(settings.file),
            directories=len(settings.directories),
            folders=len(settings.cdr),
        )
        self._warn(settings, prepared.problems)

    def _warn(self, settings: Settings, problems: list[Problem]) -> None:
        for problem in (*settings.warnings, *problems):
            if problem.warning:
                log.warning(CONFIGURATION_WARNED, problem=str(problem))

    # --- pages -----------------------------------------------------------------------------------

    def _listen(self, settings: Settings) -> HealthServer | None:
        address = settings.daemon.metrics
        if address is None:
            return None
        server = HealthServer(
            address,
            {"/metrics": self._metrics, "/healthz": self._healthz, "/readyz": self._readyz},
        )
        server.start()
        return server

    @property
    def _address_file(self) -> Path:
        return self.settings.state_directory / ADDRESS_FILE

    def _tell_address(self) -> None:
        """Write where the pages are: with port 0 nobody could know."""
        if self.health:
            self._address_file.write_text(f"{self.health.url}\n", "utf-8")
        else:
            self._address_file.unlink(missing_ok=True)

    def _metrics(self) -> Answer:
        membership = self._membership
        if membership is not None:
            self.metrics.set_roles(membership.leads, membership.holds)
        body, content_type = self.metrics.exposition()
        return Answer(200, content_type, body)

    def _healthz(self) -> Answer:
        alive = self.jobs is not None and self.jobs.progressing()
        return Answer(200 if alive else 503, "text/plain", b"alive\n" if alive else b"stuck\n")

    def _readyz(self) -> Answer:
        assert self.application is not None
        ready, units = self.state.readiness(self.application.clock())
        database = self.application.reachable()
        ready = ready and database
        report: dict[str, Any] = {"ready": ready, "database": database, "units": units}
        membership = self._membership
        if membership is not None:
            report["scheduler"], report["intake"] = membership.leads, sorted(membership.holds)
        return Answer.json(200 if ready else 503, report)
