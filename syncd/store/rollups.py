"""Rollups: sums over call rows by local day and month, rebuilt for days that were touched.

Whoever writes, moves or removes call rows marks their local days dirty in the same transaction
(``mark_dirty``). A day's sums count only while the day is rolled and not dirty, so whoever reads
them gets what the rows would give. The tables by month are built for months that are over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.codes import Outcome, State
from syncd.domain.days import QUARTER, Days, days_between, month_days, month_of, next_day
from syncd.domain.errors import ConfigurationError
from syncd.store.database import get_meta, set_meta, write_transaction
from syncd.store.models import DirtyDay, Period, RolledDay, RolledMonth, database

TIMEZONE = "timezone"
"""The key under which the database remembers the zone of its days."""

MEASURES = {
    "calls": "SUM(counted)",
    "answered": f"SUM(outcome = {int(Outcome.ANSWERED)})",
    "missed": f"SUM(outcome = {int(Outcome.MISSED)})",
    "unanswered": f"SUM(outcome = {int(Outcome.UNANSWERED)})",
    "ring_seconds": "SUM(ring_seconds)",
    "duration": "SUM(duration)",
    "billed_seconds": "SUM(billed_seconds)",
    "cost": "SUM(COALESCE(cost, 0))",
    "unrated": f"SUM(state = {int(State.UNRATED)})",
    "rows": "COUNT(*)",
}
"""Every measure as SQL over call rows; cost in micros, unrated rows add nothing to it."""

_TRAFFIC = ("org_id", "direction", "class", "carrier_id", "trunk_id")
KEYS = {
    "rollup_day": _TRAFFIC,
    "rollup_month": _TRAFFIC,
    "rollup_destination": ("org_id", "destination_id", "class"),
    "rollup_line": ("line_id", "party_id", "profile_id", "org_id", "direction", "class"),
}
"""What each table sums by, beside the day or month."""

MONTH_TABLES = ("rollup_month", "rollup_destination", "rollup_line")

# The index on call begins with the org; naming every org makes a range of time a range of it.
ROWS_BETWEEN = "org_id IN (SELECT id FROM org) AND started_at >= ? AND started_at < ?"


def mark_dirty(days: Iterable[int]) -> None:
    """Mark local days (yyyymmdd) whose call rows change in this transaction."""
    rows = [(day,) for day in set(days)]
    if rows:
        DirtyDay.insert_many(rows, fields=[DirtyDay.day]).on_conflict_ignore().execute()


def zone_is(zone: ZoneInfo) -> bool:
    """Say whether the days of the rollups are those of this zone."""
    return get_meta(TIMEZONE) == str(zone)


def check_zone(zone: ZoneInfo) -> None:
    """Raise ConfigurationError when a month is closed and its days are those of another zone."""
    if Period.select().exists() and not zone_is(zone):
        raise ConfigurationError(
            f"the time zone was {get_meta(TIMEZONE)} when posting periods were closed, and cannot be"
            f" {zone} now",
            "their days would be others; [syncd] timezone stays as it was",
        )


def ensure_zone(zone: ZoneInfo) -> bool:
    """Remember the zone of days; when it is another one, forget all sums and mark every day that
    may have rows dirty. Returns whether it was another. Raises ConfigurationError when a month is
    closed: its days are what they were."""
    if zone_is(zone):
        return False
    check_zone(zone)
    with write_transaction():
        days = Days(zone)
        for table in ("rolled_day", "rolled_month", "dirty_day", *KEYS):
            _sql(f"DELETE FROM {table}")
        extent = rows_extent()
        if extent is not None:
            mark_dirty(days_between(days.day(extent[0]), next_day(days.day(extent[1]))))
        set_meta(TIMEZONE, str(zone))
    return True


def rows_extent() -> tuple[int, int] | None:
    """Return the start of the first and of the last call row (epoch seconds), None without rows."""
    # One step into the index for each org, where MIN over the whole table would read it all.
    first, last = _sql(
        "SELECT MIN((SELECT MIN(started_at) FROM call WHERE org_id = org.id)),"
        " MAX((SELECT MAX(started_at) FROM call WHERE org_id = org.id)) FROM org"
    )[0]
    return None if first is None else (first, last)


def rebuild(zone: ZoneInfo, now: int, limit: int = 31) -> int:
    """Rebuild up to ``limit`` dirty days, newest first, each in a transaction of its own, then the
    months that are over and have become clean. Returns the days and months that were rebuilt."""
    ensure_zone(zone)
    days = Days(zone)
    dirty = [row[0] for row in _sql("SELECT day FROM dirty_day ORDER BY day DESC LIMIT ?", limit)]
    for day in dirty:
        rebuild_day(day, days)
    months = [month for month in stale_months() if month < month_of(days.day(now))]
    for month in months[:limit]:
        rebuild_month(month, days)
    return len(dirty) + min(len(months), limit)


def rebuild_day(day: int, days: Days) -> None:
    """Build the sums of a local day from its rows and take its mark away."""
    keys = ", ".join(KEYS["rollup_day"])
    with write_transaction():
        _sql("DELETE FROM rollup_day WHERE day = ?", day)
        _sql(
            f"INSERT INTO rollup_day (day, {keys}, {', '.join(MEASURES)})"
            f" SELECT ?, {keys}, {', '.join(MEASURES.values())}"
            f" FROM call WHERE {ROWS_BETWEEN} GROUP BY {keys}",
            day,
            *days.bounds(day),
        )
        RolledDay.insert(day=day).on_conflict_ignore().execute()
        DirtyDay.delete().where(DirtyDay.day == day).execute()
        # The month holds this day's old rows.
        RolledMonth.delete().where(RolledMonth.month == month_of(day)).execute()


def stale_months() -> list[int]:
    """Return the months that have rolled days, no dirty day and no sums of their own, newest
    first."""
    return [
        row[0]
        for row in _sql(
            "SELECT day / 100 FROM rolled_day"
            " WHERE day / 100 NOT IN (SELECT month FROM rolled_month)"
            " AND day / 100 NOT IN (SELECT day / 100 FROM dirty_day)"
            " GROUP BY day / 100 ORDER BY 1 DESC"
        )
    ]


def rebuild_month(month: int, days: Days) -> bool:
    """Build the sums of a month. Returns False when one of its days became dirty meanwhile.

    The rows are read before the write lock is taken: a busy month takes longer than a writer should
    have to wait. What is written then is right only if no day was touched in between; callers hold
    the lock ``maintenance``, so that no day was touched and rebuilt in between either.
    """
    first, end = month_days(month)
    start, stop = days.start(first), days.start(end)
    built = {table: read_month(table, month, start, stop) for table in MONTH_TABLES[1:]}
    with write_transaction():
        if _sql("SELECT 1 FROM dirty_day WHERE day >= ? AND day < ? LIMIT 1", first, end):
            return False
        keys = ", ".join(KEYS["rollup_month"])
        built["rollup_month"] = _sql(
            f"SELECT ?, {keys}, {', '.join(f'SUM({name})' for name in MEASURES)}"
            f" FROM rollup_day WHERE day >= ? AND day < ? GROUP BY {keys}",
            month,
            first,
            end,
        )
        for table, rows in built.items():
            _sql(f"DELETE FROM {table} WHERE month = ?", month)
            if rows:
                places = ", ".join("?" * len(rows[0]))
                names = ", ".join(("month", *KEYS[table], *MEASURES))
                database.connection().executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({places})", rows
                )
        RolledMonth.insert(month=month).on_conflict_ignore().execute()
    return True


def read_month(table: str, month: int, start: int, end: int) -> Sequence[tuple[Any, ...]]:
    """Return what a table by month should hold for a month, summed from its rows."""
    keys = ", ".join(KEYS[table])
    return _sql(
        f"SELECT ?, {keys}, {', '.join(MEASURES.values())}"
        f" FROM call WHERE {ROWS_BETWEEN} GROUP BY {keys} ORDER BY {keys}",
        month,
        start,
        end,
    )


def read_day(day: int, days: Days) -> Sequence[tuple[Any, ...]]:
    """Return what the table by day should hold for a day, summed from its rows."""
    keys = ", ".join(KEYS["rollup_day"])
    return _sql(
        f"SELECT ?, {keys}, {', '.join(MEASURES.values())}"
        f" FROM call WHERE {ROWS_BETWEEN} GROUP BY {keys} ORDER BY {keys}",
        day,
        *days.bounds(day),
    )


def clean_days() -> set[int]:
    """Return the days whose sums equal their rows."""
    return {
        row[0]
        for row in _sql("SELECT day FROM rolled_day WHERE day NOT IN (SELECT day FROM dirty_day)")
    }


def clean_months() -> set[int]:
    """Return the months whose sums equal their rows."""
    return {
        row[0]
        for row in _sql(
            "SELECT month FROM rolled_month WHERE month NOT IN (SELECT day / 100 FROM dirty_day)"
        )
    }


def days_with_rows(days: Days) -> dict[int, int]:
    """Return the number of call rows by local day."""
    counted: dict[int, int] = {}
    for quarter, rows in _sql(f"SELECT started_at / {QUARTER}, COUNT(*) FROM call GROUP BY 1"):
        day = days.moment(quarter).day
        counted[day] = counted.get(day, 0) + rows
    return counted


def _sql(statement: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
    """Run a statement with bound parameters. Returns its rows."""
    rows: Sequence[tuple[Any, ...]] = database.execute_sql(statement, parameters).fetchall()
    return rows
