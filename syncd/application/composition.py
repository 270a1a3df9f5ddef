"""The composition root: builds what a unit of work needs, holds its lock, runs it.

The daemon and the verbs do their work through an ``Application``; nothing else knows both the
settings and the packages that do the work.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

from syncd.application.plugins import survey_settings
from syncd.application.preparation import Preparation, prepare
from syncd.application.repeating import repeated
from syncd.application.state_directory import make_state_directory, state_problems
from syncd.domain.errors import (
    EXIT_OK,
    ConfigurationError,
    Problem,
    TryAgainError,
    UsageError,
    UserError,
)
from syncd.settings.model import DirectorySettings, Settings
from syncd.store.locks import hold, hold_folder

if TYPE_CHECKING:
    import peewee

    from syncd.calls.intake import FileOutcome, IngestOutcome, Intake
    from syncd.cdr.arrivals import Arrivals
    from syncd.directory.incremental import Shortcut
    from syncd.directory.sync import SyncOutcome

Outcome = TypeVar("Outcome")


class Stop(Protocol):
    """Asked between two transactions whether to stop."""

    def is_set(self) -> bool: ...


class Never:
    """Nobody asks a verb to stop: it is interrupted, which is as safe."""

    def is_set(self) -> bool:
        return False


NEVER = Never()
TURN_SECONDS = 0.5
"""How often who waits for a turn asks whether to stop."""


@dataclass(frozen=True, slots=True)
class Unit(Generic[Outcome]):
    """What became of one unit of work: its outcome, or the error that ended it."""

    name: str
    outcome: Outcome | None = None
    error: UserError | None = None

    @property
    def exit_code(self) -> int:
        return EXIT_OK if self.error is None else self.error.exit_code


@dataclass(frozen=True, slots=True)
class SyncWishes:
    """What the command line may ask of a sync."""

    dry_run: bool = False
    """Say what would change, and write nothing."""
    full: bool = False
    """Read everything, even where what changed would be enough."""
    scheduled: bool = False
    """Another run on ``full_schedule`` finds what the server cannot tell in this one."""
    accept_departures: int = 0
    accept_changes: int = 0


WISHLESS = SyncWishes()
SCHEDULED = SyncWishes(scheduled=True)
MAINTENANCE = "maintenance"
SCHEMA = "schema"
ROLL_UP_DAYS = 31
"""Days rebuilt before the lock is given up for others."""


class Application:
    """Everything for one set of settings. Methods may be called from any thread."""

    def __init__(
        self,
        settings: Settings,
        database: peewee.Database,
        *,
        command: str,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        """``command`` is what other processes read in the lock files of the work done here."""
        self.settings = settings
        self.database = database
        self.command = command
        self.clock = clock
        self._turns = {source.pbx: threading.Lock() for source in settings.cdr.values()}
        self._preparing = threading.Lock()
        self._prepared: Preparation | None = None
        self._intakes: dict[str, Intake] = {}
        self._arrivals: dict[str, Arrivals] = {}

    @classmethod
    def open(
        cls, settings: Settings, *, command: str = "syncd", prepared: Preparation | None = None
    ) -> Self:
        """Open the database, brought up to date, and see that its days are those of the zone.

        ``prepared`` is what ``checked`` returned, where that was asked. Raises ConfigurationError,
        or TryAgainError when the database cannot be reached, or a daemon works in another zone.
        """
        from syncd.application.time_zone import change_zone
        from syncd.store.database import open_configured
        from syncd.store.rollups import zone_is

        make_state_directory(settings)
        # Two processes that start at once must not bring the schema up to date side by side.
        with hold(settings.state_directory, SCHEMA, command, wait=settings.daemon.lock_wait):
            database = open_configured(settings)
        application = cls(settings, database, command=command)
        application._prepared = prepared
        if not zone_is(settings.timezone):
            with application.locked(MAINTENANCE, NEVER):
                change_zone(settings.timezone, settings.state_directory, command)
        return application

    def successor(self, settings: Settings, prepared: Preparation) -> Application:
        """Return the application for other settings on the same database and in the same zone."""
        following = Application(settings, self.database, command=self.command, clock=self.clock)
        following._prepared = prepared
        return following

    def close(self) -> None:
        """Close this thread's connection."""
        if not self.database.is_closed():
            self.database.close()

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Have a connection in this thread while the block runs."""
        opened = self.database.connect(reuse_if_open=True)
        try:
            yield
        finally:
            if opened:
                self.database.close()

    def prepared(self) -> Preparation:
        """Return drivers, plans and tariffs, loaded once. Raises ConfigurationError with all that
        is wrong with them."""
        with self._preparing:
            if self._prepared is None:
                self._prepared = prepare(self.settings)
        self._prepared.check(self.settings)
        return self._prepared

    def reachable(self) -> bool:
        """Say whether the database answers."""
        try:
            with self.connected():
                self.database.execute_sql("SELECT 1").fetchone()
        except Exception:
            return False
        return True

    # --- units of work ---------------------------------------------------------------------------

    def sync_one(
        self, name: str, wishes: SyncWishes = WISHLESS, *, stop: Stop = NEVER
    ) -> SyncOutcome:
        """Bring the people of one directory up to date, and the licence with them. Raises
        UserError."""
        from syncd.application.sites import directory_sites
        from syncd.calls.release import release_calls
        from syncd.directory.sources.open import open_source
        from syncd.directory.sync import sync_source
        from syncd.licensing.claims import Terms

        directory, licensing = self.settings.directories[name], self.settings.licensing
        with self.locked(f"sync-{name}", stop), self.connected():
            outcome = sync_source(
                directory,
                open_source(directory),
                directory_sites(self.settings),
                now=self.clock(),
                dry_run=wishes.dry_run,
                accept_departures=wishes.accept_departures,
                accept_changes=wishes.accept_changes,
                shortcut=self._shortcut(directory, wishes),
            )
            if not wishes.dry_run:
                terms = Terms(licensing.slots, licensing.automatic_acquisition)
                release_calls(terms, self.settings.timezone, self.clock(), stop.is_set)
            return outcome

    def ingest_one(
        self,
        name: str,
        *,
        settle: bool = True,
        stop: Stop = NEVER,
        progress: Callable[[FileOutcome], None] = lambda file: None,
    ) -> IngestOutcome:
        """Take the files of one folder; ``progress`` is told of each when it is stored.

        Raises UserError, ConfigurationError when the folder is not there: others go on, and it is
        tried again.
        """
        from syncd.application.preparation import folder_problems, host_problems
        from syncd.cdr.arrivals import names_in

        elsewhere = list(host_problems(self.settings, self.settings.cdr[name]))
        if elsewhere:
            raise ConfigurationError(
                f"the drop folder of {name} is another machine's", problems=elsewhere
            )
        missing = list(folder_problems(self.settings, self.settings.cdr[name]))
        if missing:
            raise ConfigurationError(f"the drop folder of {name} cannot be read", problems=missing)
        intake = self._intake(name)
        pbx = intake.context.pbx
        # Two folders of one PBX take turns within this process; the lock is for other processes.
        with (
            self._turn(pbx, stop),
            self.locked(f"intake-{pbx}", stop),
            self._claimed(intake.context.folder, stop),
            self.connected(),
        ):
            arrivals = self._arrivals_of(name)
            arrivals.begin(self.clock())
            outcome = intake.take(
                now=self.clock, settle=settle, stop=stop.is_set, progress=progress
            )
            outcome.watched = arrivals.look(
                names_in(intake.context.folder),
                self.clock(),
                came=bool(outcome.files or outcome.waiting),
            )
            return outcome

    def roll_up(self, *, stop: Stop = NEVER) -> int:
        """Rebuild the sums of days that changed, and the counters of trunks. Returns how many days
        and months were rebuilt."""
        from syncd.application.contexts import endpoints_of
        from syncd.calls.trunk_counting import count_trunks
        from syncd.store.models import DirtyDay, DirtyQuarter
        from syncd.store.rollups import fields_are_summed, rebuild, stale_months

        rebuilt = 0
        with self.connected():
            while not stop.is_set() and (
                DirtyDay.select().exists() or stale_months() or not fields_are_summed()
            ):
                with self.locked(MAINTENANCE, stop):
                    done = rebuild(self.settings.timezone, self.clock(), limit=ROLL_UP_DAYS)
                if not done:
                    break
                rebuilt += done
            known_as = endpoints_of(self.settings)
            while not stop.is_set() and DirtyQuarter.select().exists():
                with self.locked(MAINTENANCE, stop):
                    count_trunks(known_as)
        return rebuilt

    # --- several sources -------------------------------------------------------------------------

    def sync(
        self, name: str | None = None, wishes: SyncWishes = WISHLESS
    ) -> Iterator[Unit[SyncOutcome]]:
        """Sync one directory, or all of them one after the other; a failing one stops no other.

        Raises UsageError when there is no such directory.
        """
        for source in _chosen(name, self.settings.directories, "directory"):
            yield self._unit(f"sync {source}", source, partial(self.sync_one, source, wishes))

    def ingest(
        self,
        name: str | None = None,
        *,
        settle: bool = True,
        progress: Callable[[FileOutcome], None] = lambda file: None,
    ) -> Iterator[Unit[IngestOutcome]]:
        """Take the files of one folder, or of all one after the other; ``progress`` is told of each
        file.

        Raises UsageError when there is no such folder, ConfigurationError when a tariff is wrong.
        """
        from syncd.application.preparation import is_here

        chosen = _chosen(name, self.settings.cdr, "cdr")
        if name is None:
            # Those of other machines are read there.
            chosen = [each for each in chosen if is_here(self.settings.cdr[each])]
        self.prepared()
        for source in chosen:
            work = partial(self.ingest_one, source, settle=settle, progress=progress)
            yield self._unit(f"ingest {source}", source, work)

    # --- inside ----------------------------------------------------------------------------------

    def _unit(self, unit: str, source: str, work: Callable[[], Outcome]) -> Unit[Outcome]:
        """Run a unit of work; the user's mistakes become part of what it returns."""
        try:
            return Unit(source, repeated(work, self.database, unit))
        except UserError as error:
            return Unit(source, error=error)

    def _shortcut(self, directory: DirectorySettings, wishes: SyncWishes) -> Shortcut:
        """Return whether a sync may read only what changed."""
        from syncd.directory.incremental import Shortcut, full_reading_due

        if wishes.full or full_reading_due(directory, self.clock(), self.settings.timezone):
            return Shortcut.NEVER
        if wishes.scheduled and directory.changed_since:
            return Shortcut.ALLOWED
        return Shortcut.EXACT

    def _intake(self, name: str) -> Intake:
        """Return a folder's intake, which remembers what it saw at the last poll."""
        from syncd.application.contexts import intake_context
        from syncd.calls.intake import Intake

        prepared = self.prepared()
        with self._preparing:
            if name not in self._intakes:
                context = intake_context(self.settings, prepared, self.settings.cdr[name])
                self._intakes[name] = Intake(context)
            return self._intakes[name]

    def _arrivals_of(self, name: str) -> Arrivals:
        """Return what watches the arrivals of a folder from poll to poll."""
        from syncd.cdr.arrivals import Arrivals

        with self._preparing:
            if name not in self._arrivals:
                self._arrivals[name] = Arrivals(name, self.settings.cdr[name].quiet_after)
            return self._arrivals[name]

    def _claimed(self, folder: Path, stop: Stop) -> contextlib.AbstractContextManager[None]:
        """Hold a drop folder against whoever works with another state directory. Raises
        TryAgainError."""
        return hold_folder(folder, wait=self.settings.daemon.lock_wait, stopping=stop.is_set)

    def locked(self, name: str, stop: Stop) -> contextlib.AbstractContextManager[None]:
        """Hold a lock against other processes while the block runs, on a PostgreSQL against those
        of other machines too. Raises TryAgainError naming who has it."""
        from syncd.store.advisory import hold_in_database
        from syncd.store.dialect import is_postgresql

        wait, stopping = self.settings.daemon.lock_wait, stop.is_set
        if is_postgresql(self.database):
            return hold_in_database(self.database, name, self.command, wait=wait, stopping=stopping)
        return hold(self.settings.state_directory, name, self.command, wait=wait, stopping=stopping)

    @contextlib.contextmanager
    def _turn(self, pbx: str, stop: Stop) -> Iterator[None]:
        """Wait until no other thread works on this PBX. Raises TryAgainError when asked to stop."""
        turn = self._turns[pbx]
        while not turn.acquire(timeout=TURN_SECONDS):
            if stop.is_set():
                raise TryAgainError(f"stopped while another folder of {pbx} was read")
        try:
            yield
        finally:
            turn.release()


