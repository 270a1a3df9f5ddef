"""The daemon's jobs: who goes first, and what a failing one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import peewee
import psycopg
import pytest
import structlog

from syncd.application.budgets import BudgetOutcome
from syncd.application.gauges import Gauges
from syncd.application.mail import MailOutcome
from syncd.application.schedules import ScheduleOutcome
from syncd.calls.intake import IngestOutcome
from syncd.daemon import jobs as jobs_module
from syncd.daemon.jobs import HEARTBEAT_SECONDS, Jobs, units_of
from syncd.daemon.state import STUCK_SECONDS, DaemonState
from syncd.directory.sync import SyncOutcome
from syncd.domain.errors import TryAgainError
from syncd.observe.metrics import Metrics
from syncd.settings.finance import BudgetSettings, FinanceSettings, MailSettings
from syncd.settings.mailing import MailingSettings
from syncd.settings.retention import RetentionSettings
from syncd.settings.schedule import Every

ROME = ZoneInfo("Europe/Rome")
LONG = 30


def settings(directories: int = 2, folders: int = 1) -> Any:
    """Return as much of the settings as the jobs ask for; nothing is due again for an hour."""
    hour = Every(3600)
    return SimpleNamespace(
        timezone=ROME,
        directories={
            f"d{n}": SimpleNamespace(
                schedule=hour,
                full_schedule=hour,
                servers=("a", "b"),
                connect_timeout=5,
                timeout=300,
                follow=False,
            )
            for n in range(directories)
        },
        cdr={f"c{n}": SimpleNamespace(schedule=hour) for n in range(folders)},
        daemon=SimpleNamespace(rollups=hour),
        retention=RetentionSettings(),
        finance=FinanceSettings(),
        mailing=MailingSettings(),
    )


@dataclass
class FakeApplication:
    """Notes what is done; ``hold`` keeps syncs from ending, ``failing`` lets units fail."""

    settings: Any = field(default_factory=settings)
    done: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    hold: threading.Event = field(default_factory=threading.Event)
    ended: threading.Condition = field(default_factory=threading.Condition)
    database: Any = field(
        default_factory=lambda: SimpleNamespace(
            is_closed=lambda: True, in_transaction=lambda: False
        )
    )

    def clock(self) -> int:
        return 1_700_000_000

    def _end(self, name: str) -> None:
        with self.ended:
            self.done.append(name)
            self.ended.notify_all()
        if name in self.failing:
            raise TryAgainError(f"{name} does not answer")
        if f"{name}!" in self.failing:
            raise RuntimeError("a defect")
        if f"{name}~" in self.failing:
            self.failing.remove(f"{name}~")
            reason = psycopg.errors.DeadlockDetected("deadlock detected")
            raise peewee.OperationalError(str(reason)) from reason

    def sync_one(self, name: str, wishes: Any, *, stop: Any) -> SyncOutcome:
        assert self.hold.wait(LONG)
        self._end(name)
        return SyncOutcome(name, "server", "unchanged")

    def ingest_one(self, name: str, *, stop: Any, progress: Any) -> IngestOutcome:
        self._end(name)
        return IngestOutcome(name, records=3, calls=2)

    def roll_up(self, *, stop: Any) -> int:
        return 0

    def connected(self) -> Any:
        return threading.Lock()

    def wait(self, count: int) -> list[str]:
        with self.ended:
            assert self.ended.wait_for(lambda: len(self.done) >= count, LONG), self.done
            return list(self.done)


class Bench:
    def __init__(self, application: FakeApplication) -> None:
        self.application = application
        self.state = DaemonState(ROME)
        self.metrics = Metrics()
        self.changed = threading.Condition()
        made: Any = application
        self.jobs = Jobs(made, self.state, self.metrics, self._note)

    def _note(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def status(self, text: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.state.status(), LONG), (
                self.state.status()
            )


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(jobs_module, "measure", lambda settings, now: Gauges(0, None, 0, 0))
    monkeypatch.setattr(jobs_module, "resume", lambda application, signal: None)
    for work in (jobs_module.reprocessing, jobs_module.anonymising, jobs_module.rerating):
        monkeypatch.setattr(work, "resume", lambda application, signal: None)
    made = Bench(FakeApplication())
    yield made
    made.application.hold.set()
    if made.jobs.running:
        made.jobs.shut_down(LONG)
    # A unit is logged after it has ended; what comes late must not reach another test's output.
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(LONG)


def test_folders_wait_for_every_directory(bench: Bench) -> None:
    application = bench.application
    application.failing.add("d1")
    bench.jobs.start()
    assert application.done == []
    application.hold.set()
    done = application.wait(3)
    assert set(done[:2]) == {"d0", "d1"}
    assert done[2] == "c0"
    bench.status("1/2 directories synced; 1/1 folders read; 0 files")
    bench.status("failing: sync d1")


def test_folders_do_not_wait_where_there_is_no_directory(bench: Bench) -> None:
    bench.application.settings = settings(directories=0, folders=2)
    bench.jobs.start()
    assert set(bench.application.wait(2)) == {"c0", "c1"}


def test_a_defect_is_a_failure_like_any_other(bench: Bench) -> None:
    bench.application.failing.add("c0!")
    bench.application.hold.set()
    bench.jobs.start()
    bench.status("failing: ingest c0")
    text = bench.metrics.exposition()[0].decode()
    assert 'syncd_job_failures_total{job="ingest c0"} 1.0' in text


def test_replacing_runs_the_new_ones_at_once(bench: Bench) -> None:
    bench.application.hold.set()
    bench.jobs.start()
    bench.application.wait(3)
    bench.status("2/2 directories synced; 1/1 folders read")
    following = FakeApplication(settings(directories=1, folders=2))
    following.hold.set()
    made: Any = following
    bench.jobs.replace(made)
    assert set(following.wait(3)) == {"d0", "c0", "c1"}
    bench.status("1/1 directories synced; 2/2 folders read")


def test_what_an_older_plan_still_does_delays_the_new_one_and_does_not_cancel_it(
    bench: Bench,
) -> None:
    bench.jobs.start()
    bench.status("sync d0, sync d1")
    following = FakeApplication(settings(directories=1, folders=2))
    following.hold.set()
    made: Any = following
    bench.jobs.replace(made)
    # The heartbeat of the new plan shows that the scheduler has handed its first runs out.
    beaten = bench.jobs.heartbeat
    while bench.jobs.heartbeat == beaten:
        time.sleep(0.01)
    assert following.done == []
    bench.application.hold.set()
    assert set(following.wait(3)) == {"d0", "c0", "c1"}
    # The folders of the older plan are the new one's to read.
    assert set(bench.application.wait(2)) == {"d0", "d1"}


def test_what_the_database_interrupted_is_begun_again_at_once(bench: Bench) -> None:
    application = bench.application
    application.failing.add("c0~")
    application.hold.set()
    bench.jobs.start()
    with application.ended:
        assert application.ended.wait_for(lambda: application.done.count("c0") == 2, LONG)
    text = bench.metrics.exposition()[0].decode()
    assert 'syncd_job_repeats_total{job="ingest c0"} 1.0' in text
    assert 'syncd_job_failures_total{job="ingest c0"}' not in text


def test_a_clock_that_is_set_back_delays_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was planned while it was years ahead would wait for years."""
    genuine, ahead = time.time, [0.0]
    monkeypatch.setattr("syncd.daemon.jobs.time.time", lambda: genuine() + ahead[0])
    bench.application.hold.set()
    bench.jobs.start()
    bench.application.wait(3)
    bench.status("2/2 directories synced; 1/1 folders read")
    for step in (1.0, 3600.0, 3599.0, 3598.5):  # forwards, and slowed down
        ahead[0] = step
        bench.jobs.look_at_clock()
    assert bench.state.readiness(bench.application.clock() - 60)[1]["sync d0"]["age"] == -60
    monkeypatch.setattr(bench.application, "clock", lambda: 1_699_990_000)
    ahead[0] = 0.0
    bench.jobs.look_at_clock()
    assert set(bench.application.wait(6)[3:]) == {"d0", "d1", "c0"}
    bench.jobs.look_at_clock()
    assert len(bench.application.done) == 6
    assert bench.state.readiness(1_699_990_060)[1]["sync d0"]["age"] == 60


