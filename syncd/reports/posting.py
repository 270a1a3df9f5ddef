"""Sums by posting period: what finance books, beside sums by the date of the call (docs/rules.md 7.8).

A month comes to what its calls cost as they are now, plus the adjustments that are booked in it,
minus those that are booked elsewhere for its calls. Adjustments have an org and a party, and are in
a viewer's scope as calls are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.domain.days import days_between, month_of
from syncd.domain.errors import UsageError
from syncd.domain.posting import Cause
from syncd.reports.dimensions import DIMENSIONS, ROW_FILTERS, Raw
from syncd.reports.lookups import Key, Lookups, select
from syncd.reports.permissions import Reach, Scope
from syncd.reports.query import SUM_NAMES, Query, Sums
from syncd.reports.scope import Condition, id_list, in_list, row_conditions
from syncd.reports.sources import Source, party_today
from syncd.reports.specification import BOOKABLE, CONVERSATIONS, Specification
from syncd.store.periods import shown_month
from syncd.store.rollups import check_zone

_COLUMNS = {
    Raw.LINE: "line_id",
    Raw.PARTY: "party_id",
    Raw.PROFILE: "profile_id",
    Raw.ORG: "org_id",
    Raw.ORG_TODAY: party_today("org_id"),
    Raw.PROFILE_TODAY: party_today("profile_id"),
    Raw.DIRECTION: "direction",
    Raw.CLASS: "class",
    Raw.DESTINATION: "destination_id",
    Raw.CARRIER: "carrier_id",
    Raw.TRUNK: "trunk_id",
}
BOOKED = Source("adjustment", {**_COLUMNS, Raw.MONTH: "posting_period"}, "posting_period")
"""What is booked in a month."""
ELSEWHERE = Source("adjustment", {**_COLUMNS, Raw.MONTH: "month"}, "month")
"""What is booked in another month for calls of one."""

COST = SUM_NAMES.index("cost")


def check_posting(specification: Specification) -> None:
    """Raise UsageError for what cannot be asked by posting period: only cost is booked, by month,
    and by what an adjustment knows of its call."""
    if specification.lists_rows:
        raise UsageError("a list of calls is by date", "--by posting is for sums")
    if specification.first.day != 1 or specification.end.day != 1:
        raise UsageError(
            f"{specification.first} to {specification.end} are no whole months",
            "posting periods are months: --from 2026-01-01 --to 2026-02-01",
        )
    if specification.counts == CONVERSATIONS:
        raise UsageError("adjustments are no calls", "leave --count out")
    for name in specification.measures:
        if name not in BOOKABLE:
            raise UsageError(
                f"{name} is not booked", "--measures cost; the rest is by the date of the call"
            )
    asked = [*specification.dimensions, *(key for key, _ in specification.filters)]
    for name in (*asked, *(comparison.key for comparison in specification.comparisons)):
        dimension = None if name in ROW_FILTERS else DIMENSIONS.get(name)
        if dimension is None or not any(raw in BOOKED.columns for raw in dimension.raw):
            raise UsageError(
                f"nothing is booked by {name}",
                "by person, line, department, cost center, office, custom field, direction, class,"
                " destination, carrier, trunk or month",
            )


def with_adjustments(
    query: Query, groups: dict[tuple[Key, ...], Sums], dimensions: tuple[str, ...]
) -> dict[tuple[Key, ...], Sums]:
    """Return sums by the date of the call as sums by posting period. What comes to nothing and has no
    call is left out. Raises ConfigurationError when months were closed in another time zone."""
    check_zone(query.lookups.days.zone)
    found = {key: list(sums) for key, sums in groups.items()}
    if query.scope.reach is not Reach.NONE:
        for key, cost in _adjustments(query, dimensions):
            found.setdefault(key, [0] * len(SUM_NAMES))[COST] += cost
    return {key: sums for key, sums in found.items() if any(sums)}


def _adjustments(
    query: Query, dimensions: tuple[str, ...]
) -> Iterator[tuple[tuple[Key, ...], int]]:
    """Yield signed amounts (micros) with the keys of their group."""
    lookups = query.lookups
    months = dict.fromkeys(month_of(day) for day in days_between(lookups.first, lookups.end))
    spans = id_list(set(months))
    for sign, source in ((1, BOOKED), (-1, ELSEWHERE)):
        columns, keys = query.grouping(source, dimensions)
        wanted = query.filtered(source)
        grouped = f" GROUP BY {', '.join(columns)}" if columns else ""
        for part in row_conditions(query.scope, lookups):
            when = Condition(f"{in_list(source.span)} AND ", (spans,))
            for row in select(
                f"SELECT {', '.join([*columns, 'COALESCE(SUM(cost), 0)'])} FROM {source.table}"
                f" WHERE {when.sql}{part.sql}{wanted.sql}{grouped}",
                *when.parameters,
                *part.parameters,
                *wanted.parameters,
            ):
                yield tuple(function(row[place]) for place, function in keys), sign * row[-1]


def posting_of(scope: Scope, lookups: Lookups, call: int) -> dict[str, Any]:
    """Return in which month a call row that is in scope came, and the adjustments for it that are in
    scope: amounts in micros."""
    ((period,),) = select("SELECT posting_period FROM call WHERE id = ?", call)
    found = [
        row
        for part in row_conditions(scope, lookups)
        for row in select(
            "SELECT id, month, posting_period, cause, cost, run_id FROM adjustment"
            f" WHERE call_id = ? AND {part.sql}",
            call,
            *part.parameters,
        )
    ]
    return {
        "period": shown_month(period),
        "adjustments": [
            {
                "period": shown_month(row[2]),
                "of": shown_month(row[1]) if row[1] else None,
                "cause": Cause(row[3]).word,
                "micros": row[4],
                "run": row[5] or None,
            }
            for row in sorted(found)
        ],
    }