def checked(settings: Settings) -> Preparation:
    """Return drivers, plans and tariffs once everything that the settings name was found right.

    Raises ConfigurationError with all that is wrong; warnings are in the ``problems`` returned.
    """
    from syncd.application.schedule_checks import schedule_problems
    from syncd.directory import checks

    prepared = prepare(settings)
    prepared.problems[:0] = [*checks.problems(settings), *schedule_problems(settings)]
    prepared.check(settings)
    return prepared


def problems(settings: Settings) -> list[Problem]:
    """Return every mistake and warning in what the settings name: mappings, filters, drivers, plans,
    tariffs and drop folders. The settings themselves were checked when they were loaded."""
    from syncd.application.decks import deck_problems
    from syncd.application.preparation import folder_problems, list_problems, tariff_warnings
    from syncd.application.schedule_checks import schedule_problems
    from syncd.directory import checks

    prepared = prepare(settings)
    return [
        *settings.warnings,
        *state_problems(settings),
        *checks.problems(settings),
        *schedule_problems(settings),
        *prepared.problems,
        *deck_problems(settings),
        *(
            problem
            for source in settings.cdr.values()
            for problem in folder_problems(settings, source)
        ),
        *(
            problem
            for directory in settings.directories.values()
            for problem in list_problems(settings, directory)
        ),
        *tariff_warnings(settings, prepared),
    ]


def all_problems(path: Path) -> list[Problem]:
    """Return every mistake of an INI file that cannot be used, and of what its sound options name:
    a mistake in one option hides no other."""
    settings, found = survey_settings(path)
    if settings is not None:
        said = {(problem.file, problem.line, problem.option) for problem in found}
        found += [
            problem
            for problem in problems(settings)
            if not problem.warning and (problem.file, problem.line, problem.option) not in said
        ]
    return sorted(found, key=lambda found: (found.file != str(path), found.file, found.line))


def _chosen(name: str | None, sections: Collection[str], kind: str) -> list[str]:
    """Return the named section, or all. Raises UsageError when it does not exist."""
    if name is None:
        return list(sections)
    if name not in sections:
        known = ", ".join(sections) or "none is configured"
        raise UsageError(f"there is no [{kind}:{name}]", f"known: {known}")
    return [name]