def test_retention_removes_nothing_by_a_doubtful_clock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[int] = []
    monkeypatch.setattr(jobs_module.retention, "due_now", lambda application: True)
    monkeypatch.setattr(
        jobs_module.retention, "carry_out", lambda application, stop: removed.append(1) or []
    )
    given: Any = bench.application
    with structlog.testing.capture_logs() as told:
        for doubt in ("the last call is of 1999", ""):
            monkeypatch.setattr(
                jobs_module.retention, "doubt", lambda application, doubt=doubt: doubt
            )
            report = bench.jobs._retain(given, "", given)
            report.tell(structlog.get_logger(), bench.metrics, 0.1)
            assert removed == [1] * (not doubt)
    assert [(one["event"], one["reason"]) for one in told] == [
        ("retention_held", "the last call is of 1999")
    ]


def test_stop_says_what_still_runs(bench: Bench) -> None:
    bench.jobs.start()
    bench.status("sync d0, sync d1")
    assert "sync d0" in bench.jobs.shut_down(0.0)
    bench.application.hold.set()
    # Nothing begins any more once the daemon stops.
    assert "c0" not in bench.application.wait(2)


def test_progress_needs_the_scheduler_and_no_stuck_unit(bench: Bench) -> None:
    jobs = bench.jobs
    bench.state.replace(units_of(bench.application.settings), ROME)
    assert jobs.progressing()
    jobs.heartbeat = time.monotonic() - 4 * HEARTBEAT_SECONDS
    assert not jobs.progressing()
    jobs.heartbeat = time.monotonic()
    bench.state.begin("ingest", "c0", time.monotonic() - STUCK_SECONDS - 1)
    assert not jobs.progressing()


