"""Kill −9 at every system call on files that a month run, the closing of a month and the files for the
ledger make: doing it again gives what an undisturbed one gives, nothing booked twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import mixed
from tests.support.sweep import SECONDS, Failures, Worker, chosen, differences

TASKS = ("month run", "month close", "charge back")
USUAL = 30
"""Points of an ordinary run."""
ATTEMPTS = ("access_log", "audit_entry", "maintenance_run")
"""Tables that tell of attempts: who begins again is noted again."""


def result(worker: Worker, task: str, *, verify: bool) -> dict[str, list[str]]:
    """Do a task, and return what is stored then, and the files for the ledger."""
    _, found = worker.result(task, verify=verify)
    for table in ATTEMPTS:
        del found[table]
    # The run before the one that counts is forgotten by the next; that none counts twice is verified.
    found["allowance_use"] = sorted(set(found["allowance_use"]))
    # What a killed process left unfinished does not have the name of a file for the ledger.
    found["drop"] = [row for row in found["drop"] if not row.startswith(".charge-back.")]
    return found


@pytest.mark.timeout(SECONDS)
def test_a_month_killed_anywhere(server: Callable[[str], str], scratch: Path) -> None:
    server("strace")
    with Worker(scratch) as worker:
        mixed.prepare_month(worker)
        wanted, points = {}, []
        for task in TASKS:
            found = worker.points(task)
            assert len(found) > 80, task
            points += [(task, point) for point in found]
            worker.put_back()
            before = result(worker, "", verify=False)
            worker.put_back()
            wanted[task] = result(worker, task, verify=True)
            assert wanted[task]["verify"] == []
            assert differences(wanted[task], before), task
        assert wanted["month run"]["allowance_use"] and wanted["month close"]["closed_sum"]
        failures = Failures()
        for task, point in chosen(points, USUAL, 0, 1):
            worker.put_back()
            done = worker.do(task, point, "signal=KILL")
            with failures.noted(f"{task} killed at {point}, {done}"):
                found = result(worker, task, verify=True)
                assert not (wrong := differences(found, wanted[task])), wrong
        failures.raise_any()
