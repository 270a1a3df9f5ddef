"""How much there is: counts over whole tables, for who looks after the installation."""

from __future__ import annotations

from peewee import fn

from syncd.store.models import Call, File, Party, Record, RollupDay


def row_counts() -> dict[str, int]:
    """Return how many rows the large tables have, by what people call them."""
    return {
        "parties": Party.select().count(),
        "files": File.select().count(),
        "records": Record.select().count(),
        "calls": Call.select().count(),
    }


def unrated_rows() -> int:
    """Return how many calls have no price, as of the last roll-up of every day."""
    return int(RollupDay.select(fn.SUM(RollupDay.unrated)).scalar() or 0)
