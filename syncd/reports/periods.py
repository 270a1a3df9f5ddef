"""The posting periods: which are closed, and what each comes to, as far as a viewer sees."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.clock import iso
from syncd.domain.days import Days, day_date, month_days, month_of
from syncd.domain.money import format_micros
from syncd.domain.posting import next_month
from syncd.reports.lookups import Lookups
from syncd.reports.posting import COST, with_adjustments
from syncd.reports.query import SUM_NAMES, Query
from syncd.reports.scope import Door
from syncd.reports.specification import BY_POSTING, Specification
from syncd.store.adjustments import closing
from syncd.store.database import read_transaction
from syncd.store.models import Period
from syncd.store.periods import shown_month
from syncd.store.rollups import rows_extent

UNRATED = SUM_NAMES.index("unrated")
_NOTHING = (0,) * len(SUM_NAMES)


def periods(door: Door, zone: ZoneInfo, now: int) -> list[dict[str, Any]]:
    """Return the months from the first with calls to that of the time (epoch seconds), newest first:
    what their calls cost, what is booked in them, whether they are closed."""
    with read_transaction():
        return _periods(door, zone, now)


def _periods(door: Door, zone: ZoneInfo, now: int) -> list[dict[str, Any]]:
    days = Days(zone)
    extent = rows_extent()
    kept = {row.month: row for row in Period.select()}
    if extent is None and not kept:
        return []
    first = min([*kept, *([] if extent is None else [month_of(days.day(extent[0]))])])
    last = month_of(days.day(now))
    if extent is not None:
        last = max(last, month_of(days.day(extent[1])))
    begin, end = month_days(first)[0], month_days(last)[1]
    specification = Specification(
        "period", day_date(begin), day_date(end), ("month",), ("cost",), by=BY_POSTING
    )
    query = Query(door.scope, specification, Lookups(days, begin, end))
    by_date = query.sums(("month",))
    by_posting = with_adjustments(query, by_date, ("month",))
    through = closing().through
    rows = []
    month = first
    while month <= last:
        period = kept.get(month)
        calls, booked = by_date.get((month,), _NOTHING), by_posting.get((month,), _NOTHING)
        rows.append(
            {
                "month": shown_month(month),
                "state": "closed" if month <= through else "open",
                "cost": format_micros(booked[COST]),
                "calls_cost": format_micros(calls[COST]),
                "adjustments": format_micros(booked[COST] - calls[COST]),
                "unrated": calls[UNRATED],
                "closed_at": None if period is None else iso(period.closed_at, zone),
                "closed_by": None if period is None else period.closed_by,
            }
        )
        month = next_month(month)
    rows.reverse()
    return rows
