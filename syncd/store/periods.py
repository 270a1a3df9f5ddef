"""Closing posting periods: the sums of a month as they are booked, kept and compared for ever.

A month comes to what its calls cost, as they are now, plus the adjustments that are booked in it,
minus those that were booked elsewhere for its calls (docs/rules.md 7.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.days import Days, month_days, month_of
from syncd.domain.money import format_micros
from syncd.domain.posting import next_month
from syncd.store.adjustments import closing
from syncd.store.models import Adjustment, ClosedSum, Period, database
from syncd.store.rollups import zone_is
from syncd.store.rows_between import BETWEEN

KEYS = "org_id, carrier_id, class"

Figures = dict[tuple[int, int, int], int]
"""Micros by (org, carrier, class), none of them 0."""


class Closed(NamedTuple):
    """A month that was closed, what it came to (micros), and what of it is open for ever: rows
    without a price, rows that are withheld."""

    month: int
    cost: int
    unrated: int
    withheld: int


def shown_month(month: int) -> str:
    """Return yyyymm as it is written."""
    return f"{month // 100}-{month % 100:02d}"


def first_month() -> int | None:
    """Return the first month of which there are sums by day, or calls that are not summed yet, None
    without any."""
    days = [_sql(f"SELECT MIN(day) FROM {table}")[0][0] for table in ("rollup_day", "dirty_day")]
    return min((month_of(day) for day in days if day is not None), default=None)


def months_to_close(last: int) -> list[int]:
    """Return the open months up to one, from the first that has calls."""
    through = closing().through
    month = next_month(through) if through else min(first_month() or last, last)
    found = []
    while month <= last:
        found.append(month)
        month = next_month(month)
    return found


def dirty_days_before(day: int) -> list[int]:
    """Return the days before one (yyyymmdd) whose sums are not those of their rows."""
    return [row[0] for row in _sql("SELECT day FROM dirty_day WHERE day < ? ORDER BY day", day)]


def close(months: Sequence[int], zone: ZoneInfo, now: int, who: str) -> list[Closed]:
    """Close months in their order, at a time (epoch seconds). Must run inside a write transaction,
    when no day of them is dirty. Returns what each came to."""
    days = Days(zone)
    done = []
    for month in months:
        start, until = bounds(month, days)
        figures = _with_adjustments(
            month,
            _sql(
                f"SELECT {KEYS}, SUM(cost) FROM rollup_day WHERE day >= ? AND day < ?"
                f" GROUP BY {KEYS}",
                *month_days(month),
            ),
        )
        first, end = month_days(month)
        unrated = _sql(
            "SELECT COALESCE(SUM(unrated), 0) FROM rollup_day WHERE day >= ? AND day < ?",
            first,
            end,
        )[0][0]
        withheld = _sql(
            "SELECT COUNT(*) FROM call_withheld WHERE started_at >= ? AND started_at < ?",
            start,
            until,
        )[0][0]
        Period.create(
            month=month,
            until=until,
            closed_at=now,
            closed_by=who,
            unrated=unrated,
            withheld=withheld,
        )
        rows = [(month, *key, cost) for key, cost in figures.items()]
        for place in range(0, len(rows), 100):
            ClosedSum.insert_many(
                rows[place : place + 100],
                fields=[
                    ClosedSum.month,
                    ClosedSum.org_id,
                    ClosedSum.carrier_id,
                    ClosedSum.class_,
                    ClosedSum.cost,
                ],
            ).execute()
        done.append(Closed(month, sum(figures.values()), unrated, withheld))
    return done


def bounds(month: int, days: Days) -> tuple[int, int]:
    """Return the epoch seconds at which a month begins and ends."""
    first, end = month_days(month)
    return days.start(first), days.start(end)


def _with_adjustments(month: int, rows: Sequence[tuple[Any, ...]]) -> Figures:
    """Return the sums of a month, given those of its call rows."""
    figures: Figures = {(row[0], row[1], row[2]): row[3] for row in rows}
    for sign, column in ((1, "posting_period"), (-1, "month")):
        for *key, cost in _sql(
            f"SELECT {KEYS}, SUM(cost) FROM adjustment WHERE {column} = ? GROUP BY {KEYS}", month
        ):
            place = (key[0], key[1], key[2])
            figures[place] = figures.get(place, 0) + sign * cost
    return {key: cost for key, cost in figures.items() if cost}


def figures_of_rows(month: int, days: Days) -> Figures:
    """Return the sums of a month, from its call rows, what is kept of those that are gone, and the
    adjustments."""
    return _with_adjustments(
        month,
        _sql(
            f"SELECT {KEYS}, SUM(cost) FROM ("
            f"SELECT {KEYS}, SUM(COALESCE(cost, 0)) AS cost FROM call WHERE {BETWEEN}"
            f" GROUP BY {KEYS} UNION ALL"
            f" SELECT {KEYS}, cost FROM sealed_day WHERE day >= ? AND day < ?"
            f") AS part GROUP BY {KEYS}",
            *bounds(month, days),
            *month_days(month),
        ),
    )


# --- does it hold what it must? -------------------------------------------------------------------


def closed_differences(zone: ZoneInfo) -> Iterator[str]:
    """Yield where a closed month does not come to what it was closed with."""
    if not zone_is(zone):
        return
    days = Days(zone)
    for month, until in Period.select(Period.month, Period.until).order_by(Period.month).tuples():
        name = shown_month(month)
        if until != bounds(month, days)[1]:
            yield f"{name} was closed in another time zone"
            continue
        kept = {
            (row[0], row[1], row[2]): row[3]
            for row in _sql(f"SELECT {KEYS}, cost FROM closed_sum WHERE month = ?", month)
        }
        found = figures_of_rows(month, days)
        for key in sorted(kept.keys() | found.keys()):
            was, now = kept.get(key, 0), found.get(key, 0)
            if was != now:
                yield (
                    f"{name} was closed with {format_micros(was)} for org {key[0]}, carrier"
                    f" {key[1]}, class {key[2]}, and comes to {format_micros(now)}"
                )


def adjustment_differences(_: ZoneInfo) -> Iterator[str]:
    """Yield adjustments of nothing, and those that are not for a closed month in a later one."""
    for row in Adjustment.select().where(
        (Adjustment.posting_period <= Adjustment.month) | (Adjustment.cost == 0)
    ):
        yield (
            f"adjustment {row.id} of call row {row.call_id} books {format_micros(row.cost)} of"
            f" {shown_month(row.month)} in {shown_month(row.posting_period)}"
        )
    through = closing().through
    for (month,) in _sql("SELECT DISTINCT month FROM adjustment WHERE month > ?", through):
        yield f"adjustments are booked for {shown_month(month)}, which is open"


def dangling_runs(_: ZoneInfo) -> Iterator[str]:
    """Yield adjustments and changes whose run is not there."""
    for table in ("adjustment", "rerate_change", "rerate_run"):
        for run, count in _sql(
            f"SELECT run_id, COUNT(*) FROM {table} WHERE run_id <> 0 AND run_id NOT IN"
            " (SELECT id FROM maintenance_run) GROUP BY run_id"
        ):
            yield f"{count} {table} rows name run {run}, which is not there"


def _sql(statement: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
    rows: Sequence[tuple[Any, ...]] = database.execute_sql(statement, parameters).fetchall()
    return rows
