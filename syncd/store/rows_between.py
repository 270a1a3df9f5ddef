"""Which call rows began between two moments, as a condition that a database answers fast."""

from __future__ import annotations

from syncd.store.dialect import is_postgresql, rows_of

BETWEEN = "org_id IN (SELECT id FROM org) AND started_at >= ? AND started_at < ?"
"""The index on call begins with the org; naming every org makes a range of time a range of it."""

SIDES = 8
"""A call row's id is its record's times this, and the side."""
_SPARSE = 2
"""How many ids there may be for each row of a time for them to lie together."""


def ids_between(start: int, stop: int) -> tuple[int, int] | None:
    """Return the first and the last id of the rows between two moments (epoch seconds, exclusive)
    where these rows lie together in SQLite's file, None else. To read that stretch takes half of
    what it takes to look each of them up by an index; rows of other times may be in it."""
    if is_postgresql():
        return None
    ((first, last, rows),) = rows_of(
        f"SELECT MIN(id), MAX(id), COUNT(*) FROM call WHERE {BETWEEN}", start, stop
    )
    if not rows or (last - first) // SIDES > _SPARSE * rows:
        return None
    return first, last


def rows_between(start: int, stop: int) -> tuple[str, tuple[int, ...]]:
    """Return the condition on the rows between two moments (epoch seconds, exclusive), with its
    parameters."""
    ids = ids_between(start, stop)
    if ids is None:
        return BETWEEN, (start, stop)
    return "id >= ? AND id <= ? AND started_at >= ? AND started_at < ?", (*ids, start, stop)
