"""What the daemon says of itself: the status line, readiness, and whether its work is stuck."""

from __future__ import annotations

import threading
from zoneinfo import ZoneInfo

from syncd.daemon.state import STUCK_SECONDS, DaemonState, UnitState, WorkSignal
from syncd.settings.schedule import Every, parse_schedule

ROME = ZoneInfo("Europe/Rome")


def state() -> DaemonState:
    made = DaemonState(ROME)
    made.replace(
        [UnitState("sync", "corp", Every(900)), UnitState("ingest", "hq", Every(30))], ROME
    )
    return made


def test_status_counts() -> None:
    daemon = state()
    assert (
        daemon.status() == "0/1 directories synced; 0/1 folders read; 0 files; 0 records; 0 calls"
    )
    daemon.succeed("ingest", "hq", 1000, {"files": 2, "records": 50})
    daemon.succeed("ingest", "hq", 1030, {"files": 1, "records": 7, "calls": 3})
    daemon.fail("sync", "corp", 1000, "nobody answers")
    assert daemon.status() == (
        "0/1 directories synced; 1/1 folders read; 3 files; 57 records; 3 calls; failing: sync corp"
    )


def test_ready_when_every_unit_has_succeeded() -> None:
    daemon = state()
    daemon.succeed("sync", "corp", 1000, {})
    assert daemon.readiness(1000)[0] is False
    daemon.succeed("ingest", "hq", 1000, {})
    ready, report = daemon.readiness(1010)
    assert ready is True
    assert report["ingest hq"] == {"age": 10, "late": False, "failures": 0}


def test_late_after_two_missed_runs_and_a_minute() -> None:
    daemon = state()
    daemon.succeed("sync", "corp", 10_000, {})
    daemon.succeed("ingest", "hq", 10_000, {})
    assert daemon.readiness(10_120)[0] is True
    ready, report = daemon.readiness(10_121)
    assert ready is False
    assert report["ingest hq"]["late"] is True
    assert report["sync corp"]["late"] is False


def test_a_failure_is_late_only_when_its_time_has_passed() -> None:
    daemon = state()
    for unit in ("sync", "corp"), ("ingest", "hq"):
        daemon.succeed(*unit, 10_000, {})
    daemon.fail("sync", "corp", 10_010, "nobody answers uid=secret")
    ready, report = daemon.readiness(10_020)
    assert ready is True
    assert report["sync corp"]["failures"] == 1
    assert "secret" not in str(report)


def test_a_nightly_unit_is_not_late_in_the_morning() -> None:
    unit = UnitState("sync", "corp", parse_schedule("0 3 * * *"), succeeded_at=1_767_232_800)
    assert not unit.late(1_767_232_800 + 86_400, ROME)
    assert unit.late(1_767_232_800 + 2 * 86_400 + 120, ROME)


def test_reload_keeps_the_past_of_units_that_stay() -> None:
    daemon = state()
    daemon.succeed("sync", "corp", 1000, {"files": 1})
    daemon.replace(
        [UnitState("sync", "corp", Every(60)), UnitState("ingest", "branch", Every(30))], ROME
    )
    _, report = daemon.readiness(1060)
    assert report["sync corp"]["age"] == 60
    assert set(report) == {"sync corp", "ingest branch"}
    assert report["ingest branch"]["age"] is None
    # A unit that has gone may still end; nothing is counted against the new ones.
    daemon.fail("ingest", "hq", 1061, "late")
    assert "failing" not in daemon.status()


def test_nothing_has_succeeded_after_a_clock_that_was_set_back() -> None:
    """It would be in time for years."""
    daemon = state()
    daemon.succeed("sync", "corp", 1_000_000, {})
    daemon.not_after(1000)
    _, report = daemon.readiness(100_000)
    assert report["sync corp"] == {"age": 99_000, "late": True, "failures": 0}


def test_stuck_only_without_a_sign_of_life() -> None:
    daemon = state()
    daemon.begin("sync", "corp", 100.0)
    assert daemon.running() == ["sync corp"]
    assert daemon.stuck(100.0 + STUCK_SECONDS) == []
    assert daemon.stuck(101.0 + STUCK_SECONDS) == ["sync corp"]
    daemon.begin("sync", "corp", 101.0)
    assert daemon.stuck(101.0 + STUCK_SECONDS) == []
    daemon.succeed("sync", "corp", 1000, {})
    assert daemon.stuck(1e9) == []


def test_asking_whether_to_stop_is_a_sign_of_life() -> None:
    daemon = state()
    stop = threading.Event()
    signal = WorkSignal(daemon, "ingest", "hq", stop)
    assert not signal.is_set()
    assert daemon.running() == ["ingest hq"]
    stop.set()
    assert signal.is_set()


def test_a_directory_may_take_what_its_servers_may_take() -> None:
    daemon = DaemonState(ROME)
    daemon.replace([UnitState("sync", "corp", Every(900), patience=2000.0)], ROME)
    daemon.begin("sync", "corp", 100.0)
    assert daemon.stuck(2100.0) == []
    assert daemon.stuck(2100.5) == ["sync corp"]
