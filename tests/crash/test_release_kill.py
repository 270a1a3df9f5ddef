"""Kill −9 while calls are released: whoever comes next goes on, and nothing is lost or doubled."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd.calls import release
from syncd.calls.release import release_calls, work_off
from syncd.cdr import ledger
from syncd.licensing.claims import Terms
from syncd.store import withheld
from syncd.store.database import open_database
from syncd.store.maintenance import verify
from syncd.store.maintenance_runs import RUNNING
from syncd.store.models import CallWithheld, DirtyDay, MaintenanceRun, database
from tests.support.bed import ROME, Bed, make_bed
from tests.support.phones import leg

LINES = ("2001", "2002", "2003")
CALLS = 5
"""Of each line: several chunks, one of which ends within a line."""
CHUNK = 4
STEPS: tuple[tuple[Any, str], ...] = (
    (withheld, "release"),
    (release, "mark_dirty"),
    (ledger, "add"),
    (MaintenanceRun, "save"),
)


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    """Three people without a slot, whose calls are withheld."""
    monkeypatch.setattr(release, "ROWS_AT_ONCE", CHUNK)
    base = tmp_path / "full"
    base.mkdir()
    bed = make_bed(base, slots=0)
    for number in LINES:
        bed.person(f"p{number}", number)
    at = [(number, call) for number in LINES for call in range(CALLS)]
    bed.ingest(
        *(
            leg(n, 2 * n, 2 * n + 1, number, "0612345678", at=call * 86_400)
            for n, (number, call) in enumerate(at, 1)
        )
    )
    DirtyDay.delete().execute()
    assert CallWithheld.select().count() == len(at)
    database.close()
    return bed


def opened(bed: Bed, root: Path, name: str) -> None:
    shutil.copytree(bed.folder.parent / "state", root / name)
    open_database("sqlite:///test.db", root / name)


def killed(work: Callable[[], Any], where: Any, step: str, nth: int) -> bool:
    """Do work in a process that dies just before a step, the nth time. Returns whether it died."""
    child = os.fork()
    if not child:
        real, times = getattr(where, step), iter(range(1, 1000))

        def dying(*given: Any, **named: Any) -> Any:
            if next(times) == nth:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)

        setattr(where, step, dying)
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def stored(bed: Bed) -> tuple[Any, ...]:
    return bed.calls(), bed.ledger(), sorted(day.day for day in DirtyDay.select())


@pytest.mark.parametrize(("where", "step"), STEPS, ids=[step for _, step in STEPS])
def test_release_goes_on_where_it_was_killed(
    full: Bed, tmp_path: Path, where: Any, step: str
) -> None:
    opened(full, tmp_path, "undisturbed")
    terms = Terms(None, acquisition=False)
    assert release_calls(terms, ROME, full.now) == len(LINES) * CALLS
    wanted = stored(full)
    database.close()
    deaths, nth = 0, 1
    while True:
        opened(full, tmp_path, str(nth))
        database.close()

        def work() -> None:
            database.connect()
            release_calls(terms, ROME, full.now)

        died = killed(work, where, step, nth)
        database.connect()
        if not died:
            break
        deaths += 1
        left = CallWithheld.select().count()
        runs = [run.state for run in MaintenanceRun.select()]
        if runs:
            # The licence has been settled: the next unit of work finds the run, not a change.
            assert runs == [RUNNING]
            assert work_off(ROME, full.now) == left
        else:
            assert release_calls(terms, ROME, full.now) == left == len(LINES) * CALLS
        assert stored(full) == wanted
        assert CallWithheld.select().count() == 0
        assert verify(ROME) == []
        database.close()
        nth += 1
    assert stored(full) == wanted
    assert deaths >= len(LINES) * CALLS // CHUNK
    database.close()
