"""Kill −9 at every system call on files that intake makes: the next start gives what an undisturbed
run gives, nothing lost and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import mixed
from tests.support.sweep import SECONDS, VERIFIED, Failures, Worker, chosen, differences

PARTS = 2
"""Which run side by side."""
USUAL = 200
"""Points of an ordinary run, in all parts."""


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_intake_killed_anywhere(server: Callable[[str], str], scratch: Path, part: int) -> None:
    server("strace")
    with Worker(scratch) as worker:
        mixed.prepare(worker)
        tasks = ("ingest", "ingest by daemon")
        points = [(task, point) for task in tasks for point in worker.points(task)]
        worker.put_back()
        _, wanted = worker.result("ingest by daemon")
        assert wanted["verify"] == []
        assert [row for row in wanted["drop"] if row.startswith("hq/")] == []
        assert len(points) > 2000
        failures = Failures()
        for number, (task, point) in enumerate(chosen(points, USUAL, part, PARTS)):
            worker.put_back()
            done = worker.do(task, point, "signal=KILL")
            with failures.noted(f"{task} killed at {point}, {done}"):
                _, found = worker.result("ingest by daemon", verify=number % VERIFIED == 0)
                assert not (wrong := differences(found, wanted)), wrong
        failures.raise_any()
