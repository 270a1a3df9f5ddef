"""Settles the licence and releases withheld calls: in chunks, under a run that can go on.

Every unit of work begins and ends with it. A settlement enters a run for the lines that hold a slot
since; whoever comes next works it off, also after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from syncd.cdr import ledger
from syncd.domain.days import Days
from syncd.licensing import settlement
from syncd.licensing.claims import Terms
from syncd.store import withheld
from syncd.store.database import write_transaction
from syncd.store.maintenance_runs import DONE, unfinished_runs
from syncd.store.models import MaintenanceRun
from syncd.store.rollups import mark_dirty
from syncd.store.withheld import Released

ROWS_AT_ONCE = 5000


def release_calls(
    terms: Terms, zone: ZoneInfo, now: int, stop: Callable[[], bool] = lambda: False
) -> int:
    """Settle the licence as of now (epoch seconds) and release the calls of lines that hold a slot
    again. Returns how many call rows were released. Must run outside of transactions."""
    if not settlement.is_settled(terms):
        with write_transaction():
            settlement.settle(terms, now)
    return work_off(zone, now, stop)


def work_off(zone: ZoneInfo, now: int, stop: Callable[[], bool] = lambda: False) -> int:
    """Release what settlements found due; no transaction lasts long. Returns how many call rows were
    released."""
    released = 0
    days = Days(zone)
    while _unfinished() is not None and not stop():
        released += _chunk(days, now)
    return released


def _unfinished() -> MaintenanceRun | None:
    runs = unfinished_runs(settlement.RELEASE)
    return MaintenanceRun.get_by_id(runs[0]) if runs else None


def _chunk(days: Days, now: int) -> int:
    """Release the next rows of the oldest run, and remember up to where it is done."""
    released: list[Released] = []
    with write_transaction():
        # Another process may have gone on with it since.
        run = _unfinished()
        if run is None:
            return 0
        due = settlement.to_release(run.arguments)
        place = int(run.position or 0)
        while place < len(due.lines) and len(released) < ROWS_AT_ONCE:
            limit = ROWS_AT_ONCE - len(released)
            moved = withheld.release(*due.lines[place], due.last_record, limit, at=now, run=run.id)
            released += moved
            if len(moved) < limit:
                place += 1
        run.position = str(place)
        if place == len(due.lines):
            run.state, run.ended_at = DONE, now
        run.save()
        if released:
            mark_dirty({days.day(one.started_at) for one in released})
            files = ledger.files_of(one.record for one in released)
            ledger.add({file: ledger.Counters(calls=calls) for file, calls in files.items()})
    return len(released)
