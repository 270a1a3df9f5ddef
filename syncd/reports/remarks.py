"""What a reader has to know about sums beside the figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncd.domain.days import Days, day_number, days_between, month_of
from syncd.reports.environment import Environment
from syncd.reports.result import Result
from syncd.reports.specification import BY_POSTING
from syncd.store.adjustments import closing
from syncd.store.models import MonthRun
from syncd.store.periods import shown_month
from syncd.store.rollups import dirty_days, rows_extent


def unpriced(unrated: int) -> list[str]:
    """Return the note about rows without a price."""
    if not unrated:
        return []
    if unrated == 1:
        return ["1 row has no price yet: it adds nothing to the cost"]
    return [f"{unrated} rows have no price yet: they add nothing to the cost"]


def rolled_notes(result: Result, environment: Environment) -> None:
    """Say how many days of the period before today are not rolled up yet: their sums are read from
    the rows, which takes longer, as while older calls are taken in."""
    specification = result.specification
    end = min(specification.end, environment.day)
    days = dirty_days(day_number(specification.first), day_number(end))
    if days:
        result.facts["days_not_rolled_up"] = days
        are = "day of this period is" if days == 1 else "days of this period are"
        result.notes.append(f"{days} {are} not rolled up yet: read from the calls one by one")


def open_month_notes(result: Result, environment: Environment) -> None:
    """Say of open months that are summed by posting period whether they hold what is booked by the
    month, and since when: a month run or the closing books it."""
    specification = result.specification
    if specification.by != BY_POSTING or not environment.by_month:
        return
    extent = rows_extent()
    if extent is None:
        return
    days, through = Days(environment.zone), closing().through
    end = day_number(min(specification.end, environment.day + timedelta(days=1)))
    first = max(day_number(specification.first), days.day(extent[0]))
    months = [
        month for month in dict.fromkeys(map(month_of, days_between(first, end))) if month > through
    ]
    runs = {
        row.month: datetime.fromtimestamp(row.at, environment.zone)
        for row in MonthRun.select().where(MonthRun.month > through)
    }
    missing = [month for month in months if month not in runs]
    there = [month for month in months if month in runs]
    what = "allowances, flat charges and rounded invoices"
    if missing:
        result.notes.append(f"{_listed(missing)} open: {what} are not booked yet")
    if there:
        since = min(runs[month] for month in there)
        result.notes.append(f"{_listed(there)} open: {what} are as of {since:%Y-%m-%d %H:%M}")
    if months:
        result.facts["booked_by_month"] = {
            shown_month(month): runs[month].isoformat() if month in runs else None
            for month in months
        }


def _listed(months: Sequence[int]) -> str:
    """Return months as the beginning of a sentence about them."""
    if len(months) == 1:
        return f"{shown_month(months[0])} is"
    return f"{len(months)} months from {shown_month(months[0])} to {shown_month(months[-1])} are"
