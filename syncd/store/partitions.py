"""Months of records and calls on PostgreSQL: made when the first row comes, taken off when old.

A partition holds a month by UTC. What began before ``FIRST_YEAR``, which no phone system meant, is
in one of its own. On SQLite there are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from syncd.store.advisory import transaction_lock
from syncd.store.dialect import is_postgresql, rows_of
from syncd.store.tables import database as proxy

TABLES = ("record", "call", "call_withheld")
FIRST_YEAR = 2000
EARLY = "early"
"""The name of what began before."""
_LOCK = "partitions"


class Partition(NamedTuple):
    """A month of a table. ``rows`` is an estimate of the server's, -1 where it has none."""

    table: str
    month: str
    """``yyyymm``, or ``early``."""
    rows: int
    bytes: int


def month_name(start: int) -> str:
    """Return the month of a start (epoch seconds) as partitions have it."""
    began = datetime.fromtimestamp(max(start, 0), UTC)
    return EARLY if began.year < FIRST_YEAR else f"{began.year:04}{began.month:02}"


def month_bounds(month: str) -> tuple[int | None, int]:
    """Return where a month begins, None for the early ones, and where the next does (epoch
    seconds)."""
    if month == EARLY:
        return None, int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    year, number = int(month[:4]), int(month[4:])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    first = datetime(year, number, 1, tzinfo=UTC)
    return int(first.timestamp()), int(datetime(*following, 1, tzinfo=UTC).timestamp())


def make_room(table: str, starts: Iterable[int]) -> None:
    """Make the months of a table that rows of these starts (epoch seconds) need, within the
    transaction that is going to insert them."""
    if not is_postgresql():
        return
    # A quarter of a day is within one month, and there are few of them.
    wanted = {month_name(quarter * 21_600) for quarter in {start // 21_600 for start in starts}}
    if not wanted or wanted <= months_of(table):
        return
    transaction_lock(proxy.obj, _LOCK)
    # Somebody else may have made them while this one waited.
    for month in sorted(wanted - months_of(table)):
        first, end = month_bounds(month)
        lower = "MINVALUE" if first is None else str(first)
        name = f"{table}_{month}"
        # Made apart and attached: neither readers nor writers of the table have to wait for that.
        _run(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING DEFAULTS)')
        _run(
            f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES FROM ({lower}) TO ({end})'
        )


def partitions() -> list[Partition]:
    """Return the months that there are, the oldest first."""
    found = rows_of(
        "SELECT parent.relname, child.relname, CAST(child.reltuples AS bigint),"
        " pg_total_relation_size(child.oid)"
        " FROM pg_inherits JOIN pg_class AS parent ON parent.oid = inhparent"
        " JOIN pg_class AS child ON child.oid = inhrelid"
        " WHERE child.relkind = 'r' AND pg_table_is_visible(child.oid)"
    )
    listed = [
        Partition(table, name.removeprefix(f"{table}_"), max(rows, -1), size)
        for table, name, rows, size in found
        if table in TABLES
    ]
    return sorted(listed, key=lambda one: (one.month != EARLY, one.month, one.table))


def months_of(table: str) -> set[str]:
    """Return the months that a table has."""
    found = rows_of(
        "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
        " WHERE inhparent = CAST(? AS regclass)",
        f'"{table}"',
    )
    return {name.removeprefix(f"{table}_") for (name,) in found}


def _run(statement: str) -> None:
    proxy.obj.execute_sql(statement)
