"""Runs that outlive the process that began them: entered in the transaction that makes them
necessary, worked off in short ones, found again by their kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from syncd.store.models import MaintenanceRun

RUNNING, DONE = "running", "done"


def enter_run(kind: str, arguments: Mapping[str, Any], now: int) -> int:
    """Enter a run at a time (epoch seconds), in the transaction that is open. Returns its id."""
    run = MaintenanceRun.create(
        kind=kind, started_at=now, state=RUNNING, arguments=json.dumps(arguments)
    )
    return int(run.id)


def unfinished_runs(kind: str) -> list[int]:
    """Return the ids of the runs of a kind that were interrupted, the oldest first."""
    query = MaintenanceRun.select(MaintenanceRun.id).where(
        (MaintenanceRun.kind == kind) & (MaintenanceRun.state == RUNNING)
    )
    return [row.id for row in query.order_by(MaintenanceRun.id)]
