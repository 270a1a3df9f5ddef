"""The demonstration: a simulated company, the real daemon, and what comes out.

Nothing is acted: the daemon is ``syncd run`` as a process, and every figure and table comes from
the verb that is named with it.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from syncd.demo import views
from syncd.demo.company import write_ldif
from syncd.demo.daemon_process import DaemonProcess, Event, Verbs
from syncd.demo.screen import Screen
from syncd.demo.stage import LAST_FILES, Stage, Traffic, place, utc_today
from syncd.domain.errors import UserError

FILE_EVENTS = ("file_ingested", "file_failed", "file_set_aside", "file_ignored")


def demonstrate(keep: Path | None = None) -> None:
    """Play the demonstration and print it; ``keep`` is the directory that is left behind.

    Raises UserError when that directory is not empty, DemonstrationFailed with the end of the
    daemon's log when something goes wrong. Whatever happens the daemon is stopped and, without
    ``keep``, the directory removed.
    """
    began = time.monotonic()
    screen = Screen()
    with _ended_by_signals(), place(keep) as directory:
        screen.title(f"syncd demo: a simulated company and the real daemon, in {directory}")
        stage = Stage.build(directory, utc_today())
        verbs = Verbs(stage.files.ini)
        try:
            _run_daemon(stage, verbs, screen)
        except UserError as error:
            if keep is not None:
                error.message += f"\nThe rest of it is in {stage.log}"
            raise
        stage.strike()
        views.show(stage, verbs, screen)
        views.show_next(stage, verbs, screen, kept=keep is not None)
    screen.line(f"\nDone in {time.monotonic() - began:.0f} seconds.")


def _run_daemon(stage: Stage, verbs: Verbs, screen: Screen) -> None:
    """Play the daemon's part: start, first files, a change in the directory, last files, stop."""
    company = stage.cast.company
    traffic = stage.simulate()
    screen.step(
        f"{len(company.people)} people in an LDIF file, a rate deck and a syncd.ini were written"
    )
    screen.step(
        f"{traffic.conversations:,} conversations since {stage.period.first} were simulated:"
        f" {traffic.records:,} rows of calls and quality in {len(traffic.waiting)} files"
    )
    with DaemonProcess(stage.files.ini, stage.log) as daemon:
        daemon.wait(
            "the daemon to be ready", lambda: bool(_syncs(daemon, "arrived")) and daemon.ready()
        )
        [started] = daemon.named("daemon_started")
        [synced] = _syncs(daemon, "arrived")
        screen.step(
            f"syncd run started in {started['seconds']:.1f} s and read {synced['entries']} people"
            " from the directory"
        )
        first = _deliver(stage, traffic, len(traffic.waiting) - LAST_FILES, daemon, screen)
        screen.step(f"it took the first {first} files")
        _change_directory(stage, verbs, daemon, screen)
        last = _deliver(stage, traffic, LAST_FILES, daemon, screen)
        screen.step(f"it took {last} more files")
        daemon.wait(
            "the sums of all days",
            lambda: not verbs.json("db", "status")["dirty_days"],
        )
        daemon.stop()
        stopped = daemon.named("daemon_stopped")[-1]
        screen.step(f"it made the sums, and stopped on SIGTERM after {stopped['seconds']:.0f} s")


def _deliver(
    stage: Stage, traffic: Traffic, count: int, daemon: DaemonProcess, screen: Screen
) -> int:
    """Drop the next files and wait until all of them are taken. Returns how many there were."""
    before = len(daemon.named(*FILE_EVENTS))
    moved = stage.deliver(traffic, count)

    def taken() -> int:
        return len(daemon.named(*FILE_EVENTS)) - before

    with screen.progress("CDR files", len(moved)) as progress:

        def all_taken() -> bool:
            progress(taken())
            return taken() >= len(moved)

        daemon.wait("the files to be taken", all_taken)
    return len(moved)


def _change_directory(stage: Stage, verbs: Verbs, daemon: DaemonProcess, screen: Screen) -> None:
    """Let somebody leave and somebody move, look at it dry, and wait for the daemon's sync."""
    company = stage.cast.company
    write_ldif(stage.files.ldif, company, version=2)
    screen.step(
        f"in the directory {company.leaver.display_name} leaves and"
        f" {company.mover.display_name} moves; before anything is done:"
    )
    screen.command("syncd sync --dry-run")
    verbs.show("sync", "--dry-run")
    daemon.reload()
    daemon.wait("the sync", lambda: bool(_syncs(daemon, "departed")))
    screen.step("the daemon was told to look again (SIGHUP), and has done the same")


def _syncs(daemon: DaemonProcess, what: str) -> list[Event]:
    """Return the syncs so far in which somebody ``arrived`` or ``departed``."""
    return [event for event in daemon.named("sync_finished") if event[what]]


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demonstration as an interrupt does: with everything tidied.

    Signals that are ignored stay ignored.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
