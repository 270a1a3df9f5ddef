"""Rollups: sums over call rows by local day and month, rebuilt for days that were touched.

Whoever writes, moves or removes call rows marks their local days dirty in the same transaction
(``mark_dirty``). A day's sums count only while the day is rolled and not dirty, so whoever reads
them gets what the rows would give. The tables by month are built for months that are over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.days import QUARTER, Days, days_between, month_days, month_of, next_day
from syncd.domain.errors import ConfigurationError
from syncd.store.database import get_meta, set_meta, write_transaction
from syncd.store.dialect import is_postgresql
from syncd.store.models import (
    DirtyDay,
    Period,
    RolledDay,
    RolledMonth,
    RolledOpen,
    RolledPart,
    SealedDay,
    database,
)
from syncd.store.partitions import EARLY, month_bounds, months_of
from syncd.store.rollup_tables import BY_DAY, BY_MONTH, FIELDS, KEYS, derive, from_rows, write

TIMEZONE = "timezone"
"""The key under which the database remembers the zone of its days."""

_EARLIEST, _LATEST = -(2**62), 2**62

SETTLED = 6 * 3600
"""Seconds after its end from which a day is summed with its month, though that is not over: files
that come a few hours late touch none of what is summed. Until then it stands beside its month."""

_FIELD_SUMS = "field_sums"
"""The key under which stands whether the sums by fields of people are those of the profiles."""
_BEGUN, _COMPLETE = "begun", "complete"

_BUILT = ("rolled_day", "rolled_month", "rolled_part", "rolled_open")


def mark_dirty(days: Iterable[int]) -> None:
    """Mark local days (yyyymmdd) whose call rows change in this transaction."""
    # In one order: writers beside each other then wait, where they would block each other.
    rows = [(day,) for day in sorted(set(days))]
    if rows:
        DirtyDay.insert_many(rows, fields=[DirtyDay.day]).on_conflict_ignore().execute()


def zone_is(zone: ZoneInfo) -> bool:
    """Say whether the days of the rollups are those of this zone."""
    return get_meta(TIMEZONE) == str(zone)


def check_zone(zone: ZoneInfo) -> None:
    """Raise ConfigurationError when a month is closed, or days are sealed, and days are those of
    another zone."""
    if SealedDay.select().exists() and not zone_is(zone):
        raise ConfigurationError(
            f"the time zone was {get_meta(TIMEZONE)} when days were sealed, and cannot be {zone} now",
            "of calls that are gone only the sums of those days are known; [syncd] timezone stays",
        )
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
        for table in (*_BUILT, "dirty_day", *KEYS):
            _sql(f"DELETE FROM {table}")
        extent = rows_extent()
        if extent is not None:
            mark_dirty(days_between(days.day(extent[0]), next_day(days.day(extent[1]))))
        set_meta(TIMEZONE, str(zone))
    return True


def rows_extent() -> tuple[int, int] | None:
    """Return the start of the first and of the last call row (epoch seconds), None without rows."""
    if not is_postgresql():
        first, last = _edges("MIN", "MAX")
        return None if first is None else (first, last)
    months = sorted(months_of("call"), key=lambda month: (month != EARLY, month))
    # Of each month there is an index of its own: only those of the first and the last are looked at.
    first, last = (
        next(
            (
                at
                for month in order
                if (at := _edges(edge, between=month_bounds(month))[0]) is not None
            ),
            None,
        )
        for edge, order in (("MIN", months), ("MAX", reversed(months)))
    )
    return None if first is None or last is None else (first, last)


def _edges(*edges: str, between: tuple[int | None, int] = (None, _LATEST)) -> tuple[Any, ...]:
    """Return the earliest (``MIN``) or the latest start of call rows, or both, of some time."""
    # One step into the index for each org, where MIN over the whole table would read it all.
    begin, end = between
    asked = ", ".join(
        f"{edge}((SELECT {edge}(started_at) FROM call WHERE org_id = org.id"
        f" AND started_at >= {_EARLIEST if begin is None else begin} AND started_at < {end}))"
        for edge in edges
    )
    return _sql(f"SELECT {asked} FROM org")[0]


def rebuild(zone: ZoneInfo, now: int, limit: int = 31) -> int:
    """Rebuild up to ``limit`` dirty days, newest first, each in a transaction of its own, then the
    months that are over and have become clean, and what has settled of this one. Returns the days
    and months that were rebuilt."""
    ensure_zone(zone)
    days = Days(zone)
    settled = days.day(now - SETTLED)
    dirty = [row[0] for row in _sql("SELECT day FROM dirty_day ORDER BY day DESC LIMIT ?", limit)]
    for day in dirty:
        rebuild_day(day, days)
        if day >= settled:
            rebuild_beside(day, days)
    this = month_of(days.day(now))
    months = [month for month in stale_months() if month < this]
    for month in months[:limit]:
        rebuild_month(month, days)
    done = len(dirty) + min(len(months), limit)
    if month_of(settled) == this and clean_parts().get(this) != settled:
        done += rebuild_month(this, days, settled)
    _rebuild_fields()
    return done


def rebuild_day(day: int, days: Days) -> None:
    """Build the sums of a local day from its rows and take its mark away."""
    with write_transaction():
        for rollup in BY_DAY:
            if rollup.base:
                derive(rollup, day, day, next_day(day))
            else:
                write(rollup, day, from_rows(rollup, day, *days.bounds(day), days.zone))
        _forget_open(day, next_day(day))
        RolledDay.insert(day=day).on_conflict_ignore().execute()
        DirtyDay.delete().where(DirtyDay.day == day).execute()
        # The month holds this day's old rows.
        month = month_of(day)
        RolledMonth.delete().where(RolledMonth.month == month).execute()
        RolledPart.delete().where(RolledPart.month == month, RolledPart.end_day > day).execute()


def rebuild_beside(day: int, days: Days) -> bool:
    """Build the sums of a clean day that is to stand beside its month, in the same tables. Returns
    False when it is dirty again, or sealed: what is kept of it is not kept by all of their keys."""
    if _sql("SELECT 1 FROM sealed_day WHERE day = ? LIMIT 1", day):
        return False
    return _rebuild_span(
        day, day, next_day(day), days, lambda: RolledOpen.insert(day=day).execute()
    )


def _forget_open(first: int, end: int) -> None:
    """Take away what stands beside months for days from ``first`` to before ``end``."""
    between = "day >= ? AND day < ?"
    for (day,) in _sql(f"SELECT day FROM rolled_open WHERE {between}", first, end):
        for rollup in BY_MONTH:
            _sql(f"DELETE FROM {rollup.table} WHERE month = ?", day)
    _sql(f"DELETE FROM rolled_open WHERE {between}", first, end)


def fields_are_summed() -> bool:
    """Say whether the sums by fields of people are of what the profiles say now."""
    return get_meta(_FIELD_SUMS) == _COMPLETE


def fields_changed() -> None:
    """Forget the sums by fields of people: what a profile says is changed, or it goes, in this
    transaction."""
    set_meta(_FIELD_SUMS, "")


def _rebuild_fields() -> None:
    """Sum by fields of people once more, unless that is done."""
    if fields_are_summed():
        return
    with write_transaction():
        set_meta(_FIELD_SUMS, _BEGUN)
    for span in (*clean_months(), *clean_parts(), *clean_open_days()):
        with write_transaction():
            derive(FIELDS, span, 0, 0)
    with write_transaction():
        if get_meta(_FIELD_SUMS) == _BEGUN:  # nothing has changed in between
            set_meta(_FIELD_SUMS, _COMPLETE)


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


def rebuild_month(month: int, days: Days, until: int | None = None) -> bool:
    """Build the sums of a month, or of its days before one of them. Returns False when none of
    them has sums, or one is dirty."""
    first, end = month_days(month)
    end = end if until is None else until
    if not _sql("SELECT 1 FROM rolled_day WHERE day >= ? AND day < ? LIMIT 1", first, end):
        return False

    def remember() -> None:
        RolledPart.delete().where(RolledPart.month == month).execute()
        if until is None:
            RolledMonth.insert(month=month).on_conflict_ignore().execute()
        else:
            RolledPart.insert(month=month, end_day=until).execute()

    return _rebuild_span(month, first, end, days, remember)


def _rebuild_span(
    span: int, first: int, end: int, days: Days, remember: Callable[[], object]
) -> bool:
    """Build what the tables by month hold under a month or day, for the days from ``first`` to before
    ``end``, and remember that. Returns False when one of them is dirty.

    The rows are read before the write lock is taken: a busy month takes longer than a writer should
    have to wait. What is written then is right only if no day was touched in between; callers hold
    the lock ``maintenance``, so that no day was touched and rebuilt in between either.
    """
    if _dirty_between(first, end):
        return False
    start, stop = days.start(first), days.start(end)
    built = {
        rollup: from_rows(rollup, span, start, stop, days.zone)
        for rollup in BY_MONTH
        if not rollup.base
    }
    with write_transaction():
        if _dirty_between(first, end):
            return False
        _forget_open(first, end)
        for rollup in BY_MONTH:
            if rollup.base:
                derive(rollup, span, first, end)
            else:
                write(rollup, span, built[rollup])
        remember()
    return True


def _dirty_between(first: int, end: int) -> bool:
    return bool(_sql("SELECT 1 FROM dirty_day WHERE day >= ? AND day < ? LIMIT 1", first, end))


def dirty_days(first: int, end: int) -> int:
    """Return how many days from ``first`` to before ``end`` are not rolled up."""
    found = _sql("SELECT COUNT(*) FROM dirty_day WHERE day >= ? AND day < ?", first, end)
    return int(found[0][0])


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


def clean_parts() -> Mapping[int, int]:
    """Return the months that are not over and are summed up to before a day, with that day."""
    return dict(
        _sql(
            "SELECT month, end_day FROM rolled_part WHERE NOT EXISTS (SELECT 1 FROM dirty_day"
            " WHERE day >= month * 100 AND day < end_day)"
        )
    )


def clean_open_days() -> set[int]:
    """Return the days whose sums stand in the tables by month, and equal their rows."""
    return {
        row[0]
        for row in _sql("SELECT day FROM rolled_open WHERE day NOT IN (SELECT day FROM dirty_day)")
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
