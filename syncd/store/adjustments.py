"""The one place through which every change of a call row that is stored goes (docs/rules.md 7.8).

What concerns a closed month is booked in the oldest open one. Months are those of the zone in which
the sums by day are kept. All of it must run inside the transaction of the change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.days import Days, month_of
from syncd.domain.posting import NOTHING_CLOSED, Cause, Closing, Posted, entries, next_month
from syncd.store.database import get_meta
from syncd.store.dialect import by_ids
from syncd.store.models import Adjustment, Period
from syncd.store.models import database as proxy
from syncd.store.rollups import TIMEZONE

COLUMNS = (
    "line_id",
    "party_id",
    "profile_id",
    "org_id",
    "direction",
    "class",
    "destination_id",
    "trunk_id",
    "carrier_id",
    "cost",
)
"""Of ``Posted``, in its order."""

_SELECT = f"SELECT id, started_at, {', '.join(COLUMNS[:-1])}, COALESCE(cost, 0) FROM call"

Rows = Mapping[int, tuple[int, Posted]]
"""(start, what it is booked by) of call rows by id."""


def closing() -> Closing:
    """Return up to where months are closed."""
    last = Period.select(Period.month, Period.until).order_by(Period.month.desc()).first()
    if last is None:
        return NOTHING_CLOSED
    return Closing(last.month, last.until, next_month(last.month))


def month_in(days: Days) -> Callable[[int], int]:
    """Return the function from a start (epoch seconds) to its month."""
    return lambda started_at: month_of(days.day(started_at))


def book(closed: Closing, was: Rows, now: Rows, cause: Cause, *, at: int, run: int = 0) -> int:
    """Write the adjustments for rows that changed, given up to where months are closed; ``at`` is
    the time (epoch seconds), ``run`` the row of ``maintenance_run``. Returns how many."""
    if not closed.through:
        return 0
    month = month_in(Days(ZoneInfo(get_meta(TIMEZONE, "UTC"))))
    rows = [
        (entry.call, entry.month, entry.period, *entry.posted, int(cause), run, at)
        for entry in entries(closed, was, now, month)
    ]
    if rows:
        names = ("call_id", "month", "posting_period", *COLUMNS, "cause", "run_id", "at")
        marks = ", ".join([proxy.obj.param] * len(names))
        proxy.obj.cursor().executemany(
            f'INSERT INTO "{Adjustment._meta.table_name}" ({", ".join(names)}) VALUES ({marks})',
            rows,
        )
    return len(rows)


@contextlib.contextmanager
def booked(
    calls: Iterable[tuple[int, int]], cause: Cause, *, at: int, run: int = 0
) -> Iterator[None]:
    """Change stored rows within the block, given (id, start) of each: what they were and what they
    are is compared around it. A row that is not there before it, or not after it, counts too."""
    closed = closing()
    ids = [key for key, started_at in calls if closed.closed(started_at)]
    was = rows_of(ids)
    yield
    if ids:
        book(closed, was, rows_of(ids), cause, at=at, run=run)


def rows_of(ids: Iterable[int]) -> dict[int, tuple[int, Posted]]:
    """Return the call rows with these ids, those that are there."""
    return {row[0]: (row[1], Posted._make(row[2:])) for row in by_ids(_SELECT, ids)}


def of_columns(names: Iterable[str]) -> Callable[[Any], tuple[int, Posted]]:
    """Return the function from a call row, with columns of these names in their order, to its start
    and what it is booked by."""
    order = list(names)
    start = order.index("started_at")
    places = [order.index(name) for name in COLUMNS]

    def made(row: Any) -> tuple[int, Posted]:
        values = [row[place] for place in places]
        values[-1] = values[-1] or 0
        return row[start], Posted._make(values)

    return made
