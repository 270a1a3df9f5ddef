"""A full disk, a failing one and a missing permission at every system call on files that intake
makes: a line says why, and the next start gives what an undisturbed run gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import mixed
from tests.support.sweep import (
    SECONDS,
    VERIFIED,
    Failures,
    Worker,
    chosen,
    complaints,
    differences,
    faults,
    tracebacks,
)

PARTS = 2
"""Which run side by side."""
USUAL = 200
"""Faults of an ordinary run, in all parts."""

TASKS = ("ingest", "ingest by daemon")
UNREAD = re.compile(r'"file": "([^"]+)", "reason": "cannot be read|: (\S+): failed: cannot be read')
"""How the daemon and the verb tell of a file that is left for the next time."""


class Undisturbed:
    """What undisturbed runs say and store."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.said: dict[str, list[str]] = {}
        self.stored: dict[str, dict[str, list[str]]] = {}
        for task in TASKS:
            worker.put_back()
            done, self.stored[task] = worker.result(task)
            self.said[task] = complaints(done.said)
        self._later: dict[str, dict[str, list[str]]] = {}

    def after(self, said: list[str]) -> list[dict[str, list[str]]]:
        """Return what may be stored after two runs, of which the first said this. A file that it
        could not read comes after those that it could: which of two files has the duplicates is a
        matter of their order."""
        possible = [self.stored["ingest by daemon"]]
        unread = next((found for line in said if (found := UNREAD.search(line))), None)
        if unread is None:
            return possible
        name = unread[1] or unread[2]
        if name not in self._later:
            worker = self._worker
            worker.put_back()
            path = next(worker.company.joinpath("drop").rglob(name))
            path.rename(worker.root / "apart")
            worker.do("ingest by daemon")
            (worker.root / "apart").rename(path)
            self._later[name] = worker.result("ingest by daemon")[1]
        return [*possible, self._later[name]]


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_intake_with_a_fault_anywhere(
    server: Callable[[str], str], scratch: Path, part: int
) -> None:
    server("strace")
    with Worker(scratch) as worker:
        mixed.prepare(worker)
        usual = Undisturbed(worker)
        possible = [
            (task, point, fault)
            for task in TASKS
            for point in worker.points(task)
            for fault in faults(point)
        ]
        assert len(possible) > 2000
        failures = Failures()
        for number, (task, point, fault) in enumerate(chosen(possible, USUAL, part, PARTS)):
            worker.put_back()
            done = worker.do(task, point, fault)
            if not worker.hit(done):
                continue
            with failures.noted(f"{task}, {fault} at {point}, {done}"):
                said = [line for line in complaints(done.said) if line not in usual.said[task]]
                assert done.code in (0, 1, 75, 78)
                assert not (inside := tracebacks(said)), inside
                # One line for each folder, file or job that could not do its work.
                assert len(said) == len(set(said)) <= len(TASKS) + 1, said
                if not said:
                    _, found = worker.result(verify=False)
                    assert not (wrong := differences(found, usual.stored[task])), ("silent", wrong)
                _, found = worker.result("ingest by daemon", verify=number % VERIFIED == 0)
                wrong = [differences(found, possible) for possible in usual.after(said)]
                assert not all(wrong), min(wrong, key=len)
        failures.raise_any()
