"""Finishing what was interrupted, for every kind of run that outlives its process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncd.application.composition import MAINTENANCE, Application, Stop

Unfinished = Callable[[], Sequence[int]]
"""Returns the ids of the runs of a kind that were interrupted."""
WorkOff = Callable[[int], object]


def finish(unfinished: Unfinished, work_off: WorkOff) -> int:
    """Work off what was interrupted, by who holds the lock of maintenance. Returns how many runs
    there were."""
    runs = unfinished()
    for run_id in runs:
        work_off(run_id)
    return len(runs)


def resume(application: Application, stop: Stop, unfinished: Unfinished, work_off: WorkOff) -> int:
    """Work off what was interrupted, if anything was. Returns how many runs there were."""
    with application.connected():
        if not unfinished():
            return 0
        with application.locked(MAINTENANCE, stop):
            return finish(unfinished, work_off)
