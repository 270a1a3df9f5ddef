"""Marks the local days of call rows dirty."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from syncd.domain.days import Days
from syncd.store.rollups import mark_dirty


def mark_days(starts: Iterable[int], zone: ZoneInfo) -> None:
    """Mark the days of call rows that begin at these moments (epoch seconds)."""
    days = Days(zone)
    mark_dirty({days.day(start) for start in starts})
