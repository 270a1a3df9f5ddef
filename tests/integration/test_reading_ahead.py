"""A backlog that a process of its own reads gives what the writer alone makes of it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from syncd.calls import intake, reading_ahead
from syncd.calls.reading_process import LostProcessError, ReadingProcess, equipment, rows_of
from syncd.cdr.drivers.cucm import cucm
from tests.support.dump import Dump
from tests.support.simulated import Simulation, simulation

Taken = list[int]
"""How many files the process read, and how many the writer."""


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """Any backlog is worth a process; what reads how much is counted."""
    monkeypatch.setattr(intake, "BACKLOG_BYTES", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    counted = [0, 0]
    real = reading_ahead.read_ahead

    def counting(files: Any, process: Any, content: Any, take_over: Any, read_here: Any) -> Any:
        def over(file: Any, read: Any) -> None:
            counted[0] += 1
            take_over(file, read)

        def here(file: Any) -> bool:
            counted[1] += 1
            answer: bool = read_here(file)
            return answer

        return real(files, process, content, over, here)

    monkeypatch.setattr(intake, "read_ahead", counting)
    return counted


def company(root: Path, *, acquisition: bool = True) -> Simulation:
    made = simulation(
        root, driver="cucm-partition", calls=700, seed=11, acquisition=acquisition, rows_per_file=60
    )
    made.application.clock = lambda: 1_790_000_000  # type: ignore[method-assign]
    drop = root / "drop" / "hq"
    files = sorted(drop.iterdir())
    # What is no CDR file, what has bad rows, and what comes twice.
    (drop / "cdr_StandAloneCluster_01_209901010000_1").write_text("Dear sir,\n")
    damaged = files[3].read_text().splitlines()
    damaged[5] = damaged[5][:40]
    damaged.append('"never closed')
    files[3].write_text("\n".join(damaged))
    shutil.copy(files[2], drop / (files[2].name + "9"))
    return made


def everything(simulated: Simulation) -> dict[str, list[str]]:
    simulated.application.close()
    dump = Dump(simulated.root / "state" / "syncd.db")
    try:
        return dump.read()
    finally:
        dump.close()


def run(simulated: Simulation) -> None:
    assert all(unit.error is None for unit in simulated.application.sync())
    assert all(unit.error is None for unit in simulated.application.ingest(settle=False))


def test_the_same_rows_as_without_it(
    tmp_path: Path, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ReadingProcess.read

    def patient(self: ReadingProcess, data: bytes, name: str) -> Any:
        answer = real(self, data, name)
        wait([answer])
        return answer

    monkeypatch.setattr(ReadingProcess, "read", patient)
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    ahead = company(tmp_path / "with")
    run(ahead)
    assert taken == [18, 1]  # one is no CDR file
    intake.BACKLOG_BYTES = 1 << 60
    alone = company(tmp_path / "without")
    run(alone)
    with_it, without = everything(ahead), everything(alone)
    assert len(with_it["call"]) > 700
    for table, rows in without.items():
        if table not in ("file", "access_log", "meta"):  # they name folders and moments
            assert with_it[table] == rows, table


def test_a_process_that_dies_loses_nothing(
    tmp_path: Path, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ReadingProcess.read
    asked = []

    def dying(self: ReadingProcess, data: bytes, name: str) -> Any:
        asked.append(name)
        if len(asked) == 3:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
        return real(self, data, name)

    monkeypatch.setattr(ReadingProcess, "read", dying)
    simulated = company(tmp_path)
    with capture_logs() as events:
        run(simulated)
    assert [event["event"] for event in events].count("reading_process_lost") == 1
    assert taken[1] > 0
    intake.BACKLOG_BYTES = 1 << 60
    (tmp_path / "without").mkdir()
    alone = company(tmp_path / "without")
    run(alone)
    assert everything(simulated)["call"] == everything(alone)["call"]


def test_what_cannot_be_handed_over_is_read_by_the_writer(
    tmp_path: Path, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "equipment", lambda *given: None)
    simulated = company(tmp_path)
    run(simulated)
    assert taken == [0, 0]
    assert len(everything(simulated)["call"]) > 700


def test_a_file_that_the_driver_refuses_is_told_by_the_writer() -> None:
    rules: Any = SimpleNamespace(site="hq", zone=None, numbering=SimpleNamespace(incoming=None))
    given = equipment(cucm, rules, {})
    assert given is not None
    with ReadingProcess(given) as process:
        answer = process.read(b"Dear sir,\n", "cdr_a").result()
        with pytest.raises(LostProcessError):
            rows_of(answer)
        assert process.alive
    assert not process.alive


@pytest.mark.parametrize("order", [range(9), range(8, -1, -1)])
def test_files_keep_their_order(order: Any) -> None:
    """Whoever reads them, and whichever are of no use."""

    class Future:
        def __init__(self, number: int) -> None:
            self.number = number
            self.cancelled = False

        def done(self) -> bool:
            return self.number % 3 == 0

        def cancel(self) -> bool:
            self.cancelled = self.number % 3 == 1
            return self.cancelled

        def result(self) -> bytes:
            raise LostProcessError

    class Process:
        alive = True

        def read(self, data: bytes, name: str) -> Any:
            return Future(int(name))

    kept: Callable[[int], bool] = lambda file: file != 4  # noqa: E731
    process: Any = Process()
    found = reading_ahead.read_ahead(
        iter(order),
        process,
        lambda file: None if file == 5 else (b"x", str(file)),
        lambda file, read: None,
        kept,
    )
    assert list(found) == [file for file in order if file != 4]