def test_a_directory_gets_the_time_that_its_servers_may_take() -> None:
    units = {unit.title: unit for unit in units_of(settings())}
    assert units["sync d0"].patience == STUCK_SECONDS + 2 * 305
    assert units["ingest c0"].patience == STUCK_SECONDS


def test_retention_has_a_job_where_something_is_not_kept_for_ever() -> None:
    given = settings()
    assert "retention" not in {unit.title for unit in units_of(given)}
    given.retention = RetentionSettings(archive=30, schedule=Every(7))
    (unit,) = (unit for unit in units_of(given) if unit.title == "retention")
    assert unit.schedule == Every(7)


def test_budgets_and_mail_have_jobs_where_they_are_set(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = bench.application
    assert "mail" not in {unit.title for unit in units_of(application.settings)}
    budget = BudgetSettings(
        "b", "person", "same", "day", 1, (), (), (), (), carry_over=False, thresholds=(), notify=()
    )
    application.settings.finance = FinanceSettings(
        MailSettings("server"), {"b": budget}, budget_schedule=Every(3600)
    )

    def sent(given: FakeApplication, *, stop: Any) -> MailOutcome:
        given._end("mail")
        return MailOutcome(sent=1)

    def checked(given: FakeApplication, *, stop: Any) -> BudgetOutcome:
        given._end("budgets")
        return BudgetOutcome()

    def reported(given: FakeApplication, *, stop: Any) -> ScheduleOutcome:
        given._end("schedules")
        return ScheduleOutcome()

    monkeypatch.setattr(jobs_module, "send_due", reported)
    monkeypatch.setattr(jobs_module, "send_mail", sent)
    monkeypatch.setattr(jobs_module, "check_budgets", checked)
    application.failing.add("mail")
    application.hold.set()
    bench.jobs.start()
    assert {"budgets", "mail", "schedules"} <= set(application.wait(6))
    bench.status("failing: mail")
