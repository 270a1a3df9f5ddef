"""Settles the licence and releases calls: every unit of work begins or ends with it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from syncd.cdr import ledger
from syncd.domain.days import Days
from syncd.licensing import settlement
from syncd.licensing.settlement import Terms
from syncd.store.rollups import mark_dirty


def release_calls(terms: Terms, zone: ZoneInfo, now: int) -> int:
    """Settle the licence as of now (epoch seconds) and release the calls of lines that hold a slot
    again. Returns how many call rows were released. Must run inside a write transaction."""
    licence = settlement.settle(terms, now)
    released = settlement.release(licence, settlement.hunt_lines(), now)
    if released:
        days = Days(zone)
        mark_dirty({days.day(one.started_at) for one in released})
        files = ledger.files_of(one.record for one in released)
        ledger.add({file: ledger.Counters(calls=calls) for file, calls in files.items()})
    return len(released)
