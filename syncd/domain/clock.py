"""Time comes in by the door: rules never read a clock."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

BEGINNING = 0
"""Epoch seconds of "the beginning of time": what a first complete sync finds holds from here."""

FOREVER = 2**62
"""Epoch seconds of "not ended"."""


class Clock(Protocol):
    """Gives the time as whole epoch seconds (UTC)."""

    def __call__(self) -> int: ...


def iso(epoch: int, zone: ZoneInfo) -> str:
    """Return epoch seconds (UTC) as ISO 8601 with the zone's offset."""
    return datetime.fromtimestamp(epoch, zone).isoformat()
