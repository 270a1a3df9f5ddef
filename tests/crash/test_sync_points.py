"""Kill −9 and faults at every system call of a sync: the directory's tables are as they were or as
they are to be, nothing between, and the next sync gives what an undisturbed one gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.slapd import SYNCPROV, Slapd
from tests.support import changing
from tests.support.sweep import (
    NETWORK,
    SECONDS,
    Failures,
    Worker,
    chosen,
    complaints,
    differences,
    disturbances,
    tracebacks,
)

USUAL = 30
"""Points of an ordinary run, for each kind of directory."""
TASKS = ("sync", "sync by daemon")
TABLES = (
    *("party", "assignment", "profile", "party_lock", "hunt_group", "hunt_member"),
    *("source_state", "source_cookie", "sync_change"),
)
"""What a sync changes in one transaction."""


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("kind", ["csv", "ldif", "ldap"])
def test_sync_disturbed_anywhere(
    server: Callable[[str], str], scratch: Path, tmp_path: Path, kind: str
) -> None:
    server("strace")
    slapd = Slapd(server, tmp_path, SYNCPROV) if kind == "ldap" else None
    try:
        with Worker(scratch) as worker:
            changing.prepare(worker, kind, slapd)
            sweep(worker)
    finally:
        if slapd is not None:
            slapd.stop()


def sweep(worker: Worker) -> None:
    worker.put_back()
    before = worker.result()[1]
    done, after = worker.result("sync by daemon")
    assert after["verify"] == []
    assert differences(after, before), done.said
    possible = [
        (task, point, disturbance)
        for task in TASKS
        for point in worker.points(task, network=True)
        for disturbance in ("signal=KILL", *disturbances(point))
    ]
    assert len(possible) > 1000
    failures = Failures()
    for task, point, disturbance in chosen(possible, USUAL, 0, 1):
        worker.put_back()
        done = worker.do(task, point, disturbance)
        if point.call not in NETWORK and not worker.hit(done):
            continue
        with failures.noted(f"{task}, {disturbance} at {point}, {done}"):
            _, found = worker.result(verify=False)
            was = [
                name
                for name, state in (("before", before), ("after", after))
                if all(found[table] == state[table] for table in TABLES)
            ]
            assert was, ("between", differences(found, after))
            if disturbance != "signal=KILL":
                said = complaints(done.said)
                assert done.code in (0, 1, 4, 75, 78)
                assert not (inside := tracebacks(said)), inside
                assert len(said) <= 1 or task == "sync", said
                assert said or was == ["after"], "nothing was said"
            _, found = worker.result("sync by daemon")
            assert not (wrong := differences(found, after)), wrong
    failures.raise_any()
