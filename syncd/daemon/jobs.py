"""The daemon's jobs: a sync for each directory, an intake for each folder, the roll-ups.

A job that fails is logged, counted and tried again when its schedule says so; it never ends the
daemon. What the database only interrupted is done again at once.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES

from syncd.application import anonymising, reprocessing, rerating, retention
from syncd.application.alarms import check_alarms
from syncd.application.budgets import check_budgets
from syncd.application.composition import SCHEDULED
from syncd.application.gauges import measure
from syncd.application.mail import send_mail
from syncd.application.people import resume
from syncd.application.repeating import repeated
from syncd.application.schedules import send_due
from syncd.daemon.follow import Follower, followers
from syncd.daemon.membership import Membership
from syncd.daemon.results import (
    AlarmReport,
    BudgetReport,
    IngestReport,
    MailReport,
    Report,
    RetentionReport,
    RollUpReport,
    ScheduleReport,
    SyncReport,
    tell_file,
)
from syncd.daemon.schedule import EitherSchedule, ScheduleTrigger, build_scheduler
from syncd.daemon.state import STUCK_SECONDS, DaemonState, UnitState, WorkSignal
from syncd.domain.errors import TryAgainError, UserError
from syncd.settings.schedule import Every, Schedule
from syncd.store.database import is_database_trouble

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.calls.intake import FileOutcome
    from syncd.observe.metrics import Metrics
    from syncd.settings.model import DirectorySettings, Settings

SYNC, INGEST, ROLL_UP = "sync", "ingest", "roll-up"
BUDGETS, MAIL, SCHEDULES, ALARMS = "budgets", "mail", "schedules", "alarms"
RETENTION = "retention"
HEARTBEAT = "heartbeat"
HEARTBEAT_SECONDS = 5
FAILED = {
    SYNC: "sync_failed",
    INGEST: "ingest_failed",
    ROLL_UP: "roll_up_failed",
    BUDGETS: "budgets_failed",
    MAIL: "mail_failed",
    SCHEDULES: "schedules_failed",
    ALARMS: "alarms_failed",
    RETENTION: "retention_failed",
}
JOB_SKIPPED = "job_skipped"
CLOCK_SET_BACK = "clock_set_back"
SET_BACK_SECONDS = 2
"""By how much a clock is set back that is not merely slowed down."""
SPARE_THREADS = 4
MOST_THREADS = 32

log = structlog.get_logger()


def longest_answer(directory: DirectorySettings) -> int:
    """Return how many seconds a directory may take to answer, all its servers tried in turn."""
    return len(directory.servers) * (directory.connect_timeout + directory.timeout)


def units_of(settings: Settings) -> list[UnitState]:
    """Return the units of work of a configuration, none of them done yet."""
    return [
        *(
            UnitState(SYNC, name, each.schedule, STUCK_SECONDS + longest_answer(each))
            for name, each in settings.directories.items()
        ),
        *(UnitState(INGEST, name, each.schedule) for name, each in settings.cdr.items()),
        UnitState(ROLL_UP, "", settings.daemon.rollups),
        *(UnitState(kind, "", schedule) for kind, schedule in finance_units(settings)),
    ]


def finance_units(settings: Settings) -> list[tuple[str, Schedule]]:
    """Return the units of work about budgets, mail and retention that a configuration asks for."""
    finance = settings.finance
    units = []
    if finance.budgets:
        units.append((BUDGETS, finance.budget_schedule))
    if finance.mail.server:
        units.append((MAIL, finance.mail.schedule))
        units.append((SCHEDULES, settings.mailing.look))
        if settings.mailing.alarms:
            units.append((ALARMS, settings.mailing.alarm_look))
    if settings.retention.wanted:
        units.append((RETENTION, settings.retention.schedule))
    return units


class Jobs:
    """Runs the units of work of an application on their schedules."""

    def __init__(
        self,
        application: Application,
        state: DaemonState,
        metrics: Metrics,
        changed: Callable[[], None],
        *,
        shared: bool = False,
    ) -> None:
        """``changed`` is called, in any thread, whenever the state of a unit changed; ``shared``
        says that other processes may do the same work."""
        self.application = application
        self.membership = Membership(application, self._moved) if shared else None
        self.state = state
        self.metrics = metrics
        self.stop = threading.Event()
        self.heartbeat = time.monotonic()
        self._ahead = time.time() - time.monotonic()
        self._changed = changed
        self._first_syncs: set[str] = set()
        self._plans = 0
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()
        threads = len(units_of(application.settings)) + SPARE_THREADS
        self._followers: list[Follower] = []
        self._scheduler = build_scheduler(min(threads, MOST_THREADS))
        self._scheduler.add_listener(self._on_skipped, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._on_broken, EVENT_JOB_ERROR)

    @property
    def running(self) -> bool:
        """Whether the scheduler runs."""
        return bool(self._scheduler.running)

    def start(self) -> None:
        """Begin: every directory at once, and every folder after them."""
        self._plan()
        if self.membership:
            self.membership.start()
        self._scheduler.start()

    def look_at_clock(self) -> None:
        """Plan anew where the clock was set back: what is planned would wait until it shows those
        times again."""
        ahead = time.time() - time.monotonic()
        seconds, self._ahead = self._ahead - ahead, ahead
        if seconds > SET_BACK_SECONDS and not self.stop.is_set():
            log.warning(CLOCK_SET_BACK, seconds=round(seconds))
            self.state.not_after(self.application.clock())
            self._plan()

    def replace(self, application: Application) -> None:
        """Go on with another application; what runs ends with the one it began with."""
        self.application = application
        if self.membership:
            self.membership.replace(application)
        self._plan()

    def shut_down(self, seconds: float) -> list[str]:
        """Ask everything to stop, and wait up to ``seconds``. Returns what still runs."""
        self.stop.set()
        for follower in self._followers:
            follower.stop()
        self._scheduler.shutdown(wait=False)
        deadline = time.monotonic() + seconds
        while (running := self.state.running()) and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.membership:
            self.membership.stop(max(0.0, deadline - time.monotonic()))
        return running

    def progressing(self) -> bool:
        """Say whether the scheduler runs and no unit is stuck."""
        now = time.monotonic()
        if self.membership is not None and self.membership.stuck():
            return False
        return now - self.heartbeat < 3 * HEARTBEAT_SECONDS and not self.state.stuck(now)

    # --- planning --------------------------------------------------------------------------------

    def _plan(self) -> None:
        settings = self.application.settings
        with self._lock:
            self._plans += 1
            self._first_syncs = set(settings.directories)
            self.state.replace(units_of(settings), settings.timezone)
            self.state.move(self._elsewhere)
            self._scheduler.remove_all_jobs()
            now = datetime.now(UTC)
            for name, directory in settings.directories.items():
                times: Schedule | EitherSchedule = directory.schedule
                if directory.full_schedule is not None:
                    # One job: each run reads everything when that is due.
                    times = EitherSchedule(directory.schedule, directory.full_schedule)
                self._add(SYNC, name, times, self._sync, now)
            # People first: a call is attributed to whom the directory named when it was taken.
            # Where several processes share the work, ``_too_early`` says when.
            for name, source in settings.cdr.items():
                first = None if self._first_syncs and self.membership is None else now
                self._add(INGEST, name, source.schedule, self._ingest, first)
            self._add(ROLL_UP, "", settings.daemon.rollups, self._roll_up, now)
            works = {
                BUDGETS: self._check_budgets,
                MAIL: self._send_mail,
                SCHEDULES: self._send_reports,
                ALARMS: self._check_alarms,
                RETENTION: self._retain,
            }
            for kind, schedule in finance_units(settings):
                self._add(kind, "", schedule, works[kind], now)
            self._scheduler.add_job(
                self._beat,
                ScheduleTrigger(Every(HEARTBEAT_SECONDS), settings.timezone),
                id=HEARTBEAT,
                next_run_time=now,
            )
            self._follow()

    def _follow(self) -> None:
        """Listen to the directories of this plan instead of those of the one before it."""
        for follower in self._followers:
            follower.stop()
        self._followers = []
        if self.membership and not self.membership.leads:
            return
        plan = self._plans
        self._followers = followers(
            self.application.settings.directories.values(),
            lambda name: self._run(plan, SYNC, name, self._sync),
        )
        for follower in self._followers:
            follower.start()

    def _add(
        self,
        kind: str,
        name: str,
        schedule: Any,
        work: Callable[[Application, str, WorkSignal], Report],
        first: datetime | None,
    ) -> None:
        self._scheduler.add_job(
            partial(self._run, self._plans, kind, name, work),
            ScheduleTrigger(schedule, self.application.settings.timezone),
            id=self._job_id(kind, name),
            next_run_time=first,
        )

    def _job_id(self, kind: str, name: str) -> str:
        # The scheduler counts what still runs by id: under its own id the first run of a new plan
        # is not skipped because a run of the plan before it has not ended.
        return f"{kind}:{name}:{self._plans}"

    def _first_sync_ended(self, plan: int, name: str) -> None:
        """Let the folders be read once every directory of the plan was asked."""
        with self._lock:
            if plan != self._plans or name not in self._first_syncs:
                return
            self._first_syncs.remove(name)
            if self._first_syncs or self.stop.is_set():
                return
            now = datetime.now(UTC)
            for source in self.application.settings.cdr:
                self._scheduler.modify_job(self._job_id(INGEST, source), next_run_time=now)

    # --- beside other processes ------------------------------------------------------------------

    def _elsewhere(self, kind: str, name: str) -> bool:
        """Whether a unit of work is not this process's at the moment."""
        if self.membership is None:
            return False
        if kind != INGEST:
            return not self.membership.leads
        source = self.application.settings.cdr.get(name)
        return source is None or source.pbx not in self.membership.holds

    def _too_early(self, kind: str) -> bool:
        """Whether a folder waits for the directories: who leads asks them first, the others wait
        until somebody has."""
        if self.membership is None or kind != INGEST or not self._first_syncs:
            return False
        if not self.membership.leads and self.membership.people_known:
            # Once begun it goes on, also when this process leads one day.
            self._first_syncs = set()
            return False
        return True

    def _moved(self) -> None:
        """Begin at once with what has become this process's."""
        with self._lock:
            if self.stop.is_set():
                return
            before = self.state.elsewhere()
            self.state.move(self._elsewhere)
            after, now = self.state.elsewhere(), datetime.now(UTC)
            begun = before - after
            if self._first_syncs:
                begun |= {(INGEST, name) for name in self.application.settings.cdr} - after
            for kind, name in begun:
                self._scheduler.modify_job(self._job_id(kind, name), next_run_time=now)
            if before != after:
                self._follow()
        self._changed()

    # --- running ---------------------------------------------------------------------------------

    def _run(
        self,
        plan: int,
        kind: str,
        name: str,
        work: Callable[[Application, str, WorkSignal], Report],
    ) -> None:
        """Run one unit of work, after what an older plan still does of it."""
        with self._lock:
            turn = self._turns[f"{kind}:{name}"]
        with turn:
            if self._elsewhere(kind, name) or self._too_early(kind):
                return
            if not self.stop.is_set() and plan == self._plans:
                self._run_now(plan, kind, name, work)

    def _run_now(
        self,
        plan: int,
        kind: str,
        name: str,
        work: Callable[[Application, str, WorkSignal], Report],
    ) -> None:
        """Run one unit of work and say what became of it."""
        lost = partial(self._elsewhere, kind, name)
        signal = WorkSignal(self.state, kind, name, self.stop, lost)
        job = f"{kind} {name}".strip()
        started = time.monotonic()
        self.state.begin(kind, name, started)
        self._changed()
        application = self.application
        try:
            report = repeated(
                lambda: work(application, name, signal),
                application.database,
                job,
                signal.is_set,
                told=partial(self.metrics.job_repeated, job),
            )
        except Exception as error:
            seconds = round(time.monotonic() - started, 3)
            if isinstance(error, TryAgainError) and lost():
                # It waited for a turn, and the unit is another process's by now.
                self.state.leave(kind, name)
                return
            self._failed(kind, name, error, seconds)
            self.metrics.job_ended(job, seconds, None)
        else:
            seconds = round(time.monotonic() - started, 3)
            now = application.clock()
            self.state.succeed(kind, name, now, report.counts())
            self.metrics.job_ended(job, seconds, now)
            report.tell(log, self.metrics, seconds)
        finally:
            if kind == SYNC:
                self._first_sync_ended(plan, name)
            self._changed()

    def _failed(self, kind: str, name: str, error: Exception, seconds: float) -> None:
        fields: dict[str, Any] = {"source": name} if name else {}
        fields["seconds"] = seconds
        self.state.fail(kind, name, self.application.clock(), str(error))
        self.metrics.job_failed(f"{kind} {name}".strip())
        if isinstance(error, UserError):
            fields["exit_code"] = error.exit_code
            log.error(
                FAILED[kind],
                reason=error.message,
                hint=error.hint,
                problems=[str(problem) for problem in error.problems],
                **fields,
            )
        elif isinstance(error, OSError) or is_database_trouble(error):
            # The machine's fault: where in syncd it was noticed helps nobody.
            log.error(FAILED[kind], reason=str(error), **fields)
        else:
            log.error(FAILED[kind], reason=str(error), exc_info=error, **fields)

    def _sync(self, application: Application, name: str, signal: WorkSignal) -> Report:
        return SyncReport(name, application.sync_one(name, SCHEDULED, stop=signal))

    def _ingest(self, application: Application, name: str, signal: WorkSignal) -> Report:
        def tell(file: FileOutcome) -> None:
            signal.is_set()
            tell_file(log, self.metrics, name, file)

        return IngestReport(name, application.ingest_one(name, stop=signal, progress=tell))

    def _roll_up(self, application: Application, name: str, signal: WorkSignal) -> Report:
        # A move or a reprocessing that was interrupted touches the sums of its days.
        resume(application, signal)
        reprocessing.resume(application, signal)
        anonymising.resume(application, signal)
        rerating.resume(application, signal)
        days = application.roll_up(stop=signal)
        with application.connected():
            return RollUpReport(days, measure(application.settings, application.clock()))

    def _check_budgets(self, application: Application, name: str, signal: WorkSignal) -> Report:
        return BudgetReport(check_budgets(application, stop=signal))

    def _check_alarms(self, application: Application, name: str, signal: WorkSignal) -> Report:
        return AlarmReport(check_alarms(application, stop=signal))

    def _send_reports(self, application: Application, name: str, signal: WorkSignal) -> Report:
        return ScheduleReport(send_due(application, stop=signal))

    def _send_mail(self, application: Application, name: str, signal: WorkSignal) -> Report:
        return MailReport(send_mail(application, stop=signal))

    def _retain(self, application: Application, name: str, signal: WorkSignal) -> Report:
        # The first run of a daemon is at its start: what is due by the schedule is remembered.
        if not retention.due_now(application):
            return RetentionReport([])
        if doubt := retention.doubt(application):
            return RetentionReport([], doubt)
        return RetentionReport(retention.carry_out(application, stop=signal))

    def _beat(self) -> None:
        self.heartbeat = time.monotonic()

    # --- what the scheduler says -----------------------------------------------------------------

    def _on_skipped(self, event: Any) -> None:
        """A job's time came while it still ran: the run that follows does the work of both."""
        job = str(event.job_id).rpartition(":")[0].replace(":", " ").strip()
        self.metrics.job_skipped(job)
        log.debug(JOB_SKIPPED, job=job)

    def _on_broken(self, event: Any) -> None:
        """The wrapper around the units failed, which is a defect of syncd's."""
        log.error("job_broken", job=event.job_id, exc_info=event.exception)
