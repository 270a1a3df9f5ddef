"""What was changed by hand stands in the same history as what a sync changed."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.directory.plan import LOCAL
from syncd.store.models import SyncChange, SyncRun

Change = tuple[int | None, str, str, str, str]
"""Party, what, field, old, new."""


def begin_run(command: str, now: int, changed: int = 1) -> int:
    """Enter a run by hand, of the source ``local``. Returns its id."""
    run = SyncRun.create(
        source=LOCAL,
        started_at=now,
        ended_at=now,
        outcome="applied",
        changed=changed,
        message=command,
    )
    return int(run.id)


def note(run_id: int, changes: Iterable[Change]) -> None:
    """Add changes to a run."""
    for party, what, field, old, new in changes:
        SyncChange.create(run=run_id, party=party, what=what, field=field, old=old, new=new)
